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

bool has_manager() {
  return false;
}

bool store(const std::string& /*name*/, std::span<const int> /*descriptors*/) {
  return false;
}

void forget(const std::string& /*name*/) {}

bool wait_for_manager(Millis /*bound*/) {
  return false;
}

std::optional<UnitState> unit_state() {
  return {};
}

bool send_to_journal(std::span<const iovec> /*fields*/) {
  return false;
}

}  // namespace heartbeat::libsystemd
