// What a client declares of itself beside its status: its interval, and a silence to come.
#include <algorithm>

#include "daemon/core/monitor.h"

namespace heartbeat {

// At a heartbeat of a client that announced to be silent for longer.
void Monitor::end_quiet(Client& client, MonoTime now) const {
  client.liveness.end_quiet(rule_of(client), now);
  if (client.terms != nullptr) client.terms->quiet_until = now;
}

// Whether the heartbeat asks for something else than the client has.
bool Monitor::asks_for_terms(const Client& client, const Heartbeat& heartbeat) {
  if (!heartbeat.interval_ms) return heartbeat.quiet_ms.has_value();
  const Millis interval = client.terms == nullptr ? Millis{0} : client.terms->interval;
  return heartbeat.quiet_ms || Millis{*heartbeat.interval_ms} != interval;
}

// Returns how much of the announced silence is granted.  A client in leave needs none: it is not judged
// silent.
Millis Monitor::be_quiet(Client& client, const Heartbeat& heartbeat, MonoTime now) const {
  const Millis granted = std::min(Millis{*heartbeat.quiet_ms}, bounds_of(client).quiet_max);
  if (granted == Millis{0} || client.liveness.status() != Status::Alive) return Millis{0};
  terms_of(client).quiet_until = now + granted;
  client.liveness.be_quiet(rule_of(client), now + granted);
  return granted;
}

}  // namespace heartbeat
