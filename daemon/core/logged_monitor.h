// A monitor whose calls are written to a log (call_log.h) before they are made.
//
// Without a log it is the monitor and one comparison a call.  Calls that are rare and have large arguments
// are not written: they break the log off, and the caller has to save the state and begin another log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/core/call_log.h"
#include "daemon/core/call_replay.h"
#include "daemon/core/monitor.h"

namespace heartbeat {

class LoggedMonitor {
  // In front of the calls, because their return types are deduced.
  // Out of memory a call has done a part; a process that repeats it has the memory.
  auto made(auto&& call) {
    try {
      return call();
    } catch (...) {
      break_off();
      throw;
    }
  }
  auto made(auto&& call, auto&& then) {
    auto result = made(call);
    if (log_ != nullptr) made([&] { then(result); });
    return result;
  }

 public:
  using Kind = LoggedCall::Kind;

  explicit LoggedMonitor(Monitor&& monitor) : monitor_(std::move(monitor)) {}

  // From the next call on; null: no log is written.  It outlives its use here.
  void write_to(CallLog* log) { log_ = log; }
  [[nodiscard]] CallLog* log() const { return log_; }

  [[nodiscard]] const Monitor& get() const { return monitor_; }
  [[nodiscard]] const Monitor* operator->() const { return &monitor_; }

  // See Monitor::use().
  void use(const Credentials* credentials) { monitor_.use(credentials); }

  // See Monitor.  `number`: the caller's own for the connection.
  std::optional<ConnId> open(const Endpoint& peer, MonoTime now, Effects& effects, const Arrival& arrival,
                             std::uint64_t number) {
    return made([&] { return monitor_.open(peer, now, effects, arrival); },
                [&](std::optional<ConnId> conn) {
                  add(Kind::Open, now, conn.value_or(kNoConn), arrival_bytes(peer, arrival, number));
                });
  }
  void receive(ConnId conn, std::string_view bytes, MonoTime now, Effects& effects) {
    add(Kind::Receive, now, conn, bytes);
    made([&] { monitor_.receive(conn, bytes, now, effects); });
  }
  void disconnect(ConnId conn, Reason reason, MonoTime now, Effects& effects, std::string_view detail) {
    add(Kind::Disconnect, now, conn, detail, static_cast<std::uint16_t>(reason));
    made([&] { monitor_.disconnect(conn, reason, now, effects, detail); });
  }
  void abandon(ConnId conn) noexcept {
    add(Kind::Abandon, {}, conn);
    monitor_.abandon(conn);
  }
  [[nodiscard]] bool advance(MonoTime now, Effects& effects) {
    add(Kind::Advance, now);
    return made([&] { return monitor_.advance(now, effects); });
  }
  [[nodiscard]] MonoTime next_change(MonoTime horizon) {
    // Otherwise the call changes nothing.
    if (monitor_.next_deadline() <= horizon) add(Kind::NextChange, horizon);
    return made([&] { return monitor_.next_change(horizon); });
  }
  bool kick(std::string_view name, std::string_view message, MonoTime now, Effects& effects) {
    add_texts(Kind::Kick, now, name, message);
    return made([&] { return monitor_.kick(name, message, now, effects); });
  }
  bool supersede(ConnId conn, std::string_view detail, MonoTime now, Effects& effects) {
    add(Kind::Supersede, now, conn, detail);
    return made([&] { return monitor_.supersede(conn, detail, now, effects); });
  }
  bool remember_leave(ConnId conn, MonoTime now, Effects& effects) {
    add(Kind::RememberLeave, now, conn);
    return made([&] { return monitor_.remember_leave(conn, now, effects); });
  }
  std::optional<std::size_t> end_brake(BrakeEnd how, MonoTime now, Effects& effects) {
    add(Kind::EndBrake, now, {}, {}, static_cast<std::uint16_t>(how));
    return made([&] { return monitor_.end_brake(how, now, effects); });
  }
  bool forget(std::string_view name) {
    add(Kind::Forget, {}, {}, name);
    return made([&] { return monitor_.forget(name); });
  }
  bool hold(const Monitor::HoldOrder& order, MonoTime now, Effects& effects) {
    if (log_ != nullptr) log_->add(Kind::Hold, now, {}, hold_bytes(order));
    return made([&] { return monitor_.hold(order, now, effects); });
  }
  bool release(std::string_view pattern, std::uint32_t uid, MonoTime now, Effects& effects) {
    if (log_ != nullptr) log_->add(Kind::Release, now, {}, release_bytes(pattern, uid));
    return made([&] { return monitor_.release(pattern, uid, now, effects); });
  }
  void drain(const DrainOrder& order, MonoTime now, Effects& effects) {
    if (log_ != nullptr) log_->add(Kind::Drain, now, {}, drain_bytes(order));
    made([&] { monitor_.drain(order, now, effects); });
  }
  std::optional<std::uint64_t> end_drain(std::uint32_t uid, MonoTime now, Effects& effects) {
    if (log_ != nullptr) log_->add(Kind::EndDrain, now, {}, drain_bytes({.uid = uid}));
    return made([&] { return monitor_.end_drain(uid, now, effects); });
  }
  void stalled(Millis length, MonoTime now, Effects& effects) {
    add_length(Kind::Stalled, now, length);
    made([&] { monitor_.stalled(length, now, effects); });
  }
  void suspended(Millis length, MonoTime now, Effects& effects) {
    add_length(Kind::Suspended, now, length);
    made([&] { monitor_.suspended(length, now, effects); });
  }
  void accept_paused(std::string_view detail, MonoTime now, Effects& effects) {
    add(Kind::AcceptPaused, now, {}, detail);
    made([&] { monitor_.accept_paused(detail, now, effects); });
  }
  void accept_still_paused(MonoTime now) noexcept {
    add(Kind::AcceptStillPaused, now);
    monitor_.accept_still_paused(now);
  }
  void review_conditions(MonoTime now, Effects& effects) {
    add(Kind::ReviewConditions, now);
    made([&] { monitor_.review_conditions(now, effects); });
  }
  void reloaded(std::string_view refusal, MonoTime now, Effects& effects) {
    add(Kind::Reloaded, now, {}, refusal);
    made([&] { monitor_.reloaded(refusal, now, effects); });
  }
  void certificate_expires(std::string_view file, std::string_view detail, MonoTime now, Effects& effects) {
    add_texts(Kind::CertificateExpires, now, file, detail);
    made([&] { monitor_.certificate_expires(file, detail, now, effects); });
  }
  void reject_preamble(ConnId conn, BadInput kind, const std::string& what, MonoTime now, Effects& effects) {
    add(Kind::RejectPreamble, now, conn, what, static_cast<std::uint16_t>(kind));
    made([&] { monitor_.reject_preamble(conn, kind, what, now, effects); });
  }

  // The calls that are not written.
  void refuse_for_memory(const Endpoint& peer, MonoTime now, Effects& effects) {
    break_off();
    monitor_.refuse_for_memory(peer, now, effects);
  }
  void restarted(const Monitor::Restart& restart, MonoTime now, Effects& effects) {
    break_off();
    monitor_.restarted(restart, now, effects);
  }
  void expect(std::vector<ClosedClient>&& clients, MonoTime now) {
    break_off();
    monitor_.expect(std::move(clients), now);
  }
  [[nodiscard]] Monitor::NewSettings prepare(const Settings& settings, MonoTime now, Effects& effects) {
    break_off();
    return monitor_.prepare(settings, now, effects);
  }
  void change_settings(Monitor::NewSettings&& prepared, MonoTime now, Effects& effects) noexcept {
    break_off();
    monitor_.change_settings(std::move(prepared), now, effects);
  }
  void report_heartbeats(bool report) {
    break_off();
    monitor_.report_heartbeats(report);
  }
  [[nodiscard]] bool shut_down(MonoTime now, Effects& effects) {
    break_off();
    return monitor_.shut_down(now, effects);
  }

  // What a call is not, and must be known all the same.
  void handles(ConnId conn) {
    if (log_ != nullptr) log_->handles(conn);
  }
  void commit(const ListeningClock::State& clock) {
    if (log_ != nullptr) log_->commit(clock);
  }
  void note_unsent(ConnId conn, bool waits) { add(Kind::Unsent, {}, conn, {}, waits ? 1 : 0); }

 private:
  void add(Kind kind, MonoTime now, ConnId conn = {}, std::string_view bytes = {}, std::uint16_t small = 0) {
    if (log_ != nullptr) log_->add(kind, now, conn, bytes, small);
  }
  void add_length(Kind kind, MonoTime now, Millis length) {
    if (log_ != nullptr) log_->add(kind, now, {}, length_bytes(length));
  }
  void add_texts(Kind kind, MonoTime now, std::string_view first, std::string_view second) {
    if (log_ != nullptr) log_->add(kind, now, {}, text_bytes(first, second));
  }
  void break_off() noexcept {
    if (log_ != nullptr) log_->break_off();
  }

  Monitor monitor_;
  CallLog* log_ = nullptr;
};

}  // namespace heartbeat
