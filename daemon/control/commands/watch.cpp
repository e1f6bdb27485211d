// watch: a snapshot of the clients if asked, then the feed, until the connection is closed.
//
// The answer keeps no queue: see FeedReader.
#include <optional>
#include <utility>

#include "common/glob.h"
#include "common/json_frame.h"
#include "daemon/control/client_frame.h"
#include "daemon/control/commands/all.h"
#include "daemon/control/one_answer.h"
#include "daemon/report/client_walk.h"
#include "daemon/report/event_json.h"
#include "daemon/report/feed_reader.h"

namespace heartbeat::commands {
namespace {

struct WatchRequest {
  FeedRequest feed{};
  bool snapshot = false;
};

class WatchAnswer final : public Answer {
 public:
  // `request.feed.since` is not ahead of the feed, see is_ahead().
  WatchAnswer(const OperatorDesk& desk, const WatchRequest& request)
      : desk_(desk), reader_(desk.feed(), desk.boot().id, request.feed) {
    if (!request.snapshot) return;
    snapshot_.emplace(
        desk.monitor(),
        ClientFilter{.status = {}, .match = request.feed.filter.match, .group = request.feed.filter.group},
        desk.now());
  }

  State go_on(std::string& slice, Steps& steps) override {
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
          slice, [&](JsonWriter& json) { add_feed_event(json, *event, desk_.boot().id, desk_.clock()); });
      steps.spend(limits::kStepsPerObject);
    }
    return reader_.at_end() ? State::WaitsForEvents : State::Unfinished;
  }

  [[nodiscard]] bool is_endless() const override { return true; }

 private:
  void go_on_with_snapshot(std::string& slice, Steps& steps) {
    const ReportContext report = desk_.report();
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

  const OperatorDesk& desk_;
  std::optional<ClientWalk> snapshot_;  // while it is being made
  std::size_t count_ = 0;               // clients in the snapshot
  FeedReader reader_;
};

}  // namespace

Reading read_watch(Members& request) {
  WatchRequest watch;
  watch.feed.since = request.converted<FeedCursor>("since", parse_feed_cursor);
  watch.snapshot = request.flag("snapshot");
  watch.feed.filter.match =
      request.converted<Glob>("match", [](const std::string& text) { return Glob::compile(text); });
  watch.feed.filter.group = request.text("group");
  for (const std::string& name : request.texts("events")) {
    const auto kind = parse_event_kind(name);
    if (!kind) {
      request.refuse("events", "has an unknown one: " + kind.error());
      break;
    }
    watch.feed.filter.kinds.set(static_cast<std::size_t>(*kind));
  }
  return request.made(
      Order{[watch = std::move(watch)](Operator, ControlContext& context) -> std::unique_ptr<Answer> {
        const OperatorDesk& desk = context.desk;
        if (watch.feed.since && is_ahead(*watch.feed.since, desk.feed(), desk.boot().id)) {
          return error_answer("bad_request", "'since' is beyond the last event");
        }
        return std::make_unique<WatchAnswer>(desk, watch);
      }});
}

}  // namespace heartbeat::commands
