// What was written on the command line, as an error repeats it.
#pragma once

#include <string>

#include "common/text.h"

namespace heartbeat::ctl {

[[nodiscard]] inline std::string in_quotes(const std::string& written) {
  return "'" + escaped(written) + "'";
}

}  // namespace heartbeat::ctl
