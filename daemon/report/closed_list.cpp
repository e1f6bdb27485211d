#include "daemon/report/closed_list.h"

#include <iterator>

namespace heartbeat {

bool ClosedFilter::matches(const ClosedClient& client, MonoTime now) const {
  if (within && now - client.closed_at > *within) return false;
  if (reason && client.reason != *reason) return false;
  if (group && *group != (client.group.empty() ? kDefaultGroup : client.group.view())) return false;
  return !match || match->matches(client.name) || match->matches(to_string(client.peer));
}

const ClosedClient* ClosedList::next(MonoTime now, Steps& steps) {
  for (; steps.left() && !all_seen(); ++at_) {
    look_at(at_, now);
    steps.spend(1);
  }
  while (steps.left() && all_seen() && !best_.empty()) {
    const Place first = *best_.begin();
    best_.erase(best_.begin());
    steps.spend(limits::kStepsPerObject);
    const ClosedClient* const client = clients().at(first.place);
    const bool is_same = client != nullptr && client->closed_at.since_origin().count() == first.closed_at;
    if (!is_same || !request_.filter.matches(*client, now)) continue;
    ++count_;
    return client;
  }
  return nullptr;
}

void ClosedList::look_at(std::size_t place, MonoTime now) {
  const ClosedClient* const client = clients().at(place);
  if (client == nullptr || !request_.filter.matches(*client, now)) return;
  ++matching_;
  best_.insert({.closed_at = client->closed_at.since_origin().count(), .place = place});
  if (best_.size() > request_.limit) best_.erase(std::prev(best_.end()));
}

}  // namespace heartbeat
