// A daemon without sockets or clocks for the tests of the control socket: a monitor whose time the test sets,
// its feed, and somebody who asks.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <rapidjson/document.h>

#include "daemon/control/commands.h"
#include "daemon/core/effects.h"
#include "daemon/core/feed.h"
#include "daemon/core/monitor.h"

namespace heartbeat::test {

// 09:00:00 UTC of a day, and the same moment on the listening clock.
inline constexpr WallTime kMorning =
    std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + std::chrono::hours{9};
inline constexpr MonoTime kStart{Millis{1'000'000}};

// The frames of an answer.
std::vector<std::string> bodies_of(std::string_view frames);
rapidjson::Document parsed(std::string_view body);
// A member's text or its JSON; empty where there is none.
std::string member(std::string_view body, const char* name);

class Desk {
 public:
  explicit Desk(const Settings& settings = {});

  // --- the daemon ---
  MonoTime now = kStart;
  ConnId connect();
  void beat(ConnId conn, std::string_view id = {}, std::string_view status = "alive");
  ConnId join(std::string_view id);  // connects and beats
  void leave(ConnId conn) { disconnect(conn, Reason::PeerClosed); }
  void disconnect(ConnId conn, Reason reason);
  void pass(Millis time);  // judges everybody at its end
  void stall(Millis length);
  bool kick(std::string_view name, std::string_view message);
  std::optional<std::size_t> end_brake(BrakeEnd how);

  // --- who asks ---
  [[nodiscard]] std::unique_ptr<Answer> ask(std::string_view request);
  // All frames of an answer that ends, made in turns of the loop; each turn may do so many steps.
  std::vector<std::string> answer(std::string_view request,
                                  unsigned steps_per_turn = limits::kControlStepsPerTurn);
  // The next slice, and whether the answer is done.
  struct Slice {
    std::vector<std::string> bodies;
    Answer::State state;
    unsigned steps;
    std::size_t bytes;
  };
  static Slice next_slice(Answer& answer, unsigned steps = limits::kControlStepsPerTurn);

  [[nodiscard]] ReportContext report() const { return context_.report(); }
  [[nodiscard]] const Client& client(std::string_view name) const;
  [[nodiscard]] const Monitor& monitor() const { return monitor_; }
  [[nodiscard]] const Feed& feed() const { return feed_; }
  [[nodiscard]] const WallClock& clock() const { return clock_; }
  [[nodiscard]] ControlContext& context() { return context_; }
  [[nodiscard]] const Boot& boot() const { return boot_; }

 private:
  void settle();

  Monitor monitor_;
  Effects effects_;
  Feed feed_;
  WallClock clock_{kMorning, kStart};
  Millis stalled_{0};
  Boot boot_{.id = "00112233445566778899aabbccddeeff", .pid = 4711, .started = kMorning};
  std::uint32_t peers_ = 0;
  ControlContext context_;
};

}  // namespace heartbeat::test
