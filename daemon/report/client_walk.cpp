#include "daemon/report/client_walk.h"

#include "daemon/report/standing.h"

namespace heartbeat {

bool ClientFilter::matches(const Client& client, const ReportContext& context) const {
  if (group) {
    const std::string_view own = context.monitor.group_name_of(client);
    if (*group != (own.empty() ? kDefaultGroup : own)) return false;
  }
  // A client with an id is found by its address as well: an operator may know only that.
  if (match && !match->matches(name_of(client)) &&
      (client.id.empty() || !match->matches(to_string(client.peer)))) {
    return false;
  }
  return !status || (*status == Status::Leave) == standing_of(client, context).in_leave();
}

const Client* ClientWalk::next(const ReportContext& context, Steps& steps) {
  while (!at_end() && steps.left()) {
    const Client* const client = monitor_.clients().at(slot_++);
    steps.spend(1);
    if (client == nullptr || client->connected_at > started_) continue;
    if (filter_.matches(*client, context)) return client;
  }
  return nullptr;
}

}  // namespace heartbeat
