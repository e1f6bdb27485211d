// What one simulated client did and received: the evidence that the daemon is judged on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/mono_time.h"
#include "common/status.h"
#include "daemon/core/reason.h"
#include "tools/sim/behaviour.h"

namespace heartbeat::sim {

// Something that happened, and the reason that the daemon gave for it, where it gave one.
struct Seen {
  MonoTime at = MonoTime::never();
  std::optional<Reason> reason{};

  [[nodiscard]] bool happened() const { return at != MonoTime::never(); }
};

struct Record {
  void beat(MonoTime now, std::uint32_t count = 1) {
    if (acks == beats) unanswered_since = now;
    beats += count;
    last_beat_at = now;
  }
  void answered() {
    if (++acks == beats) unanswered_since = MonoTime::never();
  }
  void was_late(Millis by) { late_max = std::max(late_max, by); }
  [[nodiscard]] bool connected() const { return connected_at != MonoTime::never(); }

  // --- what it did ---
  MonoTime connecting_at{};                   // the attempt began
  MonoTime connected_at = MonoTime::never();  // …and succeeded
  MonoTime last_beat_at{};
  MonoTime quiet_since = MonoTime::never();  // of a late client: the last beat before its silence
  MonoTime acted_at = MonoTime::never();     // the one thing that its behaviour has in mind was done
  Millis late_max{0};                        // the longest that a step was done behind its time
  std::uint32_t beats = 0;                   // whole heartbeats
  std::optional<Reason> deserved{};          // of bad input: what it must be closed for

  // --- what it saw ---
  Seen left{};
  Seen returned{};
  Seen closed{};
  Seen superseded{};  // its first connection, when it took over itself
  MonoTime unanswered_since = MonoTime::never();
  std::uint32_t acks = 0;
  std::uint64_t bytes = 0;        // received
  Status status = Status::Alive;  // of the last notice
  const char* fault = nullptr;    // a clause: why it could not connect, or what was wrong with the stream
  bool own_fault = false;         // …which is this machine's, and not the daemon's

  // --- what it is ---
  Behaviour behaviour = Behaviour::Steady;
  std::size_t kind = 0;     // which of the run's kinds of clients
  bool asks = true;         // for notices about its state
  bool remembered = false;  // it began in leave: the daemon knew its id from an earlier run
};

}  // namespace heartbeat::sim
