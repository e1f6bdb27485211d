// What an operator can see and order, whether it comes by the control socket or by HTTP.
//
// The daemon implements it once (daemon/operations.h), the tests once more without sockets.  HTTP gets it as
// const, so the compiler holds that HTTP changes nothing.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/mono_time.h"
#include "common/tcp_path.h"
#include "daemon/config/settings_in_force.h"
#include "daemon/core/closing_brake.h"
#include "daemon/core/feed.h"
#include "daemon/core/monitor.h"
#include "daemon/report/figures.h"
#include "daemon/report/report_context.h"
#include "daemon/report/roster.h"
#include "daemon/report/timeline.h"
#include "daemon/report/wall_clock.h"

namespace heartbeat {

// Why the daemon should be restarted, or sent no clients: words for a line, empty where all is well.
struct Health {
  std::string unhealthy;
  std::string unready;
  std::string impaired{};  // ready all the same: something else than judging clients does not work
};

// How the last restart that an operator asked for goes.
struct RestartAttempt {
  bool under_way = false;
  std::string error{};  // a sentence: why there was none
};

class OperatorDesk {
 public:
  OperatorDesk() = default;
  virtual ~OperatorDesk() = default;
  OperatorDesk(const OperatorDesk&) = delete;
  OperatorDesk& operator=(const OperatorDesk&) = delete;
  OperatorDesk(OperatorDesk&&) = delete;
  OperatorDesk& operator=(OperatorDesk&&) = delete;

  // --- to see; what is returned by reference lives as long as the daemon ---
  [[nodiscard]] virtual const Boot& boot() const = 0;
  [[nodiscard]] virtual const Monitor& monitor() const = 0;
  [[nodiscard]] virtual const Feed& feed() const = 0;
  [[nodiscard]] virtual const WallClock& clock() const = 0;
  [[nodiscard]] virtual const Timeline& timeline() const = 0;
  [[nodiscard]] virtual MonoTime now() const = 0;  // on the listening clock
  [[nodiscard]] virtual Figures figures() const = 0;
  [[nodiscard]] virtual Health health() const = 0;
  [[nodiscard]] virtual std::vector<SettingInForce> settings() const = 0;
  // What the kernel knows of a connected client's path; nothing where it does not say.
  [[nodiscard]] virtual std::optional<TcpPath> path_of(ConnId conn) const = 0;

  // Which of the expected clients are connected; null where there is no roster.
  [[nodiscard]] virtual const Attendance* attendance() const = 0;

  // Whether clients that are due are being judged, or an order that concerns every client is being carried
  // out: a slice in each turn (daemon/core/monitor.h).  The next such order (reload(), end_brake(), hold(),
  // release()) should wait for the end, or its call takes as long as what is left.
  [[nodiscard]] virtual bool is_judging() const = 0;

  // --- to order ---
  // Closes the client of that name.  Returns whether it was connected.
  virtual bool kick(std::string_view name, std::string_view message) = 0;
  // Of the fleet's other daemons, by a relay: the client of this connection has come to one of them, whose
  // name is in `detail`; or it was in leave at the one that it came from.  Returns whether that was news.
  virtual bool supersede(ConnId conn, std::string_view detail) = 0;
  virtual bool remember_leave(ConnId conn) = 0;
  // Ends the brake on mass closing: see Monitor::end_brake().
  virtual std::optional<std::size_t> end_brake(BrakeEnd how) = 0;
  // Forgets a closed client.  Returns whether one of that name was remembered.
  virtual bool forget(std::string_view name) = 0;
  // Holds clients, and ends that: see Monitor::hold() and Monitor::release().
  virtual bool hold(const Monitor::HoldOrder& order) = 0;
  virtual bool release(std::string_view pattern, std::uint32_t uid) = 0;
  // Has the clients go elsewhere, and ends that: see Monitor::drain() and Monitor::end_drain().
  virtual void drain(const DrainOrder& order) = 0;
  virtual std::optional<std::uint64_t> end_drain(std::uint32_t uid) = 0;
  // Changes the log's level and returns the former one.  The error is a sentence.
  virtual tl::expected<std::string, std::string> set_log_level(const std::string& level) = 0;
  virtual ReloadResult reload() = 0;
  // Begins a restart that keeps the clients connected; joins one that is under way.
  virtual void begin_restart() = 0;
  [[nodiscard]] virtual const RestartAttempt& restart_attempt() const = 0;

  // What every report of clients needs, as of now().
  [[nodiscard]] ReportContext report() const {
    return {.monitor = monitor(), .clock = clock(), .now = now()};
  }
};

}  // namespace heartbeat
