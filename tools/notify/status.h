// How the hooks are doing: for heartbeatctl hooks as one JSON object, and as metrics for Prometheus.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/wall_time.h"

namespace heartbeat::notify {

struct HookStatus {
  enum class State : std::uint8_t { Well, Failing, Off };

  std::string name{};
  std::string_view kind{};  // webhook, alertmanager or command
  State state = State::Well;
  std::uint64_t lag_events = 0;  // in the journal behind the hook's place, wanted or not
  Millis lag{0};                 // since the oldest event that waits for its delivery; 0: none does
  std::string last_answer{};     // `200`, `exit code 1`, `Couldn't connect to server`; empty: no attempt yet
  WallTime last_at{};            // of that answer
  std::uint64_t delivered = 0;   // batches, since the notifier's start
  std::uint64_t failures = 0;    // attempts, since the notifier's start
  std::uint64_t lost = 0;        // events given up, since the notifier's start
};

[[nodiscard]] std::string_view to_string(HookStatus::State state);

// `{"type":"hooks","at":…,"hooks":[…]}`
[[nodiscard]] std::string status_json(const std::vector<HookStatus>& hooks, WallTime now);

// The text format of Prometheus, for the node exporter's textfile collector.
[[nodiscard]] std::string metrics_text(const std::vector<HookStatus>& hooks);

}  // namespace heartbeat::notify
