// The answer to `watch`: a snapshot if asked, then the feed, until the connection is closed.
//
// It keeps no queue: see FeedReader.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "daemon/control/control_context.h"
#include "daemon/control/request.h"
#include "daemon/report/answer.h"
#include "daemon/report/client_walk.h"
#include "daemon/report/feed_reader.h"

namespace heartbeat {

class WatchAnswer final : public Answer {
 public:
  // `request.feed.since` is not ahead of the feed, see is_ahead().
  WatchAnswer(const ControlContext& context, WatchRequest request);

  State go_on(std::string& slice, Steps& steps) override;
  [[nodiscard]] bool is_endless() const override { return true; }

 private:
  void go_on_with_snapshot(std::string& slice, Steps& steps);

  const ControlContext& context_;
  std::optional<ClientWalk> snapshot_;  // while it is being made
  std::size_t count_ = 0;               // clients in the snapshot
  FeedReader reader_;
};

}  // namespace heartbeat
