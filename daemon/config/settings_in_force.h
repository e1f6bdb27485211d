// The settings in force, and what a reload changed of them: for the log and for operators.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heartbeat {

struct SettingInForce {
  std::string_view name;
  std::string value;   // `10s`, `127.0.0.1:14000, [::1]:14000`
  std::string origin;  // `default`, `FILE:LINE`, `flag --tick`
};

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
