#include "tools/notify/lasting.h"

#include <algorithm>
#include <utility>

#include "tools/ctl/time_text.h"
#include "tools/notify/change.h"

namespace heartbeat::notify {

void Lasting::add(Entry entry, WallTime now) {
  const auto at = ctl::parse_instant(entry.facts.at);
  entry.at = at ? std::min(now, WallTime{*at}) : now;
  waiting_.push_back(std::move(entry));
  if (after_ > Millis{0}) pair(waiting_.back());
}

void Lasting::pair(Entry& entry) {
  const Change change = change_of(entry.facts);
  if (change == Change::None) return;
  std::vector<Entry*>& losses = losses_[entry.facts.client];
  if (change == Change::Lost || change == Change::Worse) return losses.push_back(&entry);
  bool is_forgiven = owed_.erase(entry.facts.client) > 0;
  for (Entry* const loss : losses) {
    if (loss->at + after_ <= entry.at) continue;
    loss->did_not_last = true;
    is_forgiven = is_forgiven || change_of(loss->facts) == Change::Lost;
  }
  losses_.erase(entry.facts.client);
  entry.did_not_last = is_forgiven && change == Change::Back;
}

std::optional<Lasting::Entry> Lasting::next(WallTime now) {
  const auto instant = due();
  if (!instant || *instant > now) return {};
  Entry& first = waiting_.front();
  const Change change = change_of(first.facts);
  const std::string& client = first.facts.client;
  if (const auto losses = losses_.find(client); losses != losses_.end()) {
    std::erase(losses->second, &first);
    if (losses->second.empty()) losses_.erase(losses);
  }
  if (change == Change::Lost && first.did_not_last) open_.insert(client);
  if (change == Change::Back || change == Change::Settled) open_.erase(client);
  Entry entry = std::move(first);
  waiting_.pop_front();
  return entry;
}

std::optional<WallTime> Lasting::due() const {
  if (waiting_.empty()) return {};
  const Entry& first = waiting_.front();
  return first.is_missing ? first.at : first.at + after_;
}

std::vector<std::string> Lasting::forgiven() const {
  std::set<std::string> all = owed_;
  all.insert(open_.begin(), open_.end());
  return {all.begin(), all.end()};
}

}  // namespace heartbeat::notify
