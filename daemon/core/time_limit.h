// The timeouts that end a connection beside the liveness rule, and how long a fast one stays unread: pure
// functions of one client and the settings.
#pragma once

#include "common/mono_time.h"
#include "daemon/core/bounds.h"
#include "daemon/core/client.h"
#include "daemon/core/reason.h"
#include "daemon/core/rule.h"

namespace heartbeat {

struct TimeLimit {
  MonoTime at = MonoTime::never();  // never(): nothing but the rule ends the connection
  Reason reason = Reason::NeverSpoke;
};

// Whether either of them runs for the client: a client that is not read cannot finish its frame.
[[nodiscard]] inline bool is_limited(const Client& client) {
  return !has_spoken(client) || (client.decoder.in_frame() && !client.held);
}

// The earlier of hello_timeout and frame_timeout, whichever of them runs for this client at `now`.
// `bounds_since`: when these bounds came into force; they end nothing before.
[[nodiscard]] TimeLimit time_limit(const Client& client, const Bounds& bounds, const Rule& rule,
                                   MonoTime bounds_since, MonoTime now);

// Until when a client that beats too fast is not read.
[[nodiscard]] MonoTime held_until(const Client& client, const Bounds& bounds, const Rule& rule);

}  // namespace heartbeat
