#include "daemon/systemd/libsystemd.h"

namespace heartbeat::libsystemd {

std::string version() {
  return "without libsystemd";
}

bool has_journal() {
  return false;
}

void notify(const std::string& /*lines*/) {}

std::optional<Millis> watchdog() {
  return {};
}

std::vector<NamedDescriptor> take_descriptors() {
  return {};
}

bool send_to_journal(std::span<const iovec> /*fields*/) {
  return false;
}

}  // namespace heartbeat::libsystemd
