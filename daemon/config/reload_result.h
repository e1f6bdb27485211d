// What came of a reload: for the log, and for the operator who asked for it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heartbeat {

struct ReloadResult {
  struct Change {
    std::string_view name;
    std::string before;
    std::string after;
  };
  std::vector<Change> changed;
  std::vector<Change> needs_restart;  // what the file or a flag says now, and is not in force
  std::vector<std::string> errors;    // not empty: nothing was changed
};

}  // namespace heartbeat
