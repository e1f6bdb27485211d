// What is known of one connected client.  One connection is one record; a client with an id carries its
// standing over when another connection takes it over.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/endpoint.h"
#include "common/frame.h"
#include "common/mono_time.h"
#include "common/short_text.h"
#include "common/status.h"
#include "daemon/core/history.h"
#include "daemon/core/liveness.h"
#include "daemon/core/reason.h"
#include "daemon/core/rule.h"

namespace heartbeat {

// The distance between a client's heartbeats, watched to notice clients that beat steadily but slower than
// the tick: a setting that the operator got wrong, not a fault of theirs.
struct BeatSpacing {
  std::uint32_t last_ms = 0;
  std::uint8_t slow_in_a_row = 0;
};

// A million of these are kept, so the order of the members is for size.
struct Client {
  Client(const Endpoint& from, MonoTime accepted)
      : liveness(accepted), connected_at(accepted), last_heard(accepted), peer(from) {}

  Liveness liveness;
  MonoTime connected_at;
  MonoTime last_heard;           // of the last heartbeat; the accept before there was one
  MonoTime taken_over_at;        // of the last takeover; meaningless while takeovers is 0
  std::uint64_t heartbeats = 0;  // over all connections of an id
  FrameDecoder decoder;
  std::unique_ptr<History> history;  // null while there is nothing to tell
  ShortText id;                      // empty: named by its address
  ShortText claimed_ip;              // empty: nothing heard yet
  Endpoint peer;                     // observed
  std::optional<std::uint32_t> pid;
  BeatSpacing spacing;
  std::uint32_t nearest_to_leave =
      0;  // the most silent ticks that ever stood towards a leave, see ticks_towards_leave()
  Status declared = Status::Alive;       // what it last said of itself
  Reason leave_reason = Reason::Silent;  // of the present leave; meaningless while alive
  std::uint8_t takeovers = 0;            // close upon one another
  bool away = false;                     // the present leave began with a declaration
  bool notify = false;                   // asked to be told of its state
  bool sent_bytes = false;               // anything at all has come from it
};

// How a client is called everywhere: its id, or the address that it was seen to come from.
[[nodiscard]] inline std::string name_of(const Client& client) {
  return client.id.empty() ? to_string(client.peer) : std::string{client.id.view()};
}

// How many silent ticks count towards a leave at this moment, of the `cursor * threshold` that make one.
[[nodiscard]] inline std::uint32_t ticks_towards_leave(const Liveness& liveness, const Rule& rule) {
  const std::uint32_t all = std::uint32_t{rule.cursor} * rule.threshold;
  if (liveness.status() != Status::Alive) return all;
  return std::uint32_t{liveness.strikes()} * rule.threshold + liveness.silence();
}

}  // namespace heartbeat
