// A daemon without sockets or clocks for the tests of reports, the control socket and HTTP: a monitor whose
// time the test sets, its feed, the desk that operators see, and an operator with a request.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rapidjson/document.h>

#include "daemon/control/commands.h"
#include "daemon/core/effects.h"
#include "daemon/core/feed.h"
#include "daemon/core/monitor.h"
#include "daemon/report/operator_desk.h"

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
  explicit Desk(const Settings& in_force = {});
  Desk(const Desk&) = delete;  // the desk of operators refers to it
  Desk& operator=(const Desk&) = delete;
  Desk(Desk&&) = delete;
  Desk& operator=(Desk&&) = delete;
  ~Desk() = default;

  // --- the daemon ---
  MonoTime now = kStart;
  std::optional<TcpPath> path{};  // of each client
  ConnId connect();
  void beat(ConnId conn, std::string_view id = {}, std::string_view status = "alive",
            std::string_view note = {});
  void send(ConnId conn, std::string_view bytes);
  ConnId join(std::string_view id);  // connects and beats
  void leave(ConnId conn) { disconnect(conn, Reason::PeerClosed); }
  void disconnect(ConnId conn, Reason reason);
  void pass(Millis time);  // judges every client at its end
  void stall(Millis length);
  bool kick(std::string_view name, std::string_view message);
  bool supersede(ConnId conn, std::string_view detail);
  bool remember_leave(ConnId conn);
  std::optional<std::size_t> end_brake(BrakeEnd how);
  bool hold(const Monitor::HoldOrder& order);
  bool release(std::string_view pattern, std::uint32_t uid);
  void drain(const DrainOrder& order);
  std::optional<std::uint64_t> end_drain(std::uint32_t uid);

  // --- what the desk shows besides the monitor and its feed, and what a reload answers ---
  Tally tally;
  Timeline timeline;
  Reloads reloads;
  Rate heartbeats;
  Histogram loop_lateness;
  AcceptFigures accepting{
      .paused = false, .pauses = 0, .length = Millis{0}, .waiting = 0, .displaced = 0, .rate = 10'000};
  ShortageFigures shortages;
  ControlFigures control;
  PauseFigures pauses{.longest = Millis{50}, .count = 3, .length = Millis{120}};
  ProcessUsage usage{
      .memory_bytes = 5'000'000, .processor_seconds = 1.5, .descriptors_used = 17, .descriptors_limit = 1024};
  JournalFigures journal{};
  std::optional<HttpFigures> http;
  std::map<std::string, WallTime> certificates;
  std::vector<Endpoint> listening{Endpoint{.address = {127, 0, 0, 1}, .port = 14000}};
  Health health;
  std::vector<SettingInForce> settings;
  ReloadResult next_reload;
  bool is_judging = false;
  std::optional<Attendance> roster;
  RestartAttempt restart_attempt;
  unsigned restarts_begun = 0;

  // --- an operator ---
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

  [[nodiscard]] const OperatorDesk& operators() const { return operators_; }
  [[nodiscard]] Figures figures() const { return operators_.figures(); }
  [[nodiscard]] ReportContext report() const { return operators_.report(); }
  [[nodiscard]] const Client& client(std::string_view name) const;
  [[nodiscard]] const Monitor& monitor() const { return monitor_; }
  [[nodiscard]] const Feed& feed() const { return feed_; }
  [[nodiscard]] const WallClock& clock() const { return clock_; }
  [[nodiscard]] const Boot& boot() const { return boot_; }

 private:
  // What the daemon shows to operators.  Levels of the log are `info` and `warn`, and nothing else.
  class Operators final : public OperatorDesk {
   public:
    explicit Operators(Desk& desk) : desk_(desk) {}

    [[nodiscard]] const Boot& boot() const override { return desk_.boot_; }
    [[nodiscard]] const Monitor& monitor() const override { return desk_.monitor_; }
    [[nodiscard]] std::optional<TcpPath> path_of(ConnId) const override { return desk_.path; }
    [[nodiscard]] const Feed& feed() const override { return desk_.feed_; }
    [[nodiscard]] const WallClock& clock() const override { return desk_.clock_; }
    [[nodiscard]] const Timeline& timeline() const override { return desk_.timeline; }
    [[nodiscard]] MonoTime now() const override { return desk_.now; }
    [[nodiscard]] Figures figures() const override;
    [[nodiscard]] Health health() const override { return desk_.health; }
    [[nodiscard]] std::vector<SettingInForce> settings() const override { return desk_.settings; }
    bool kick(std::string_view name, std::string_view message) override { return desk_.kick(name, message); }
    bool supersede(ConnId conn, std::string_view detail) override { return desk_.supersede(conn, detail); }
    bool remember_leave(ConnId conn) override { return desk_.remember_leave(conn); }
    std::optional<std::size_t> end_brake(BrakeEnd how) override { return desk_.end_brake(how); }
    [[nodiscard]] const Attendance* attendance() const override {
      return desk_.roster ? &*desk_.roster : nullptr;
    }
    bool forget(std::string_view name) override { return desk_.monitor_.forget(name); }
    bool hold(const Monitor::HoldOrder& order) override { return desk_.hold(order); }
    bool release(std::string_view pattern, std::uint32_t uid) override { return desk_.release(pattern, uid); }
    void drain(const DrainOrder& order) override { desk_.drain(order); }
    std::optional<std::uint64_t> end_drain(std::uint32_t uid) override { return desk_.end_drain(uid); }
    tl::expected<std::string, std::string> set_log_level(const std::string& level) override;
    [[nodiscard]] bool is_judging() const override { return desk_.is_judging; }
    ReloadResult reload() override { return desk_.next_reload; }
    void begin_restart() override { ++desk_.restarts_begun; }
    [[nodiscard]] const RestartAttempt& restart_attempt() const override { return desk_.restart_attempt; }

   private:
    Desk& desk_;
  };

  void settle();

  Monitor monitor_;
  Effects effects_;
  Feed feed_;
  WallClock clock_{kMorning, kStart};
  Millis stalled_{0};
  Boot boot_{.id = "00112233445566778899aabbccddeeff", .pid = 4711, .started = kMorning};
  std::uint32_t peers_ = 0;
  Operators operators_{*this};
  ControlContext context_{operators_};
};

}  // namespace heartbeat::test
