#include "daemon/http/replies.h"

#include <algorithm>
#include <utility>

#include "common/limits.h"
#include "common/text.h"
#include "daemon/report/client_json.h"
#include "daemon/report/event_json.h"
#include "daemon/report/status_json.h"
#include "daemon/report/story_json.h"

namespace heartbeat::http {
namespace {

// Appends an object with the members that `add` adds to the writer it is given.
template <class Add>
void append_object(std::string& out, Add add) {
  JsonWriter json{out};
  json.begin_object();
  add(json);
  json.end_object();
}

}  // namespace

std::string readiness_text(const OperatorDesk& desk) {
  const std::string impaired = desk.health().impaired;
  if (!impaired.empty()) return "ready; " + impaired + "\n";
  return desk.monitor().brake().holds() ? "ready; closing for silence is paused by the brake\n" : "ok\n";
}

std::string status_text(const OperatorDesk& desk) {
  std::string text;
  append_object(text, [&](JsonWriter& json) {
    json.add("type", "status");
    add_status(json, desk.figures(), desk.clock(), desk.now());
  });
  return text;
}

std::optional<std::string> story_text(const OperatorDesk& desk, const std::string& name) {
  const auto named = find_named(desk.monitor(), name);
  if (!named) return {};
  std::string text;
  append_object(text, [&](JsonWriter& json) {
    json.add("type", "story");
    add_story(json, *named, desk);
  });
  return text;
}

std::string error_text(const Refusal& refusal) {
  std::string text;
  append_object(text, [&](JsonWriter& json) {
    json.add("type", "error");
    json.add("code", refusal.code);
    json.add("message", refusal.message);
  });
  return text;
}

Answer::State ClientsReply::go_on(std::string& slice, Steps& steps) {
  if (!std::exchange(begun_, true)) slice += R"({"clients":[)";
  const ReportContext report = desk_.report();
  while (may_go_on(slice, steps) && !list_.done()) {
    const bool first = list_.count() == 0;
    const Client* const client = list_.next(report, steps);
    if (client == nullptr) continue;
    if (!first) slice += ',';
    append_object(slice, [&](JsonWriter& json) {
      json.add("type", "client");
      add_client(json, *client, report);
    });
  }
  if (!list_.done()) return State::Unfinished;
  slice += ']';
  // A cursor is made of digits and colons.
  if (const auto next = list_.rest(desk_.boot().id)) slice += R"(,"next":")" + to_string(*next) + '"';
  slice += '}';
  return State::Done;
}

Answer::State ClosedReply::go_on(std::string& slice, Steps& steps) {
  if (!std::exchange(begun_, true)) slice += R"({"closed":[)";
  const ReportContext report = desk_.report();
  while (may_go_on(slice, steps) && !list_.done()) {
    const bool is_first = list_.count() == 0;
    const ClosedClient* const client = list_.next(report.now, steps);
    if (client == nullptr) continue;
    if (!is_first) slice += ',';
    append_object(slice, [&](JsonWriter& json) {
      json.add("type", is_of_missing_ ? "missing" : "closed");
      add_client(json, *client, report);
      add_close(json, *client, report);
    });
  }
  if (!list_.done()) return State::Unfinished;
  slice += R"(],"matching":)" + std::to_string(list_.matching()) + R"(,"remembered":)" +
           std::to_string(desk_.monitor().closed_clients().size()) + R"(,"missing":)" +
           std::to_string(desk_.monitor().missing().size()) + '}';
  return State::Done;
}

Answer::State HistoryReply::go_on(std::string& slice, Steps& steps) {
  if (!std::exchange(begun_, true)) slice += R"({"step_ms":1000,"samples":[)";
  // Seconds that were let go of meanwhile are left out.
  for (next_ = std::max(next_, desk_.timeline().oldest()); next_ < end_ && may_go_on(slice, steps); ++next_) {
    if (std::exchange(follows_another_, true)) slice += ',';
    append_object(slice, [&](JsonWriter& json) { add_second(json, desk_.timeline().at(next_)); });
    steps.spend(limits::kStepsPerObject);
  }
  if (next_ < end_) return State::Unfinished;
  slice += "]}";
  return State::Done;
}

EventsReply::EventsReply(const OperatorDesk& desk, EventsRequest request)
    : desk_(desk),
      reader_(desk.feed(), desk.boot().id, std::move(request.feed)),
      next_sample_(desk.timeline().next()) {}

Answer::State EventsReply::go_on(std::string& slice, Steps& steps) {
  if (!std::exchange(begun_, true)) append_hello(slice);
  if (next_sample_ < desk_.timeline().next()) append_sample(slice);
  for (const FeedReader::Loss& loss : reader_.take_losses()) append_loss(slice, loss);
  while (may_go_on(slice, steps) && !reader_.at_end()) {
    const Event* const event = reader_.next(steps);
    if (event == nullptr) continue;
    append_event(slice, *event);
    steps.spend(limits::kStepsPerObject);
  }
  return reader_.at_end() ? State::WaitsForEvents : State::Unfinished;
}

// A browser that loses the connection comes back after `retry` milliseconds.
void EventsReply::append_hello(std::string& out) const {
  out += "retry: 1000\nevent: hello\ndata: ";
  append_object(out, [&](JsonWriter& json) {
    json.add("type", "hello");
    json.add("boot", desk_.boot().id);
    json.add("now", format_instant(desk_.clock().at(desk_.now())));
    json.add("version", HEARTBEAT_VERSION);
  });
  out += "\n\n";
}

void EventsReply::append_loss(std::string& out, const FeedReader::Loss& loss) {
  out += "event: lost\ndata: ";
  append_object(out, [&](JsonWriter& json) {
    json.add("type", "lost");
    if (loss.count) json.add("count", *loss.count);
  });
  out += "\n\n";
}

void EventsReply::append_sample(std::string& out) {
  next_sample_ = desk_.timeline().next();
  out += "event: sample\ndata: ";
  append_object(out, [&](JsonWriter& json) { add_second(json, desk_.timeline().at(next_sample_ - 1)); });
  out += "\n\n";
}

// The JSON behind `data:` has no line breaks: JSON escapes them.
void EventsReply::append_event(std::string& out, const Event& event) const {
  out += "id: " + to_string(FeedCursor{desk_.boot().id, event.number}) + "\nevent: event\ndata: ";
  append_object(out, [&](JsonWriter& json) { add_feed_event(json, event, desk_.boot().id, desk_.clock()); });
  out += "\n\n";
}

}  // namespace heartbeat::http
