// Why nothing can be measured any more.
//
// A run has many steps that can fail in the same way, and no function between them and main() has another way
// to go: so it is thrown, and each owner releases what was started and made on the way.
#pragma once

#include <stdexcept>
#include <string>

namespace heartbeat::bench {

class Trouble : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What failed, and what the system says of it (errno).
[[nodiscard]] Trouble system_trouble(const std::string& what);

}  // namespace heartbeat::bench
