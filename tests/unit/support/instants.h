// Where the stories of the tests begin.
#pragma once

#include <chrono>

#include "common/mono_time.h"

namespace heartbeat::test {

using namespace std::chrono_literals;

// An instant like any other: not 0, so that a difference forgotten somewhere shows.
inline constexpr MonoTime t0{Millis{1'234'567}};

}  // namespace heartbeat::test
