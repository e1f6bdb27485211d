// The answer to `watch`: a snapshot if asked, then the feed, until the connection is closed.
//
// It keeps no queue: it reads the feed where it stands, and one that falls behind further than the feed
// reaches back is told how many events it missed.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "daemon/control/control_context.h"
#include "daemon/control/request.h"
#include "daemon/report/answer.h"
#include "daemon/report/client_walk.h"

namespace heartbeat {

class WatchAnswer final : public Answer {
 public:
  // `request.since`, where it is of this run, is not beyond what happened.
  WatchAnswer(const ControlContext& context, WatchRequest request);

  State go_on(std::string& slice, Steps& steps) override;
  [[nodiscard]] bool is_endless() const override { return true; }

 private:
  void go_on_with_snapshot(std::string& slice, Steps& steps);
  [[nodiscard]] bool wants(const Event& event) const;
  void append_event(std::string& out, const Event& event) const;

  const ControlContext& context_;
  std::optional<Glob> match_;
  std::bitset<kEventKindCount> events_;  // none: all
  std::optional<ClientWalk> snapshot_;   // while it lasts
  std::size_t count_ = 0;                // of the snapshot
  std::uint64_t next_;                   // the number of the event to look at next
  bool of_another_run_;                  // still to be told
};

}  // namespace heartbeat
