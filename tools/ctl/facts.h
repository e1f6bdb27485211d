// Labels with a text of any length beside each, one under the other; long texts go on under themselves.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/ctl/styled.h"

namespace heartbeat::ctl {

class Facts {
 public:
  // The text is escaped here (see shown()): it may come from anywhere.
  void add(std::string_view label, Span text);

  // One line or more a fact.  `width`: nothing is unlimited.
  [[nodiscard]] std::vector<Line> lines(std::optional<std::size_t> width) const;

 private:
  struct Fact {
    std::string label;
    Span text;
  };
  std::vector<Fact> facts_;
};

}  // namespace heartbeat::ctl
