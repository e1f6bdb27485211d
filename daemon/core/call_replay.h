// Repeats the calls of a log on a monitor that is as it was when the log began.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "daemon/core/arrival.h"
#include "daemon/core/call_log.h"
#include "daemon/core/event.h"
#include "daemon/core/monitor.h"

namespace heartbeat {

// What the caller keeps beside the monitor.
struct ReplayObserver {
  std::function<void(const Event&)> on_event;
  std::function<void(ConnId, std::uint64_t number)> on_open;
  std::function<void(ConnId, bool waits)> on_unsent;
};

// `calls`: the committed bytes.  Returns whether every call could be repeated and had the outcome that it
// had; if not, the monitor is not the one that was.  Out of memory, throws std::bad_alloc.
[[nodiscard]] bool replay_calls(std::string_view calls, Monitor& monitor, const ReplayObserver& observer);

// Arguments as bytes.
[[nodiscard]] std::string arrival_bytes(const Endpoint& peer, const Arrival& arrival, std::uint64_t number);
[[nodiscard]] std::string hold_bytes(const Monitor::HoldOrder& order);
[[nodiscard]] std::string release_bytes(std::string_view pattern, std::uint32_t uid);
[[nodiscard]] std::string drain_bytes(const DrainOrder& order);
[[nodiscard]] std::string length_bytes(Millis length);
[[nodiscard]] std::string text_bytes(std::string_view first, std::string_view second);

}  // namespace heartbeat
