// The lines that the client prints: each whole, with its newline, and safe on a terminal whatever the daemon
// sent.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include "common/message.h"
#include "common/mono_time.h"
#include "common/status.h"

namespace heartbeat::client {

// A heartbeat that was sent, in the article's manner:
// {"time": "2026-11-22 09:55:15", "fd": 26464, "status": "alive"}.  `when` is shown in local time.
[[nodiscard]] std::string beat_line(std::time_t when, std::uint32_t pid, Status status);

// A frame that the daemon sent: `daemon: status=leave reason=silent`.
[[nodiscard]] std::string frame_line(const ServerFrame& frame);

// A frame that could not be read; `why` is a sentence.
[[nodiscard]] std::string unreadable_line(std::string_view why);

}  // namespace heartbeat::client
