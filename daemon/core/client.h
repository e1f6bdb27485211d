// What is known of one connected client.  One connection is one record; a client with an id carries its
// standing over when another connection takes it over.
//
// A million of these are kept, so the order of the members is for size.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/endpoint.h"
#include "common/frame.h"
#include "common/mono_time.h"
#include "daemon/core/liveness.h"
#include "daemon/core/reason.h"

namespace heartbeat {

// The distance between a client's heartbeats, watched to notice clients that beat steadily but slower than
// the tick: a setting that the operator got wrong, not a fault of theirs.
struct BeatSpacing {
  std::uint32_t last_ms = 0;
  std::uint8_t slow_in_a_row = 0;
};

struct Client {
  Client(const Endpoint& from, MonoTime accepted)
      : liveness(accepted), connected_at(accepted), last_heard(accepted), peer(from) {}

  Liveness liveness;
  MonoTime connected_at;
  MonoTime last_heard;           // of the last heartbeat; the accept before there was one
  MonoTime taken_over_at;        // of the last takeover; meaningless while takeovers is 0
  std::uint64_t heartbeats = 0;  // over all connections of an id
  FrameDecoder decoder;
  std::string id;          // empty: named by its address
  std::string claimed_ip;  // empty: nothing heard yet
  Endpoint peer;           // observed
  std::optional<std::uint32_t> pid;
  BeatSpacing spacing;
  Reason leave_reason = Reason::Silent;  // of the present leave; meaningless while alive
  std::uint8_t takeovers = 0;            // close upon one another
  bool away = false;                     // the present leave began with a declaration
  bool notify = false;                   // asked to be told of its state
  bool sent_bytes = false;               // anything at all has come from it
};

// How a client is called everywhere: its id, or the address that it was seen to come from.
[[nodiscard]] inline std::string name_of(const Client& client) {
  return client.id.empty() ? to_string(client.peer) : client.id;
}

}  // namespace heartbeat
