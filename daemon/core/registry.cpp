#include "daemon/core/registry.h"

#include <cassert>

namespace heartbeat {

void Registry::remove(std::uint32_t slot) {
  unname(slot);
  clients_.erase(slot);
}

void Registry::name(std::uint32_t slot, std::string_view id) {
  assert(clients_.at(slot)->id.empty() && !slot_of(id));
  clients_.at(slot)->id = id;
  by_id_.insert(slot);
}

void Registry::unname(std::uint32_t slot) {
  if (clients_.at(slot)->id.empty()) return;
  by_id_.erase(slot);
  clients_.at(slot)->id.clear();
}

std::optional<std::uint32_t> Registry::slot_of(std::string_view id) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return {};
  return *found;
}

}  // namespace heartbeat
