// The service manager that started the daemon (systemd): gets its state, and signs of life for the watchdog.
//
// Knows no loop and no clock: turn() is called at the end of each turn of the loop, so a loop that is stuck
// in one callback, or spins without coming round, feeds nothing and is killed; nothing else keeps the feed
// up.  Where there is no service manager, every call does nothing.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "common/descriptor.h"
#include "common/endpoint.h"
#include "common/mono_time.h"
#include "daemon/core/monitor.h"

namespace heartbeat {

class ServiceManager {
 public:
  // Reads from the environment whether the manager watches us.
  ServiceManager();

  // What the status line says after the counts.
  void listening_on(const std::vector<Endpoint>& endpoints);

  // The life of the service: ready() once it listens; reloading() and ready() around a reload; restarting(),
  // with which the next process's ready() goes; stopping().
  void ready();
  void reloading();
  void restarting();
  void stopping();

  // Whether the running job of the unit is a restart: what is left with leave() comes back then.
  [[nodiscard]] static bool is_restarting();
  // Whether there is a manager, to which a descriptor may be left for the next process.
  [[nodiscard]] static bool is_there();
  // Leaves a duplicate of the descriptor with the manager, and lets the manager let go of it.  The name is no
  // other descriptor's.  Neither waits for the manager.
  static void store(const std::string& name, int descriptor);
  static void forget(const std::string& name);
  // Waits for the manager, and returns whether it has that many descriptors in its store.
  [[nodiscard]] static bool has_stored(std::size_t descriptors);

  // At the end of each turn of the loop: feeds the watchdog at half its interval, and brings the status line
  // up to date, at most once in limits::kStatusEvery.  `machine_now` is the machine's clock, not the
  // listening clock: the manager does not stand still with us.
  void turn(MonoTime machine_now, const StatusCounts& counts);

 private:
  [[nodiscard]] std::string status() const;

  std::optional<Millis> feed_every_;
  MonoTime fed_at_;
  MonoTime told_at_;
  StatusCounts counts_;    // as the status line has them
  std::string listening_;  // `listening on …`
  bool serving_ = false;   // the status line is ours to keep: not while reloading or stopping
};

}  // namespace heartbeat
