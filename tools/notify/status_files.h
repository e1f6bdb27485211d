// Writes each second how the hooks are doing, where that has changed: a file for heartbeatctl hooks, and one
// for the node exporter's textfile collector.
//
// A file that cannot be written is reported once, and delays no delivery.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/uv/loop.h"
#include "common/uv/watchers.h"
#include "tools/follower/follower.h"
#include "tools/notify/config.h"
#include "tools/notify/status.h"

namespace heartbeat::notify {

class StatusFiles {
 public:
  // `newest`: the number of the journal's last event.
  using OnLook = std::function<std::vector<HookStatus>(std::uint64_t newest)>;

  // An empty path: that file is not written.
  StatusFiles(uv::Loop& loop, const Config& config, std::string status, OnLook on_look);

 private:
  struct File {
    std::string path{};
    bool is_failing = false;
  };

  void write();
  void replace(File& file, const std::string& text);

  uv::Loop& loop_;
  OnLook on_look_;
  File status_;
  File metrics_;
  Follower follower_;  // from now on: its place is the journal's end
  std::string last_metrics_{};
  MonoTime next_write_{};
  uv::Owned<uv::Timer> timer_;
};

}  // namespace heartbeat::notify
