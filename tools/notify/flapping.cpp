#include "tools/notify/flapping.h"

#include "common/duration.h"
#include "common/json_writer.h"
#include "tools/notify/change.h"

namespace heartbeat::notify {

Flapping::Verdict Flapping::judge(const EventFacts& facts, const JournalCursor& cursor, WallTime at) {
  const bool is_change =
      change_of(facts) != Change::None || (facts.event == "close" && !facts.client.empty());
  if (most_ == 0 || !is_change) return Verdict::Tell;
  if (const auto found = flapping_.find(facts.client); found != flapping_.end()) {
    Client& client = found->second;
    ++client.changes;
    client.last = facts.event;
    client.last_at = at;
    client.cursor = cursor;
    return Verdict::Silent;
  }
  if (recent_.size() >= kClientsMax && !recent_.contains(facts.client)) {
    std::erase_if(recent_, [&](const auto& each) { return each.second.back() <= at - kWindow; });
    if (recent_.size() >= kClientsMax) return Verdict::Tell;
  }
  std::deque<WallTime>& times = recent_[facts.client];
  while (!times.empty() && times.front() <= at - kWindow) times.pop_front();
  times.push_back(at);
  if (times.size() <= most_) return Verdict::Tell;
  flapping_[facts.client] = {facts.client, times.size(), facts.event, at, cursor};
  recent_.erase(facts.client);
  return Verdict::Begins;
}

const Flapping::Client* Flapping::calm(WallTime now) const {
  for (const auto& [name, client] : flapping_) {
    if (client.last_at + kWindow <= now) return &client;
  }
  return nullptr;
}

const Flapping::Client* Flapping::find(const std::string& name) const {
  const auto found = flapping_.find(name);
  return found == flapping_.end() ? nullptr : &found->second;
}

std::vector<Flapping::Client> Flapping::clients() const {
  std::vector<Client> all;
  all.reserve(flapping_.size());
  for (const auto& [name, client] : flapping_) all.push_back(client);
  return all;
}

void Flapping::load(const std::vector<Client>& clients) {
  for (const Client& client : clients) flapping_[client.name] = client;
}

namespace {

std::string notice(const Flapping::Client& client, std::string_view type, const std::string& text) {
  std::string object;
  JsonWriter json{object};
  json.begin_object();
  json.add("type", type);
  json.add("client", client.name);
  json.add("changes", client.changes);
  json.add("last", client.last);
  json.add("at", format_instant(client.last_at));
  json.add("text", text);
  json.end_object();
  return object;
}

}  // namespace

std::string flapping_object(const Flapping::Client& client) {
  return notice(client, "flapping",
                client.name + " changed " + std::to_string(client.changes) + " times in " +
                    format_duration(Flapping::kWindow) + ": its events are left out until it is calm");
}

std::string calm_object(const Flapping::Client& client) {
  return notice(client, "calm",
                client.name + " is calm after " + std::to_string(client.changes) + " changes, the last one " +
                    client.last);
}

}  // namespace heartbeat::notify
