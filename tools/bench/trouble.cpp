#include "tools/bench/trouble.h"

#include <cerrno>
#include <cstring>

namespace heartbeat::bench {

Trouble system_trouble(const std::string& what) {
  return Trouble{what + ": " + std::strerror(errno)};
}

}  // namespace heartbeat::bench
