// What one simulated client does next, and when: its behaviour as a value.  Knows no socket and no clock.
//
// The player does each step at its instant or later, and asks for the next one: there is one step to
// wait for at any time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/message.h"
#include "common/mono_time.h"
#include "tools/sim/behaviour.h"

namespace heartbeat::sim {

// What all clients of a run have in common.
struct Pace {
  Millis interval{0};  // between the heartbeats of each
  Welcome rule{};      // the daemon's, from its welcome

  // Silent ticks in a row that lead to leave, from a clean record.
  [[nodiscard]] std::int64_t ticks_to_leave() const {
    return static_cast<std::int64_t>(rule.threshold) * rule.cursor;
  }
};

// Frames in one write of a glued client.
inline constexpr std::uint32_t kGluedFrames = 3;

// Lost beats of a flaky client, in percent.
inline constexpr std::uint32_t kFlakyLossPercent = 30;

enum class Act : std::uint8_t {
  Beat,
  Glue,        // kGluedFrames heartbeats in one write
  Byte,        // the next byte of a heartbeat
  Resume,      // a heartbeat, the first after a silence that led to leave
  Declare,     // a heartbeat that declares `leave`
  SayGoodbye,  // one that declares `close`
  Misbehave,   // bad input
  TakeOver,    // connect again with the same id: begin() once more when that is connected
};

struct Step {
  MonoTime at = MonoTime::never();  // never(): the client does nothing more
  Act act = Act::Beat;

  friend bool operator==(const Step&, const Step&) = default;
};

class Script {
 public:
  // Two scripts with the same seed do the same.
  Script(Behaviour behaviour, std::uint64_t seed) : random_(seed), behaviour_(behaviour) {}

  // The client is connected: its first step, which must be done at once.
  [[nodiscard]] Step begin(MonoTime connected);

  // The step before was done at `now`: the next one.  `frame_size` is that of the client's heartbeat, in
  // bytes.
  [[nodiscard]] Step next(const Pace& pace, std::size_t frame_size, MonoTime now);

  // The daemon notified the client that it is in leave: the step that a late client has waited for; nothing
  // for any other client.
  [[nodiscard]] std::optional<Step> led_to_leave(const Pace& pace, MonoTime now);

 private:
  [[nodiscard]] Step on_time(const Pace& pace, Act act, MonoTime now) const;
  [[nodiscard]] Step after_losses(const Pace& pace, MonoTime now);
  [[nodiscard]] Step next_byte(const Pace& pace, std::size_t frame_size, MonoTime now);
  [[nodiscard]] Step next_until(std::uint32_t beats, Act last, const Pace& pace, MonoTime now) const;
  [[nodiscard]] std::uint32_t percent();

  MonoTime anchor_;  // the heartbeats stand at whole intervals from here
  std::uint64_t random_;
  std::uint32_t steps_ = 0;  // done so far, on all connections
  std::uint16_t bytes_ = 0;  // of the present heartbeat, sent a byte at a time
  Behaviour behaviour_;
};

}  // namespace heartbeat::sim
