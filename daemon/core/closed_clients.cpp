#include "daemon/core/closed_clients.h"

#include <utility>

namespace heartbeat {

void ClosedClients::set_max(std::size_t max) {
  max_ = max;
  while (oldest_first_.size() > max_) forget(oldest_first_.begin());
}

void ClosedClients::remember(ClosedClient closed) {
  if (max_ == 0) return;
  if (const auto known = by_name_.find(closed.name); known != by_name_.end()) forget(known->second);
  if (oldest_first_.size() == max_) forget(oldest_first_.begin());
  const auto place = oldest_first_.insert(oldest_first_.end(), std::move(closed));
  by_name_.emplace(place->name, place);
}

std::optional<ClosedClient> ClosedClients::take(std::string_view name) {
  const auto known = by_name_.find(name);
  if (known == by_name_.end()) return {};
  const Place place = known->second;
  by_name_.erase(known);
  ClosedClient closed = std::move(*place);
  oldest_first_.erase(place);
  return closed;
}

const ClosedClient* ClosedClients::find(std::string_view name) const {
  const auto known = by_name_.find(name);
  return known == by_name_.end() ? nullptr : &*known->second;
}

void ClosedClients::forget(Place place) {
  by_name_.erase(place->name);
  oldest_first_.erase(place);
}

}  // namespace heartbeat
