#include "tools/sim/script.h"

#include <algorithm>

#include "common/cadence.h"

namespace heartbeat::sim {
namespace {

// Heartbeats before a client that has something special in mind does it: enough to be seen alive.
constexpr std::uint32_t kBeatsBefore = 3;

// A dribbled heartbeat takes half an interval, or less: between two bytes there is at most this.
constexpr Millis kByteEvery{20};

constexpr Step kNothing{};

}  // namespace

Step Script::begin(MonoTime connected) {
  anchor_ = connected;
  bytes_ = 0;
  switch (behaviour_) {
    case Behaviour::Glued: return {connected, Act::Glue};
    case Behaviour::Dribble: return {connected, Act::Byte};
    default: return {connected, Act::Beat};
  }
}

Step Script::next(const Pace& pace, std::size_t frame_size, MonoTime now) {
  ++steps_;
  switch (behaviour_) {
    case Behaviour::Steady: return on_time(pace, Act::Beat, now);
    case Behaviour::Flaky: return after_losses(pace, now);
    case Behaviour::Glued: return on_time(pace, Act::Glue, now);
    case Behaviour::Dribble: return next_byte(pace, frame_size, now);
    case Behaviour::Late: return steps_ == kBeatsBefore ? kNothing : on_time(pace, Act::Beat, now);
    case Behaviour::Silent: return kNothing;
    case Behaviour::Declared: return next_until(kBeatsBefore, Act::Declare, pace, now);
    case Behaviour::Goodbye: return next_until(kBeatsBefore, Act::SayGoodbye, pace, now);
    case Behaviour::Illegal: return next_until(kBeatsBefore, Act::Misbehave, pace, now);
    case Behaviour::Takeover:
      return steps_ <= kBeatsBefore + 1 ? next_until(kBeatsBefore, Act::TakeOver, pace, now)
                                        : on_time(pace, Act::Beat, now);
  }
  return kNothing;
}

Step Script::on_time(const Pace& pace, Act act, MonoTime now) const {
  return {next_beat(anchor_, pace.interval, now), act};
}

Step Script::after_losses(const Pace& pace, MonoTime now) {
  Step step = on_time(pace, Act::Beat, now);
  while (percent() < kFlakyLossPercent) step.at += pace.interval;
  return step;
}

// How long the silence takes depends on the daemon: what it could not listen to, in a restart for example, is
// charged to no client.  So the client goes by the notice, and rests for two ticks more.
std::optional<Step> Script::led_to_leave(const Pace& pace, MonoTime now) {
  if (behaviour_ != Behaviour::Late || steps_ != kBeatsBefore) return {};
  anchor_ = now + pace.rule.tick * 2;
  return Step{anchor_, Act::Resume};
}

Step Script::next_byte(const Pace& pace, std::size_t frame_size, MonoTime now) {
  if (++bytes_ < frame_size) {
    const Millis spread = pace.interval / 2 / static_cast<Millis::rep>(frame_size);
    return {now + std::clamp(spread, Millis{1}, kByteEvery), Act::Byte};
  }
  bytes_ = 0;
  return on_time(pace, Act::Byte, now);
}

// A number of heartbeats, one last act, and nothing more.
Step Script::next_until(std::uint32_t beats, Act last, const Pace& pace, MonoTime now) const {
  if (steps_ > beats) return kNothing;
  return on_time(pace, steps_ == beats ? last : Act::Beat, now);
}

// From 0 to 99 (splitmix64: eight bytes of state, and every seed is a good one).
std::uint32_t Script::percent() {
  random_ += 0x9E3779B97F4A7C15U;
  std::uint64_t mixed = random_;
  mixed = (mixed ^ mixed >> 30U) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ mixed >> 27U) * 0x94D049BB133111EBU;
  mixed ^= mixed >> 31U;
  return static_cast<std::uint32_t>(mixed % 100);
}

}  // namespace heartbeat::sim
