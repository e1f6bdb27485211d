// The connections that ended before their first heartbeat, by the address that they came from.
//
// The author of a client sees only the daemon's side of a mistake, so a connection that never became a client
// is remembered all the same: how many there were, since when, and why the latest one ended.  By address and
// not by port, because each try comes from another port.
//
// Bounded: at the maximum the address whose latest connection ended longest ago is forgotten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/bad_input.h"
#include "common/endpoint.h"
#include "common/keyed_hash.h"
#include "common/mono_time.h"
#include "daemon/core/conditions.h"
#include "daemon/core/reason.h"

namespace heartbeat {

// Addresses whose refused connections are remembered: about 400 bytes each.
inline constexpr std::size_t kRefusedPeersMax = 1'000;

// Refused connections of one address in a row, all for one cause, that make a condition: until then each is
// reported, so that the author of a client sees the first tries.
inline constexpr std::uint32_t kRefusedAlike = 3;

// The end of one connection that had brought no heartbeat.
struct Refused {
  Endpoint peer{};
  MonoTime at{};
  Reason reason = Reason::Limit;
  std::optional<BadInput> bad_input{};
  std::string detail{};  // a sentence, or empty
};

// All of them from one address.
struct RefusedPeer {
  Refused latest{};
  MonoTime since{};         // the end of the first one
  std::uint64_t count = 0;  // all of them
  // How many of the latest in a row ended alike (is_alike()), each less than kConditionQuiet after the one
  // before it.
  std::uint32_t alike = 0;
};

// Whether two ends have the same cause: the same reason and the same diagnosis.  Numbers and quotations in
// the diagnosis are passed over: a client's mistake stays the same while its bytes change.
[[nodiscard]] bool is_alike(const Refused& one, const Refused& other);

class RefusedPeers {
 public:
  // `max`: addresses, at least 1.  The key is for the index of addresses.
  explicit RefusedPeers(const HashKey& key = {}, std::size_t max = kRefusedPeersMax)
      : max_(max), index_(0, Hash{key}) {}

  // One more connection.  Returns all that is known of its address; valid until the next change.  Out of
  // memory, it throws and changes nothing.
  const RefusedPeer& add(Refused&& refused);
  // One address as it was saved; the latest one last.
  void restore(RefusedPeer&& peer);

  // By the address; the port does not matter.  Null where nothing is known.
  [[nodiscard]] const RefusedPeer* find(const Endpoint& address) const;

  // The address whose latest connection ended last comes first.
  [[nodiscard]] const std::list<RefusedPeer>& latest_first() const { return peers_; }
  [[nodiscard]] std::size_t size() const { return peers_.size(); }

 private:
  struct Hash {
    HashKey key;
    std::size_t operator()(const Endpoint& address) const;
  };
  using Place = std::list<RefusedPeer>::iterator;

  std::size_t max_;
  std::list<RefusedPeer> peers_;
  std::unordered_map<Endpoint, Place, Hash> index_;  // by the address with port 0
};

}  // namespace heartbeat
