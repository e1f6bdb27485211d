// What is known of one connected client.  One connection is one record; where another connection takes over
// the client's id, the client's standing moves into that connection's record.
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
#include "daemon/core/arrival.h"
#include "daemon/core/beat_meter.h"
#include "daemon/core/client_terms.h"
#include "daemon/core/group.h"
#include "daemon/core/history.h"
#include "daemon/core/liveness.h"
#include "daemon/core/reason.h"
#include "daemon/core/rule.h"

namespace heartbeat {

// A listener without a number: as many can be numbered as one daemon has, over a few reloads.
inline constexpr std::uint8_t kNoListener = 255;

// A million records are kept, so the members are ordered for size: a member whose last bytes are free lends
// them to the next.
struct Client {
  Client(const Endpoint& from, MonoTime accepted)
      : liveness(accepted), connected_at(accepted), last_heard(accepted), peer(from) {}

  [[no_unique_address]] Liveness liveness;
  Status declared = Status::Alive;       // what the client last declared
  Reason leave_reason = Reason::Silent;  // of the present leave; meaningless while alive
  bool away = false;                     // the present leave began with a declaration
  bool notify = false;                   // asked to be notified of its state
  bool sent_bytes = false;               // at least one byte has come
  bool held = false;                     // not read for now, because it beats too fast
  bool was_held = false;
  bool is_newcomer = false;   // over max_clients or max_clients_per_ip, until its first heartbeat
  bool is_replaced = false;   // in leave, and its program has another connection, see replacements.h
  bool has_replaced = false;  // is that other connection of one that is or was replaced
  bool is_listed = false;     // in leave and not replaced: another may replace it.  Not saved

  MonoTime connected_at;
  MonoTime last_heard;           // of the last heartbeat; the accept before there was one
  MonoTime taken_over_at;        // of the last takeover; meaningless while takeovers is 0
  std::uint64_t heartbeats = 0;  // over all connections of an id
  FrameDecoder decoder;
  std::unique_ptr<History> history;    // null while there is nothing to keep
  std::unique_ptr<Passage> passage;    // null: a direct connection, without a credential
  std::unique_ptr<ClientTerms> terms;  // null: nothing holds for it but the rule of its group
  ShortText id;                        // empty: named by its address
  ShortText claimed_ip;                // empty: no heartbeat yet

  [[no_unique_address]] Endpoint peer;  // observed
  std::uint8_t listener = kNoListener;  // where it connected to: the monitor's number for it
  [[no_unique_address]] std::optional<std::uint32_t> pid;
  std::uint8_t takeovers = 0;      // close upon one another
  bool counted_by_brake = false;   // its leave is among those of closing_brake.h
  std::uint8_t epoch = 0;          // of the settings that were last applied to it, see Monitor::adopt()
  std::uint8_t slow_in_a_row = 0;  // gaps alike and longer than a tick: the tick is set too short
  GroupNumber group = kNoGroup;    // whose rule holds for it
  GroupNumber named = kNoGroup;    // the group that its heartbeat named, which may be another

  std::uint32_t last_gap_ms = 0;     // between its last two heartbeats
  std::uint32_t frame_begun_ms = 0;  // of an unfinished frame, the low bits of when; see frame_age()
  // The most silent ticks that ever stood towards a leave, see ticks_towards_leave().
  std::uint32_t nearest_to_leave = 0;
  BeatMeter meter;
};

// Whether its first heartbeat has come.
[[nodiscard]] inline bool has_spoken(const Client& client) {
  return !client.claimed_ip.empty();
}

// An instant in 4 bytes: enough for the age of anything younger than 49 days.
[[nodiscard]] inline std::uint32_t low_bits(MonoTime at) {
  return static_cast<std::uint32_t>(at.since_origin().count());
}

// How old its unfinished frame is at `now`.
[[nodiscard]] inline Millis frame_age(const Client& client, MonoTime now) {
  return Millis{low_bits(now) - client.frame_begun_ms};
}

// The client's name everywhere: its id, or the address that was observed.
[[nodiscard]] inline std::string name_of(const Client& client) {
  return client.id.empty() ? to_string(client.peer) : std::string{client.id.view()};
}

// How many silent ticks make a leave: `cursor` strikes of `threshold` silent ticks each.
[[nodiscard]] inline std::uint32_t ticks_of_a_leave(const Rule& rule) {
  return std::uint32_t{rule.cursor} * rule.threshold;
}

// How many silent ticks count towards a leave at this moment, of the ticks that make one; right after a
// reload of the rule it may be more than them.
[[nodiscard]] inline std::uint32_t ticks_towards_leave(const Liveness& liveness, const Rule& rule) {
  if (liveness.status() != Status::Alive) return ticks_of_a_leave(rule);
  return std::uint32_t{liveness.strikes()} * rule.threshold + liveness.silence();
}

// Until when an operator holds it; an instant in the past: it is not held.
[[nodiscard]] inline MonoTime on_hold_until(const Client& client) {
  return client.terms == nullptr ? MonoTime{} : client.terms->on_hold_until;
}

[[nodiscard]] inline ClientTerms& terms_of(Client& client) {
  if (client.terms == nullptr) client.terms = std::make_unique<ClientTerms>();
  return *client.terms;
}

// Whether the client is in a leave that ends in a close for silence: the brake is for these leaves.
[[nodiscard]] inline bool ends_in_silence(const Client& client) {
  return client.liveness.status() == Status::Leave && !client.away;
}

}  // namespace heartbeat
