#include "tools/notify/alerts_json.h"

#include "common/events/line.h"
#include "common/json_writer.h"
#include "tools/ctl/json_reply.h"

namespace heartbeat::notify {
namespace {

// Ten times as long as the pause between two sendings: an alert outlives some that fail, and ends where its
// notifier is gone for good.
constexpr Millis kAlertLasts{10LL * 60 * 1000};

void begin_element(std::string& body) {
  body += body.empty() ? '[' : ',';
}

}  // namespace

std::string AlertBook::apply(const std::vector<Record>& records, WallTime now) {
  std::map<std::string, std::string> changed;  // each client's last alert
  std::string lost;
  for (const Record& record : records) {
    if (events::text_in(record.text, "type") == "lost") {
      begin_element(lost);
      std::string object;
      JsonWriter json{object};
      json.begin_object();
      json.begin_object("labels");
      json.add("alertname", "HeartbeatEventsLost");
      for (const auto& [name, value] : labels_) json.add(name, value);
      json.end_object();
      json.begin_object("annotations");
      json.add("summary", "events of heartbeatd are missing before " + to_string(record.cursor));
      json.end_object();
      json.add("endsAt", format_instant(now + kAlertLasts));
      json.end_object();
      lost += object;
      continue;
    }
    const EventFacts facts = facts_of(record.text);
    if (facts.client.empty()) continue;
    const bool is_lost =
        facts.event == "leave" || facts.event == "absent" || (facts.event == "close" && facts.by == "daemon");
    const bool is_back = facts.event == "return" || facts.event == "joined" || facts.event == "close";
    const auto found = firing_.find(facts.client);
    if (is_lost && (found != firing_.end() || firing_.size() < kFiringMax)) {
      Alert& alert = firing_[facts.client];
      if (alert.since.empty()) alert.since = facts.at;
      alert.event = facts.event;
      alert.reason = facts.reason;
      alert.peer = facts.peer;
      std::string& element = changed[facts.client] = {};
      add_alert(element, facts.client, alert, format_instant(now + kAlertLasts));
    } else if (!is_lost && is_back && found != firing_.end()) {
      std::string& element = changed[facts.client] = {};
      add_alert(element, facts.client, found->second, facts.at);
      firing_.erase(found);
    }
  }
  std::string body = lost;
  for (const auto& [client, element] : changed) {
    begin_element(body);
    body += element;
  }
  return body.empty() ? body : body + ']';
}

std::string AlertBook::firing(WallTime now) const {
  std::string body;
  for (const auto& [client, alert] : firing_) {
    begin_element(body);
    add_alert(body, client, alert, format_instant(now + kAlertLasts));
  }
  return body.empty() ? body : body + ']';
}

void AlertBook::add_alert(std::string& body, const std::string& client, const Alert& alert,
                          std::string_view ends_at) const {
  std::string object;
  JsonWriter json{object};
  json.begin_object();
  json.begin_object("labels");
  json.add("alertname", "HeartbeatClientLost");
  json.add("client", client);
  for (const auto& [name, value] : labels_) json.add(name, value);
  json.end_object();
  json.begin_object("annotations");
  json.add("summary", "no heartbeat of " + client);
  json.add("event", alert.event);
  json.add("reason", alert.reason);
  json.add("peer", alert.peer);
  json.end_object();
  json.add("startsAt", alert.since);
  json.add("endsAt", ends_at);
  json.end_object();
  body += object;
}

std::string AlertBook::save() const {
  std::string object;
  JsonWriter json{object};
  json.begin_object();
  json.add("type", "alerts");
  json.begin_array("firing");
  for (const auto& [client, alert] : firing_) {
    json.begin_object();
    json.add("client", client);
    json.add("since", alert.since);
    json.add("event", alert.event);
    json.add("reason", alert.reason);
    json.add("peer", alert.peer);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return object;
}

void AlertBook::load(const std::string& object) {
  const auto reply = ctl::Reply::parse(object);
  if (!reply) return;
  for (const ctl::Object& each : reply->object().objects("firing")) {
    const auto text = [&](const char* name) { return std::string{each.text(name)}; };
    firing_[text("client")] = {text("since"), text("event"), text("reason"), text("peer")};
  }
}

}  // namespace heartbeat::notify
