// Connections of clients without an id, of which one may have replaced another of the same program.
//
// After a network outage a program connects again while its old connection is still there, half-open and
// silent.  With an id that is a takeover.  Without one, the old connection would be one more silent client
// for the brake on mass closing, although its program beats.  Two connections are taken for those of one
// program if they came from one address and claim the same `ip` and `pid`.  Each connection replaces at most
// one other, so that of many programs that look the same as many count as silent as are.
//
// A short outage ends before the old connection is in leave, a long one after that.  So both sides are kept:
// the connections that have replaced none, and the silent ones in leave that are not replaced.
//
// Bounded by the clients: at most two entries for each connected client without an id.
#pragma once

#include <cstdint>
#include <set>
#include <tuple>

#include "common/keyed_hash.h"
#include "common/mono_time.h"
#include "daemon/core/client.h"

namespace heartbeat {

class Replacements {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  explicit Replacements(const HashKey& key) : key_(key) {}

  // The client in the slot, which has spoken, may replace a silent one.  Out of memory, it throws and changes
  // nothing.
  void add(std::uint32_t slot, const Client& client) { candidates_.insert(candidate(slot, client)); }
  // It has replaced one, is gone, or is about to claim something else.
  void remove(std::uint32_t slot, const Client& client) noexcept {
    candidates_.erase(candidate(slot, client));
  }
  // The candidate that has replaced this silent client: the first of its program that connected after the
  // client was last heard.  kNone where there is none.
  [[nodiscard]] std::uint32_t candidate_for(const Client& silent) const noexcept;

  // The client in the slot went into leave for silence, and nothing has replaced it.  Where memory lacks, it
  // is not found later.
  void add_silent(std::uint32_t slot, const Client& client) noexcept;
  // It is replaced, is gone, or is about to be heard.
  void remove_silent(std::uint32_t slot, const Client& client) noexcept {
    silent_.erase(silent(slot, client));
  }
  // The silent client that this one has replaced: of its program, the one that is silent the longest, if it
  // was last heard before this one connected.  kNone where there is none.
  [[nodiscard]] std::uint32_t silent_before(const Client& client) const noexcept;

 private:
  using Place = std::tuple<std::uint64_t, MonoTime, std::uint32_t>;  // a program, an instant, a slot

  [[nodiscard]] std::uint64_t program_of(const Client& client) const noexcept;
  // By the accept.
  [[nodiscard]] Place candidate(std::uint32_t slot, const Client& client) const noexcept {
    return {program_of(client), client.connected_at, slot};
  }
  // By the last heartbeat.
  [[nodiscard]] Place silent(std::uint32_t slot, const Client& client) const noexcept {
    return {program_of(client), client.last_heard, slot};
  }

  HashKey key_;
  std::set<Place> candidates_;
  std::set<Place> silent_;
};

}  // namespace heartbeat
