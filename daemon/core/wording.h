// How the core puts what happened into events and histories.  Decides nothing.
#pragma once

#include <chrono>
#include <string>

#include "common/mono_time.h"
#include "daemon/core/bounds.h"
#include "daemon/core/client.h"
#include "daemon/core/connection_id.h"
#include "daemon/core/event.h"
#include "daemon/core/history.h"
#include "daemon/core/liveness.h"
#include "daemon/core/rule.h"
#include "daemon/core/time_limit.h"

namespace heartbeat {

// An event of this client, with its standing at this moment.
[[nodiscard]] Event event_of(Event::Kind kind, ConnId conn, const Client& client, MonoTime at);

// The event of a change that the passing of time made: with the numbers before the change reset them.
[[nodiscard]] Event event_of(const Change& change, ConnId conn, const Client& client);

// The end of a client for `reason`, begun by the party that begins such a close.
[[nodiscard]] Event closing_of(ConnId conn, const Client& client, Reason reason, MonoTime at);

// The sentence for a timeout that has run out.
[[nodiscard]] std::string describe(const TimeLimit& limit, const Bounds& bounds, const Rule& rule);

// Whether two gaps are those of a steady beat: within a tenth of each other.
[[nodiscard]] inline bool are_alike(Millis gap, Millis other) {
  return std::chrono::abs(gap - other) * 10 <= other;
}

// Of a client that beats steadily: `every 10.0 s, which is ten ticks`.
[[nodiscard]] std::string describe_spacing(Millis spacing, Millis tick);

// Adds to the client's history, which begins with its connection at the first moment worth keeping.
void note(Client& client, const Moment& moment);

// To be called before a heartbeat is counted: notes the whole ticks that went by without one, if any.
// `first`: it is the first heartbeat of its connection.
void note_gap(Client& client, const Rule& rule, bool first, MonoTime now);

}  // namespace heartbeat
