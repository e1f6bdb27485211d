#include "daemon/systemd/libsystemd.h"

#include <cstdint>
#include <cstdlib>
#include <memory>

// The place in our source that wrote a record says nothing to an operator.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

namespace heartbeat::libsystemd {
namespace {

constexpr const char* kManager = "org.freedesktop.systemd1";
constexpr Millis kBusMax{2000};

std::uint64_t microseconds(Millis length) {
  return static_cast<std::uint64_t>(length.count()) * 1000;
}

using Message = std::unique_ptr<sd_bus_message, decltype(&sd_bus_message_unref)>;

// Of this process's unit; empty where it has none.
std::string unit_path(sd_bus* bus) {
  sd_bus_message* answer = nullptr;
  const int called =
      sd_bus_call_method(bus, kManager, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
                         "GetUnitByPID", nullptr, &answer, "u", 0U);
  const Message owned{answer, sd_bus_message_unref};
  const char* path = nullptr;
  if (called < 0 || sd_bus_message_read(answer, "o", &path) < 0) return {};
  return path;
}

// The kind of the unit's running job; empty where there is none.
std::string job_of(sd_bus* bus, const std::string& unit) {
  sd_bus_message* answer = nullptr;
  const int asked = sd_bus_get_property(bus, kManager, unit.c_str(), "org.freedesktop.systemd1.Unit", "Job",
                                        nullptr, &answer, "(uo)");
  const Message owned{answer, sd_bus_message_unref};
  std::uint32_t number = 0;
  const char* path = nullptr;
  if (asked < 0 || sd_bus_message_read(answer, "(uo)", &number, &path) < 0 || number == 0) return {};
  char* kind = nullptr;
  if (sd_bus_get_property_string(bus, kManager, path, "org.freedesktop.systemd1.Job", "JobType", nullptr,
                                 &kind) < 0) {
    return {};
  }
  std::string job = kind;
  std::free(kind);  // NOLINT(cppcoreguidelines-no-malloc): it is sd-bus's
  return job;
}

}  // namespace

std::string version() {
  return "libsystemd " HEARTBEAT_LIBSYSTEMD_VERSION;
}

bool has_journal() {
  return true;
}

void notify(const std::string& lines) {
  // An error means that the manager no longer listens, and no other place wants to know.
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

bool has_manager() {
  return std::getenv("NOTIFY_SOCKET") != nullptr;
}

bool store(const std::string& name, std::span<const int> descriptors) {
  // Unpolled: the manager would let go of a bag, whose other end is closed.
  const std::string lines = "FDSTORE=1\nFDPOLL=0\nFDNAME=" + name;
  return sd_pid_notify_with_fds(0, /*unset_environment=*/0, lines.c_str(), descriptors.data(),
                                static_cast<unsigned>(descriptors.size())) > 0;
}

void forget(const std::string& name) {
  notify("FDSTOREREMOVE=1\nFDNAME=" + name);
}

bool wait_for_manager(Millis bound) {
  return sd_notify_barrier(/*unset_environment=*/0, microseconds(bound)) > 0;
}

std::optional<UnitState> unit_state() {
  sd_bus* opened = nullptr;
  if (sd_bus_open_system(&opened) < 0) return {};
  const std::unique_ptr<sd_bus, decltype(&sd_bus_flush_close_unref)> bus{opened, sd_bus_flush_close_unref};
  sd_bus_set_method_call_timeout(bus.get(), microseconds(kBusMax));
  const std::string unit = unit_path(bus.get());
  if (unit.empty()) return {};
  UnitState state;
  std::uint32_t stored = 0;
  if (sd_bus_get_property_trivial(bus.get(), kManager, unit.c_str(), "org.freedesktop.systemd1.Service",
                                  "NFileDescriptorStore", nullptr, 'u', &stored) < 0) {
    return {};
  }
  state.stored = stored;
  state.job = job_of(bus.get(), unit);
  return state;
}

bool send_to_journal(std::span<const iovec> fields) {
  return sd_journal_sendv(fields.data(), static_cast<int>(fields.size())) == 0;
}

}  // namespace heartbeat::libsystemd
