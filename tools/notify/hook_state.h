// What a hook must know after its end, as one JSON object for a CursorFile.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/events/journal_reader.h"
#include "tools/notify/flapping.h"

namespace heartbeat::notify {

// A batch that may have been sent.  The next process sends the very same bytes under the same id, whatever
// its configuration says.
struct SealedBatch {
  std::string id{};       // webhook-id
  std::string body{};     // empty: there is nothing to send
  JournalCursor first{};  // of its events
  JournalCursor end{};    // the place behind them
  std::string at{};       // when the first of them was; empty for a loss
  std::uint64_t events = 0;
  std::string calm{};  // the client of which it says that it is calm
};

struct HookState {
  JournalCursor cursor{};  // behind the last event that is done with
  std::optional<SealedBatch> batch{};
  std::uint64_t failing_since_ms = 0;  // 0: the last attempt succeeded
  std::uint64_t lost = 0;              // events given up, that the receiver does not know of
  std::string lost_from{};
  std::string lost_to{};
  std::vector<std::string> forgiven{};  // of Lasting
  std::vector<std::string> held{};      // of HoldQuiet
  std::vector<Flapping::Client> flapping{};
};

[[nodiscard]] std::string to_json(const HookState& state);
// An empty state where the text is no object.
[[nodiscard]] HookState hook_state_of(const std::string& object);

}  // namespace heartbeat::notify
