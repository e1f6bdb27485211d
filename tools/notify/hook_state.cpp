#include "tools/notify/hook_state.h"

#include <algorithm>

#include "common/json_writer.h"
#include "tools/ctl/json_reply.h"

namespace heartbeat::notify {
namespace {

JournalCursor cursor_in(const ctl::Object& object, const char* name) {
  return parse_cursor(object.text(name)).value_or(JournalCursor{});
}

std::uint64_t count_in(const ctl::Object& object, const char* name) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(object.number(name).value_or(0), 0));
}

void add_batch(JsonWriter& json, const SealedBatch& batch) {
  json.begin_object("batch");
  json.add("id", batch.id);
  json.add("first", to_string(batch.first));
  json.add("end", to_string(batch.end));
  json.add("at", batch.at);
  json.add("events", batch.events);
  if (!batch.calm.empty()) json.add("calm", batch.calm);
  json.add("body", batch.body);
  json.end_object();
}

SealedBatch batch_of(const ctl::Object& object) {
  return {.id = std::string{object.text("id")},
          .body = std::string{object.text("body")},
          .first = cursor_in(object, "first"),
          .end = cursor_in(object, "end"),
          .at = std::string{object.text("at")},
          .events = count_in(object, "events"),
          .calm = std::string{object.text("calm")}};
}

void add_names(JsonWriter& json, std::string_view key, const std::vector<std::string>& names) {
  if (names.empty()) return;
  json.begin_array(key);
  for (const std::string& name : names) json.value(name);
  json.end_array();
}

void add_flapping(JsonWriter& json, const std::vector<Flapping::Client>& clients) {
  json.begin_array("flapping");
  for (const Flapping::Client& client : clients) {
    json.begin_object();
    json.add("client", client.name);
    json.add("changes", client.changes);
    json.add("last", client.last);
    json.add("last_at_ms", client.last_at.time_since_epoch().count());
    json.add("cursor", to_string(client.cursor));
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::string to_json(const HookState& state) {
  std::string object;
  JsonWriter json{object};
  json.begin_object();
  json.add("type", "hook");
  if (!state.cursor.boot.empty()) json.add("cursor", to_string(state.cursor));
  if (state.failing_since_ms > 0) json.add("failing_since_ms", state.failing_since_ms);
  if (state.lost > 0) {
    json.add("lost", state.lost);
    json.add("lost_from", state.lost_from);
    json.add("lost_to", state.lost_to);
  }
  if (state.batch) add_batch(json, *state.batch);
  add_names(json, "forgiven", state.forgiven);
  add_names(json, "held", state.held);
  if (!state.flapping.empty()) add_flapping(json, state.flapping);
  json.end_object();
  return object;
}

HookState hook_state_of(const std::string& object) {
  HookState state;
  const auto reply = ctl::Reply::parse(object);
  if (!reply) return state;
  const ctl::Object read = reply->object();
  state.cursor = cursor_in(read, "cursor");
  state.failing_since_ms = count_in(read, "failing_since_ms");
  state.lost = count_in(read, "lost");
  state.lost_from = read.text("lost_from");
  state.lost_to = read.text("lost_to");
  if (const ctl::Object batch = read.object("batch"); !batch.text("id").empty())
    state.batch = batch_of(batch);
  state.forgiven = read.texts("forgiven");
  state.held = read.texts("held");
  for (const ctl::Object& each : read.objects("flapping")) {
    state.flapping.push_back({.name = std::string{each.text("client")},
                              .changes = count_in(each, "changes"),
                              .last = std::string{each.text("last")},
                              .last_at = WallTime{Millis{each.number("last_at_ms").value_or(0)}},
                              .cursor = cursor_in(each, "cursor")});
  }
  return state;
}

}  // namespace heartbeat::notify
