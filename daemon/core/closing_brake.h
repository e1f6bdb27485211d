// The brake on mass closing: where most of the fleet would be closed for silence at one time, the cause is
// more likely here or in the network than in the clients, so closing pauses for a limited time.
//
// It counts the leaves that will end in a close for silence if nothing more is heard, each with its end: how
// long a leave lasts is the rule of the client's group.  When the first of these ends, at e, it counts those
// that end in [e, e + window): where they are at least `clients_min`, and more than `share` of all clients
// connected, the brake takes hold, for `pause`.  A leave that would end in [e, e + pause) then lasts until e
// + pause.  Nothing else waits: clients return, leave and end as ever.
//
// Never endless: the leaves that had begun when a brake ended are neither counted nor held by a later one. So
// the next brake takes hold a whole leave after the end of the one before at the earliest, and no leave is
// held twice.
//
// Knows no client: the caller reports when such a leave begins (add) or ends otherwise (remove), and asks in
// the order of time.  Each costs a search in an ordered map of the instants; a count costs what has come into
// the window since the one before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "common/limits.h"
#include "common/mono_time.h"
#include "daemon/core/rule.h"

namespace heartbeat {

// How a brake ended.
enum class BrakeEnd : std::uint8_t {
  RanOut,     // the pause was over: closing went ahead
  Confirmed,  // by an operator: the clients must be closed
  Released,   // an operator: the cause was here, and they get a new leave period
  TurnedOff,  // the settings have no brake any more
};
[[nodiscard]] std::string_view to_string(BrakeEnd end);

// One time that the brake held.
struct BrakeSpan {
  MonoTime from;                  // the first leave that was held would have ended here
  MonoTime until;                 // its end; while it holds, that of the pause
  std::size_t concerned;          // clients that would have been closed in the window, when it took hold
  std::size_t connected;          // clients that were connected then
  std::optional<BrakeEnd> end{};  // none: it holds
};

// A leave that ends in a close for silence if nothing more is heard.  In the order of the ends.
struct SilentLeave {
  MonoTime ends;
  MonoTime began;

  friend bool operator==(const SilentLeave&, const SilentLeave&) = default;
  friend bool operator<(const SilentLeave& a, const SilentLeave& b) {
    return a.ends != b.ends ? a.ends < b.ends : a.began < b.began;
  }
};

// What must survive a restart of the daemon; the rest of a brake is made anew by adding each leave.
struct BrakeState {
  MonoTime counted_from{};  // leaves that began before are not counted: they had their brake
  MonoTime passed{};        // nor are leaves that end before: the brake has let them pass

  // The span of the last brake, for the clients that are judged after its end.
  MonoTime held_from = MonoTime::never();
  MonoTime held_until = MonoTime::never();
  MonoTime counted_from_at_hold{};

  std::deque<BrakeSpan> spans{};  // the latest times that it held, the oldest first
  std::uint64_t times_held = 0;
};

class ClosingBrake {
 public:
  struct Settings {
    unsigned share_percent = limits::kBrakeShareDefault;  // 0: there is no brake
    std::size_t clients_min = limits::kBrakeClientsDefault;
    Millis window = limits::kBrakeWindowDefault;
    Millis pause = limits::kBrakePauseMax;

    friend bool operator==(const Settings&, const Settings&) = default;
  };

  ClosingBrake(const Settings& settings, const Rule& rule, BrakeState state = {}) : state_(std::move(state)) {
    configure(settings, rule);
  }
  [[nodiscard]] const BrakeState& state() const { return state_; }

  // The settings from now on.  The leaves stay counted.  A brake that holds goes on until its pause is over,
  // which may now be sooner, but not before `now`.
  void change_settings(const Settings& settings, const Rule& rule, MonoTime now);

  // This leave will end in a close for silence if nothing more is heard; and: it will not, or has.  A leave
  // that began before the end of an earlier brake is not counted.
  void add(const SilentLeave& leave);
  void remove(const SilentLeave& leave);

  // When advance() must be called next, before any client that is due then is judged; never() where there is
  // nothing to decide.
  [[nodiscard]] MonoTime next() const {
    if (holds()) return state_.held_until;
    if (!is_on() || leaves_.empty()) return MonoTime::never();
    return leaves_.begin()->first.ends;
  }

  // What next() announced, at its instant; `connected` are the clients at that moment.  Whether the brake has
  // taken hold, or let go.
  bool advance(std::size_t connected);

  // Lets go at once.  Only while it holds.
  void end(BrakeEnd how, MonoTime now);

  [[nodiscard]] bool is_on() const { return settings_.share_percent > 0; }
  [[nodiscard]] bool holds() const { return !state_.spans.empty() && !state_.spans.back().end; }

  // Whether a leave that ends in a close for silence is one that the brake holds, or held last.  Then
  // end_of() is another instant than the end by the rule.
  [[nodiscard]] bool delays(const SilentLeave& leave) const {
    return leave.ends >= state_.held_from && leave.ends < state_.held_until &&
           leave.began >= state_.counted_from_at_hold;
  }
  // When such a leave ends in a close.
  [[nodiscard]] MonoTime end_of(const SilentLeave& leave) const {
    return delays(leave) ? state_.held_until : leave.ends;
  }

  // The clients that wait for the end of the brake at `now`.
  [[nodiscard]] std::size_t waiting(MonoTime now) const;

  // Whether a leave is one of the leaves that made the brake take hold.  Only until the next call that
  // changes anything.
  [[nodiscard]] bool concerns(const SilentLeave& leave) const {
    return leave.began >= state_.counted_from && leave.ends >= state_.passed &&
           leave.ends < state_.held_from + window_;
  }

  // The latest times that it held, the oldest first: at most limits::kBrakesMax.
  [[nodiscard]] const std::deque<BrakeSpan>& spans() const { return state_.spans; }
  [[nodiscard]] std::uint64_t times_held() const { return state_.times_held; }

  // Those in force: the window is never shorter than two ticks, and neither is longer than a leave.
  [[nodiscard]] Millis window() const { return window_; }
  [[nodiscard]] Millis pause() const { return pause_; }

 private:
  void configure(const Settings& settings, const Rule& rule);
  [[nodiscard]] std::size_t count_below(MonoTime border);
  void pass_first();
  void take_hold(MonoTime at, std::size_t concerned, std::size_t connected);

  Settings settings_;
  Millis window_{0};
  Millis pause_{0};

  std::map<SilentLeave, std::uint32_t> leaves_;  // each with how many clients have it
  MonoTime border_;                              // below it,
  std::size_t below_ = 0;                        // that many leaves end
  BrakeState state_;
};

}  // namespace heartbeat
