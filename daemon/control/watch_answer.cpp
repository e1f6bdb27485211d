#include "daemon/control/watch_answer.h"

#include <utility>

#include "common/json_frame.h"
#include "daemon/control/list_answer.h"
#include "daemon/report/event_json.h"

namespace heartbeat {
namespace {

bool is_of_this_run(const FeedCursor& cursor, const ControlContext& context) {
  return cursor.boot == context.boot.id;
}

// Whoever followed an earlier run has missed nothing yet of this one but what is not held any more.
std::uint64_t first_wanted(const ControlContext& context, const std::optional<FeedCursor>& since) {
  if (!since) return context.feed.next();
  return is_of_this_run(*since, context) ? since->number + 1 : context.feed.oldest();
}

}  // namespace

WatchAnswer::WatchAnswer(const ControlContext& context, WatchRequest request)
    : context_(context),
      match_(std::move(request.match)),
      events_(request.events),
      next_(first_wanted(context, request.since)),
      of_another_run_(request.since && !is_of_this_run(*request.since, context)) {
  if (request.snapshot) {
    snapshot_.emplace(context.monitor, ClientFilter{.status = {}, .match = match_}, context.actions.now());
  }
}

Answer::State WatchAnswer::go_on(std::string& slice, Steps& steps) {
  if (snapshot_) {
    go_on_with_snapshot(slice, steps);
    if (snapshot_) return State::Unfinished;
  }
  if (std::exchange(of_another_run_, false)) {
    append_json_frame(slice, [](JsonWriter& json) { json.add("type", "lost"); });
  }

  const Feed& feed = context_.feed;
  if (next_ < feed.oldest()) {
    append_json_frame(slice, [&](JsonWriter& json) {
      json.add("type", "lost");
      json.add("count", feed.oldest() - next_);
    });
    next_ = feed.oldest();
  }
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

void WatchAnswer::go_on_with_snapshot(std::string& slice, Steps& steps) {
  const ReportContext report = context_.report();
  while (may_go_on(slice, steps) && !snapshot_->at_end()) {
    const Client* const client = snapshot_->next(report, steps);
    if (client == nullptr) continue;
    append_client(slice, *client, report);
    steps.spend(limits::kStepsPerObject);
    ++count_;
  }
  if (!snapshot_->at_end()) return;
  append_json_frame(slice, [&](JsonWriter& json) {
    json.add("type", "snapshot_end");
    json.add("count", count_);
  });
  snapshot_.reset();
}

bool WatchAnswer::wants(const Event& event) const {
  if (events_.any() && !events_.test(static_cast<std::size_t>(event.kind))) return false;
  return !match_ || match_->matches(event.client);
}

void WatchAnswer::append_event(std::string& out, const Event& event) const {
  append_json_frame(out, [&](JsonWriter& json) {
    json.add("type", "event");
    json.add("cursor", to_string(FeedCursor{context_.boot.id, event.number}));
    json.add("boot", context_.boot.id);
    json.add("seq", event.number);
    add_event(json, event, context_.clock);
  });
}

}  // namespace heartbeat
