// What all commands are given alike.
#pragma once

#include <string>

#include "common/limits.h"
#include "common/mono_time.h"

namespace heartbeat::ctl {

struct Options {
  std::string control;  // empty: where the daemon is by default
  bool json = false;
  Millis timeout{limits::kControlAnswerDefault};
};

}  // namespace heartbeat::ctl
