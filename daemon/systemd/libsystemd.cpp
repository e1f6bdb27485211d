#include "daemon/systemd/libsystemd.h"

#include <cstdint>
#include <cstdlib>

// The place in our source that wrote a record says nothing to an operator.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

namespace heartbeat::libsystemd {

std::string version() {
  return "libsystemd " HEARTBEAT_LIBSYSTEMD_VERSION;
}

bool has_journal() {
  return true;
}

void notify(const std::string& lines) {
  // An error is that of a manager that does not listen any more; there is nobody else to tell.
  static_cast<void>(sd_notify(/*unset_environment=*/0, lines.c_str()));
}

std::optional<Millis> watchdog() {
  std::uint64_t interval_us = 0;
  if (sd_watchdog_enabled(/*unset_environment=*/0, &interval_us) <= 0) return {};
  return Millis{static_cast<std::int64_t>(interval_us / 1000)};
}

std::vector<NamedDescriptor> take_descriptors() {
  char** names = nullptr;
  const int count = sd_listen_fds_with_names(/*unset_environment=*/1, &names);
  std::vector<NamedDescriptor> taken;
  for (int i = 0; i < count; ++i) {
    taken.push_back({SD_LISTEN_FDS_START + i, names == nullptr ? "" : names[i]});
    if (names != nullptr) std::free(names[i]);  // NOLINT(cppcoreguidelines-no-malloc): it is sd-daemon's
  }
  std::free(static_cast<void*>(names));  // NOLINT(cppcoreguidelines-no-malloc)
  return taken;
}

bool send_to_journal(std::span<const iovec> fields) {
  return sd_journal_sendv(fields.data(), static_cast<int>(fields.size())) == 0;
}

}  // namespace heartbeat::libsystemd
