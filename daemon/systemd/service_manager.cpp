#include "daemon/systemd/service_manager.h"

#include <ctime>

#include "common/limits.h"
#include "daemon/systemd/handed_sockets.h"
#include "daemon/systemd/libsystemd.h"

namespace heartbeat {
namespace {

constexpr Millis kStoreMax{5000};

// RELOADING=1 carries the instant, so that the manager can tell this reload from one before (systemd 253 on).
std::string monotonic_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::to_string(now.tv_sec * 1'000'000 + now.tv_nsec / 1000);
}

}  // namespace

ServiceManager::ServiceManager() {
  if (const auto interval = libsystemd::watchdog()) feed_every_ = *interval / 2;
}

void ServiceManager::listening_on(const std::vector<Endpoint>& endpoints) {
  listening_ = "listening on ";
  std::size_t shown = 0;
  for (const Endpoint& endpoint : endpoints) {
    if (shown == limits::kStatusEndpoints) break;
    if (shown++ > 0) listening_ += ", ";
    listening_ += to_string(endpoint);
  }
  if (endpoints.size() > shown) listening_ += " and " + std::to_string(endpoints.size() - shown) + " more";
}

void ServiceManager::ready() {
  serving_ = true;
  libsystemd::notify("READY=1\nSTATUS=" + status());
}

void ServiceManager::reloading() {
  serving_ = false;
  libsystemd::notify("RELOADING=1\nMONOTONIC_USEC=" + monotonic_us() +
                     "\nSTATUS=reloading the configuration");
}

void ServiceManager::restarting() {
  serving_ = false;
  libsystemd::notify("RELOADING=1\nMONOTONIC_USEC=" + monotonic_us() + "\nSTATUS=restarting with " +
                     std::to_string(counts_.alive + counts_.leave) + " clients");
}

void ServiceManager::stopping() {
  serving_ = false;
  libsystemd::notify("STOPPING=1\nSTATUS=closing " + std::to_string(counts_.alive + counts_.leave) +
                     " clients");
}

bool ServiceManager::is_restarting() {
  const auto unit = libsystemd::unit_state();
  return unit && unit->job.find("restart") != std::string::npos;
}

bool ServiceManager::is_there() {
  return libsystemd::has_manager();
}

void ServiceManager::store(const std::string& name, int descriptor) {
  static_cast<void>(libsystemd::store(name, {&descriptor, 1}));
}

void ServiceManager::forget(const std::string& name) {
  libsystemd::forget(name);
}

// A unit without FileDescriptorStoreMax= has no store, and the manager closes what it is sent.
bool ServiceManager::has_stored(std::size_t descriptors) {
  if (!libsystemd::wait_for_manager(kStoreMax)) return false;
  const auto unit = libsystemd::unit_state();
  return unit && unit->stored >= descriptors;
}

void ServiceManager::turn(MonoTime machine_now, const StatusCounts& counts) {
  if (feed_every_ && machine_now - fed_at_ >= *feed_every_) {
    fed_at_ = machine_now;
    libsystemd::notify("WATCHDOG=1");
  }
  if (!serving_ || counts == counts_ || machine_now - told_at_ < limits::kStatusEvery) return;
  told_at_ = machine_now;
  counts_ = counts;
  libsystemd::notify("STATUS=" + status());
}

std::string ServiceManager::status() const {
  return std::to_string(counts_.alive) + " alive, " + std::to_string(counts_.leave) + " leave; " +
         (counts_.braked ? "closing for silence pauses; " : "") + listening_;
}

}  // namespace heartbeat
