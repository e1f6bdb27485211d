#include "daemon/core/group.h"

#include <algorithm>

namespace heartbeat {
namespace {

bool meets(const std::vector<NamePattern>& patterns, std::string_view name) {
  if (patterns.empty()) return true;
  return !name.empty() && std::any_of(patterns.begin(), patterns.end(),
                                      [&](const NamePattern& pattern) { return pattern.glob.matches(name); });
}

bool meets(const std::vector<Endpoint>& listeners, const Endpoint* listener) {
  if (listeners.empty()) return true;
  return listener != nullptr && std::find(listeners.begin(), listeners.end(), *listener) != listeners.end();
}

GroupNumber number_at(std::size_t place) {
  return static_cast<GroupNumber>(place + 1);
}

}  // namespace

bool Group::matches(const GroupTraits& traits) const {
  return meets(ids, traits.id) && meets(credentials, traits.credential) &&
         meets(listeners, traits.listener) && (!by_name || traits.named == name);
}

const std::vector<Group>& GroupList::all() const {
  static const std::vector<Group> none;
  return groups_ == nullptr ? none : *groups_;
}

GroupNumber GroupList::number_of(std::string_view name) const {
  for (std::size_t place = 0; place < all().size(); ++place) {
    if (all()[place].name == name) return number_at(place);
  }
  return kNoGroup;
}

GroupNumber GroupList::match(const GroupTraits& traits) const {
  for (std::size_t place = 0; place < all().size(); ++place) {
    if (all()[place].matches(traits)) return number_at(place);
  }
  return kNoGroup;
}

}  // namespace heartbeat
