// Clients that were connected when the daemon last ended: missing until they come back, then absent.
#include <algorithm>
#include <utility>

#include "daemon/core/monitor.h"
#include "daemon/core/wording.h"

namespace heartbeat {

// A client that fell silent at the start would be in leave after cursor times threshold silent ticks: one
// that lives has beaten, and so come back, long before.
void Monitor::expect(std::vector<ClosedClient>&& clients, MonoTime now) {
  const GroupList& groups = state_.settings.groups;
  for (ClosedClient& client : clients) {
    GroupNumber group = groups.number_of(client.group.view());
    if (group == kNoGroup) group = groups.match({.id = client.name.view()});
    const Rule& rule = state_.settings.rule_of(group);
    client.closed_at = now + rule.tick * (std::int64_t{rule.threshold} * rule.cursor);
    client.reason = Reason::Absent;
    client.by = Party::Client;
  }
  std::stable_sort(clients.begin(), clients.end(), [](const ClosedClient& one, const ClosedClient& other) {
    return one.closed_at < other.closed_at;
  });
  ClosedClients missing{clients.size(), state_.key};
  for (ClosedClient& client : clients) missing.remember(std::move(client));
  state_.missing = std::move(missing);
}

// One of them; the room for all goes back with the last.
void Monitor::report_absent(Effects& effects) {
  ClosedClient client = std::move(*state_.missing.take_earliest());
  Event event{.kind = Event::Kind::Absent,
              .from = client.status,
              .to = Status::Close,
              .reason = client.reason,
              .by = client.by,
              .at = client.closed_at,
              .client = client.name,
              .peer = client.peer,
              .silent = client.closed_at - client.last_heard};
  event.extra.edit().detail = "was connected when the daemon last ended, and has not come back since";
  ++state_.counters.absences;
  state_.closed.remember(std::move(client));
  tell(std::move(event), effects);
  if (state_.missing.size() == 0) state_.missing = ClosedClients{0, state_.key};
}

// The client with this id is back: it is as if the daemon's end had closed it.
std::optional<ClosedClient> Monitor::take_missing(std::string_view id) {
  auto client = state_.missing.take(id);
  if (!client) return {};
  client->closed_at = client->last_heard;
  client->reason = Reason::Shutdown;
  client->by = Party::Daemon;
  if (state_.missing.size() == 0) state_.missing = ClosedClients{0, state_.key};
  return client;
}

}  // namespace heartbeat
