#include "daemon/control/watch_answer.h"

#include <utility>

#include "common/json_frame.h"
#include "daemon/control/list_answer.h"
#include "daemon/report/event_json.h"

namespace heartbeat {

WatchAnswer::WatchAnswer(const ControlContext& context, WatchRequest request)
    : context_(context), reader_(context.feed, context.boot.id, request.feed) {
  if (request.snapshot) {
    snapshot_.emplace(context.monitor,
                      ClientFilter{.status = {}, .match = std::move(request.feed.filter.match)},
                      context.actions.now());
  }
}

Answer::State WatchAnswer::go_on(std::string& slice, Steps& steps) {
  if (snapshot_) {
    go_on_with_snapshot(slice, steps);
    if (snapshot_) return State::Unfinished;
  }
  for (const FeedReader::Loss& loss : reader_.take_losses()) {
    append_json_frame(slice, [&](JsonWriter& json) {
      json.add("type", "lost");
      if (loss.count) json.add("count", *loss.count);
    });
  }
  while (may_go_on(slice, steps) && !reader_.at_end()) {
    const Event* const event = reader_.next(steps);
    if (event == nullptr) continue;
    append_json_frame(
        slice, [&](JsonWriter& json) { add_feed_event(json, *event, context_.boot.id, context_.clock); });
    steps.spend(limits::kStepsPerObject);
  }
  return reader_.at_end() ? State::WaitsForEvents : State::Unfinished;
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

}  // namespace heartbeat
