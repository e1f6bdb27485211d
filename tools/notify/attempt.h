// One attempt to deliver a batch, and how it ended.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/mono_time.h"

namespace heartbeat::notify {

struct AttemptResult {
  bool is_delivered = false;
  bool is_gone = false;  // the receiver wants nothing more, ever: 410
  std::optional<Millis> retry_after{};
  std::string text{};    // for the log: `200`, `503`, `exit code 1`, `Couldn't connect to server`
  std::string output{};  // what a command has printed, at most 1 KiB, escaped
};

using OnAttemptEnd = std::function<void(AttemptResult result)>;

}  // namespace heartbeat::notify
