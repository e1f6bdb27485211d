// What a fuzz target holds the code to.  A promise that is broken ends the process, which is how libFuzzer
// and the replay alike learn of it.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace heartbeat::fuzz {

// `promise` is a sentence that is true of every input.
inline void hold(bool kept, std::string_view promise) {
  if (kept) return;
  std::fprintf(stderr, "broken: %.*s\n", static_cast<int>(promise.size()), promise.data());
  std::abort();
}

}  // namespace heartbeat::fuzz
