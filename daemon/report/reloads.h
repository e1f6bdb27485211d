// What came of the reloads of the configuration so far: for metrics.
#pragma once

#include <cstdint>

namespace heartbeat {

struct Reloads {
  std::uint64_t done = 0;
  std::uint64_t refused = 0;
  bool last_refused = false;  // the configuration in force is not that of the file

  void add(bool succeeded) {
    ++(succeeded ? done : refused);
    last_refused = !succeeded;
  }
};

}  // namespace heartbeat
