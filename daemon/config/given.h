// A setting that was given, and where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "daemon/config/setting.h"

namespace heartbeat {

// Where a value comes from; the later ones win over the earlier ones.
struct Origin {
  enum class Kind : std::uint8_t { Default, File, Flag, Operator };

  Kind kind = Kind::Default;
  std::string text = "default";  // `FILE:LINE`, `flag --tick`
  std::uint32_t line = 0;        // of File, as is the column
  std::uint32_t column = 0;
};

struct Given {
  std::size_t setting;  // its row
  Value value;          // without faults
  Origin origin;
};

// Something that is wrong.
struct Mistake {
  Origin where;
  std::string key;
  std::string what;  // a sentence
};

// The lines that tell them, `FILE:LINE:COLUMN: key: what` or `heartbeatd: --flag: what`: not more than
// limits::kConfigErrorsShown, and then how many more there are.
[[nodiscard]] std::vector<std::string> lines_of(const std::vector<Mistake>& mistakes);

}  // namespace heartbeat
