#include "daemon/core/closed_clients.h"

#include <algorithm>
#include <utility>

namespace heartbeat {

ClosedClients::ClosedClients(std::size_t max, const HashKey& key) : key_(key), places_(max) {
  for (auto place = static_cast<std::uint32_t>(max); place-- > 0;) {
    places_[place].later = free_;
    free_ = place;
  }
}

ClosedClients ClosedClients::with_room_for(std::size_t max) const {
  ClosedClients empty{max, key_};
  empty.by_name_.reserve(std::min(max, size()));
  return empty;
}

void ClosedClients::take_from(ClosedClients& former) noexcept {
  while (former.earliest_ != kNobody) {
    ClosedClient closed = former.take(former.earliest_);
    if (former.size() < max()) remember(std::move(closed));
  }
}

void ClosedClients::remember(ClosedClient&& closed) {
  if (places_.empty()) return;
  const std::uint32_t hash = hash_of(closed.name);
  if (const auto known = place_of(closed.name, hash)) static_cast<void>(take(*known));
  if (free_ == kNobody) static_cast<void>(take(earliest_));

  const std::uint32_t place = free_;
  by_name_.insert(hash, place);
  Place& taken = places_[place];
  free_ = std::exchange(taken.later, kNobody);
  taken.earlier = latest_;
  taken.closed = std::move(closed);
  later_than(latest_) = place;
  latest_ = place;
}

std::optional<ClosedClient> ClosedClients::take(std::string_view name) {
  const auto place = place_of(name, hash_of(name));
  if (!place) return {};
  return take(*place);
}

std::optional<ClosedClient> ClosedClients::take_earliest() {
  if (earliest_ == kNobody) return {};
  return take(earliest_);
}

const ClosedClient* ClosedClients::find(std::string_view name) const {
  const auto place = place_of(name, hash_of(name));
  return place ? &places_[*place].closed : nullptr;
}

const ClosedClient* ClosedClients::at(std::size_t place) const {
  const bool is_free = place >= places_.size() || places_[place].closed.name.empty();
  return is_free ? nullptr : &places_[place].closed;
}

ClosedClient ClosedClients::take(std::uint32_t place) {
  Place& taken = places_[place];
  by_name_.erase(hash_of(taken.closed.name), place);
  later_than(taken.earlier) = taken.later;
  earlier_than(taken.later) = taken.earlier;
  taken.later = std::exchange(free_, place);
  return std::exchange(taken.closed, {});
}

std::uint32_t ClosedClients::hash_of(std::string_view name) const {
  return static_cast<std::uint32_t>(keyed_hash(key_, name));
}

std::optional<std::uint32_t> ClosedClients::place_of(std::string_view name, std::uint32_t hash) const {
  return by_name_.find(hash, [&](std::uint32_t place) { return places_[place].closed.name == name; });
}

// The link from the client at `place` to the next one; the link from no place leads to the earliest.
std::uint32_t& ClosedClients::later_than(std::uint32_t place) {
  return place == kNobody ? earliest_ : places_[place].later;
}

std::uint32_t& ClosedClients::earlier_than(std::uint32_t place) {
  return place == kNobody ? latest_ : places_[place].earlier;
}

}  // namespace heartbeat
