#include "tools/relay/fights.h"

#include <algorithm>

namespace heartbeat::relay {

bool Fights::taken(const Taken& taken, MonoTime now, std::uint64_t wall_ms) {
  if (!followed_.contains(taken.client)) make_room();
  Fight& fight = followed_[taken.client];
  const bool is_new = fight.count == 0 || now - fight.latest > kQuiet;
  if (!is_new && fight.peer == taken.peer) return false;
  if (is_new) fight = {.client = taken.client, .began = now, .began_ms = wall_ms};
  fight.other = taken.other;
  fight.peer = taken.peer;
  fight.latest = now;
  return ++fight.count == kTimes;
}

void Fights::make_room() {
  if (followed_.size() < kFollowedMax) return;
  const auto quietest = std::min_element(
      followed_.begin(), followed_.end(),
      [](const auto& one, const auto& another) { return one.second.latest < another.second.latest; });
  followed_.erase(quietest);
}

std::vector<Fights::Fight> Fights::take_ended(MonoTime now) {
  std::vector<Fight> ended;
  std::erase_if(followed_, [&](const auto& each) {
    const Fight& fight = each.second;
    if (now - fight.latest <= kQuiet) return false;
    if (fight.count >= kTimes) ended.push_back(fight);
    return true;
  });
  return ended;
}

std::vector<Fights::Fight> Fights::lasting() const {
  std::vector<Fight> lasting;
  for (const auto& [client, fight] : followed_) {
    if (fight.count >= kTimes) lasting.push_back(fight);
  }
  return lasting;
}

const Fights::Fight* Fights::find(const std::string& client) const {
  const auto found = followed_.find(client);
  return found == followed_.end() || found->second.count < kTimes ? nullptr : &found->second;
}

}  // namespace heartbeat::relay
