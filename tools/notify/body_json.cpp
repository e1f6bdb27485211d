#include "tools/notify/body_json.h"

#include <algorithm>

#include "common/events/line.h"
#include "common/json_writer.h"
#include "common/text.h"
#include "tools/ctl/json_reply.h"

namespace heartbeat::notify {
namespace {

// A digest of ever so many causes names none of them.
constexpr std::size_t kCausesMax = 1000;

// The network of a peer's address: 24 bits of IPv4, 64 of IPv6 as they are written.
std::string network_of(const std::string& peer) {
  if (peer.starts_with('[')) {
    std::size_t end = 1;
    for (int colons = 0; end < peer.size() && peer[end] != ']'; ++end) {
      if (peer[end] == ':' && ++colons == 4) break;
    }
    return peer.substr(1, end - 1) + "::/64";
  }
  const std::size_t port = peer.rfind(':');
  const std::size_t dot = peer.rfind('.', port);
  return dot == std::string::npos ? std::string{} : peer.substr(0, dot) + ".0/24";
}

}  // namespace

EventFacts facts_of(const std::string& object) {
  const auto reply = ctl::Reply::parse(object);
  if (!reply) return {};
  const ctl::Object event = reply->object();
  const auto text = [&](const char* name) { return std::string{event.text(name)}; };
  return {.event = text("event"),
          .client = text("client"),
          .reason = text("reason"),
          .by = text("by"),
          .peer = text("peer"),
          .at = text("at"),
          .text = text("text"),
          .group = text("group"),
          .on_hold = text("on_hold")};
}

std::string lost_object(std::uint64_t count, const std::string& from, const std::string& to) {
  std::string object;
  JsonWriter json{object};
  json.begin_object();
  json.add("type", "lost");
  if (count > 0) json.add("count", count);
  json.add("from", from);
  json.add("to", to);
  json.end_object();
  return object;
}

std::string cloudevents(const std::vector<Record>& records, std::string_view host) {
  std::string body = "[";
  for (const Record& record : records) {
    const std::string_view type = events::text_in(record.text, "type");
    const EventFacts facts = facts_of(record.text);
    std::string event;
    JsonWriter json{event};
    json.begin_object();
    json.add("specversion", "1.0");
    json.add("id", to_string(record.cursor));
    json.add("source", "/heartbeatd/" + std::string{host});
    json.add("type", "io.heartbeatd." + (type == "event" ? "client." + facts.event : std::string{type}));
    if (!facts.client.empty()) json.add("subject", facts.client);
    if (!facts.at.empty()) json.add("time", facts.at);
    json.add("datacontenttype", "application/json");
    json.end_object();
    event.pop_back();
    if (body.size() > 1) body += ',';
    body.append(event).append(",\"data\":").append(record.text).append("}");
  }
  return body + ']';
}

std::string plain_events(const std::vector<Record>& records) {
  std::string body = R"({"events":[)";
  for (const Record& record : records) {
    if (body.back() != '[') body += ',';
    body += record.text;
  }
  return body + "]}";
}

std::string event_lines(const std::vector<Record>& records) {
  std::string body;
  for (const Record& record : records) body.append(record.text).append("\n");
  return body;
}

std::vector<std::string> environment_of(std::string_view lines) {
  const auto count = static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
  std::vector<std::string> environment{"HEARTBEAT_COUNT=" + std::to_string(count)};
  if (count != 1) return environment;
  const std::string object{lines.substr(0, lines.find('\n'))};
  const EventFacts facts = facts_of(object);
  const std::string event = facts.event.empty() ? std::string{events::text_in(object, "type")} : facts.event;
  for (const auto& [name, value] :
       {std::pair{"EVENT", &event}, std::pair{"CLIENT", &facts.client}, std::pair{"REASON", &facts.reason},
        std::pair{"PEER", &facts.peer}, std::pair{"AT", &facts.at}, std::pair{"TEXT", &facts.text}}) {
    if (!value->empty()) environment.push_back(std::string{"HEARTBEAT_"} + name + '=' + escaped(*value));
  }
  return environment;
}

// --- the digest -------------------------------------------------------------------------------------------

void Digest::count_in(Counts& counts, const std::string& key) {
  if (!key.empty() && (counts.size() < kCausesMax || counts.contains(key))) ++counts[key];
}

void Digest::add(const EventFacts& facts, const JournalCursor& cursor) {
  if (++count_ == 1) {
    from_ = cursor;
    first_at_ = facts.at;
  }
  to_ = cursor;
  last_at_ = facts.at;
  count_in(kinds_, facts.event);
  count_in(reasons_, facts.reason);
  count_in(networks_, network_of(facts.peer));
  const bool is_new = std::find(names_.begin(), names_.end(), facts.client) == names_.end();
  if (!facts.client.empty() && names_.size() < kNamesMax && is_new) names_.push_back(facts.client);
}

// The network and the reason that most of the events share; of few events nothing is said.
std::string Digest::common() const {
  std::string text;
  for (const auto& [counts, words] :
       {std::pair{&networks_, " came from "}, std::pair{&reasons_, " have the reason "}}) {
    const auto most =
        std::max_element(counts->begin(), counts->end(),
                         [](const auto& one, const auto& other) { return one.second < other.second; });
    if (most == counts->end() || most->second < 3 || most->second * 10 < count_ * 9) continue;
    text += "; " + std::to_string(most->second) + " of " + std::to_string(count_) + words + most->first;
  }
  return text;
}

std::string Digest::object() const {
  std::string sentence = std::to_string(count_) + (count_ == 1 ? " event: " : " events: ");
  bool is_first = true;
  for (const auto& [kind, count] : kinds_) {
    sentence += (is_first ? "" : ", ") + std::to_string(count) + ' ' + kind;
    is_first = false;
  }
  sentence += common();
  if (lost_ > 0) sentence += "; " + std::to_string(lost_) + " events are missing";
  std::string object;
  JsonWriter json{object};
  json.begin_object();
  json.add("type", "digest");
  json.add("text", sentence);
  json.add("count", count_);
  if (lost_ > 0) json.add("lost", lost_);
  json.begin_object("events");
  for (const auto& [kind, count] : kinds_) json.add(kind, count);
  json.end_object();
  json.begin_array("clients");
  for (const std::string& name : names_) json.value(name);
  json.end_array();
  json.add("since", first_at_);
  json.add("until", last_at_);
  json.add("from", to_string(from_));
  json.add("to", to_string(to_));
  json.end_object();
  return object;
}

}  // namespace heartbeat::notify
