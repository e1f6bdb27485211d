// The service manager that started the daemon (systemd): gets its state, and signs of life for the watchdog.
//
// Knows no loop and no clock: turn() is called at the end of each turn of the loop, so a loop that is stuck
// in one callback, or spins without coming round, feeds nothing and is killed; nothing else keeps the feed
// up.  Where there is no service manager, every call does nothing.
#pragma once

#include <optional>
#include <span>
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
  // Leaves descriptors with the manager for the next process.  Returns whether it has them all; if not, it
  // keeps none.
  [[nodiscard]] static bool leave(int state, std::span<const Descriptor> bags, std::span<const int> sockets);
  // The next process has adopted them: the manager lets go of them.
  static void forget_what_was_left();

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
