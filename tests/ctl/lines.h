// Lines as they would be printed without colour, for comparing.
#pragma once

#include <string>
#include <vector>

#include "tools/ctl/styled.h"

namespace heartbeat::ctl {

inline std::string plain(const std::vector<Line>& lines) {
  std::string text;
  for (const Line& line : lines) text += rendered(line, false);
  return text;
}

}  // namespace heartbeat::ctl
