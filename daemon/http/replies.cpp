#include "daemon/http/replies.h"

#include <algorithm>
#include <utility>

#include "common/limits.h"
#include "common/text.h"
#include "daemon/report/client_json.h"
#include "daemon/report/event_json.h"
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

bool is_of_this_run(const FeedCursor& cursor, const Context& context) {
  return cursor.boot == context.boot.id;
}

// Whoever followed an earlier run has missed nothing yet of this one but what is not held any more.
std::uint64_t first_wanted(const Context& context, const std::optional<FeedCursor>& since) {
  if (!since) return context.feed.next();
  return is_of_this_run(*since, context) ? since->number + 1 : context.feed.oldest();
}

}  // namespace

std::string readiness_text(const Context& context) {
  return context.monitor.brake().holds() ? "ready; closing for silence is paused by the brake\n" : "ok\n";
}

std::string status_text(const Context& context) {
  std::string text;
  append_object(text, [&](JsonWriter& json) {
    json.add("type", "status");
    context.add_status(json);
  });
  return text;
}

std::optional<std::string> story_text(const Context& context, const std::string& name) {
  const Monitor& monitor = context.monitor;
  std::string text;
  const auto append = [&](const auto& client) {
    append_object(text, [&](JsonWriter& json) {
      json.add("type", "story");
      add_story(json, client, monitor.stalls(), context.report());
    });
    return std::move(text);
  };
  if (const auto slot = monitor.clients().slot_named(name)) return append(*monitor.clients().at(*slot));
  if (const ClosedClient* const closed = monitor.closed_clients().find(name)) return append(*closed);
  return {};
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
  const ReportContext report = context_.report();
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
  if (const auto next = list_.rest(context_.boot.id)) slice += R"(,"next":")" + to_string(*next) + '"';
  slice += '}';
  return State::Done;
}

Answer::State HistoryReply::go_on(std::string& slice, Steps& steps) {
  if (!std::exchange(begun_, true)) slice += R"({"step_ms":1000,"samples":[)";
  // Seconds that were let go of meanwhile are left out.
  for (next_ = std::max(next_, context_.timeline.oldest()); next_ < end_ && may_go_on(slice, steps);
       ++next_) {
    if (std::exchange(follows_another_, true)) slice += ',';
    append_object(slice, [&](JsonWriter& json) { add_second(json, context_.timeline.at(next_)); });
    steps.spend(limits::kStepsPerObject);
  }
  if (next_ < end_) return State::Unfinished;
  slice += "]}";
  return State::Done;
}

EventsReply::EventsReply(const Context& context, EventsRequest request)
    : context_(context),
      request_(std::move(request)),
      next_(first_wanted(context, request_.since)),
      next_sample_(context.timeline.next()),
      of_another_run_(request_.since && !is_of_this_run(*request_.since, context)) {}

Answer::State EventsReply::go_on(std::string& slice, Steps& steps) {
  if (!std::exchange(begun_, true)) append_hello(slice);
  if (next_sample_ < context_.timeline.next()) append_sample(slice);
  const Feed& feed = context_.feed;
  if (std::exchange(of_another_run_, false)) append_lost(slice, {});
  if (next_ < feed.oldest()) append_lost(slice, feed.oldest() - std::exchange(next_, feed.oldest()));
  while (may_go_on(slice, steps)) {
    const Event* const event = feed.find(next_);
    if (event == nullptr) return State::WaitsForEvents;
    ++next_;
    steps.spend(1);
    if (!wants(*event)) continue;
    append_event(slice, *event);
    steps.spend(limits::kStepsPerObject);
  }
  return State::Unfinished;
}

// A browser that loses the connection comes back after `retry` milliseconds.
void EventsReply::append_hello(std::string& out) const {
  out += "retry: 1000\nevent: hello\ndata: ";
  append_object(out, [&](JsonWriter& json) {
    json.add("type", "hello");
    json.add("boot", context_.boot.id);
    json.add("now", format_instant(context_.clock.at(context_.now())));
    json.add("version", HEARTBEAT_VERSION);
  });
  out += "\n\n";
}

// Of another run nobody can know how many.
void EventsReply::append_lost(std::string& out, std::optional<std::uint64_t> count) {
  out += "event: lost\ndata: ";
  append_object(out, [&](JsonWriter& json) {
    json.add("type", "lost");
    if (count) json.add("count", *count);
  });
  out += "\n\n";
}

void EventsReply::append_sample(std::string& out) {
  next_sample_ = context_.timeline.next();
  out += "event: sample\ndata: ";
  append_object(out, [&](JsonWriter& json) { add_second(json, context_.timeline.at(next_sample_ - 1)); });
  out += "\n\n";
}

// What is behind a `data:` has no line breaks: JSON escapes them.
void EventsReply::append_event(std::string& out, const Event& event) const {
  const std::string cursor = to_string(FeedCursor{context_.boot.id, event.number});
  out += "id: " + cursor + "\nevent: event\ndata: ";
  append_object(out, [&](JsonWriter& json) {
    json.add("type", "event");
    json.add("cursor", cursor);
    json.add("boot", context_.boot.id);
    json.add("seq", event.number);
    add_event(json, event, context_.clock);
  });
  out += "\n\n";
}

bool EventsReply::wants(const Event& event) const {
  if (request_.events.any() && !request_.events.test(static_cast<std::size_t>(event.kind))) return false;
  return !request_.match || request_.match->matches(event.client);
}

}  // namespace heartbeat::http
