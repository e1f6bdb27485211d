// The clients that were closed last, so that a client that comes back is recognised.
//
// Bounded: one past the bound, the one closed longest ago is forgotten.  The room for all of them is there
// from the start (about 160 bytes each): records that came and went one by one would leave the allocator's
// blocks between those of the clients, and keep the memory of a burst from going back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/endpoint.h"
#include "common/keyed_hash.h"
#include "common/mono_time.h"
#include "common/short_text.h"
#include "common/status.h"
#include "daemon/core/arrival.h"
#include "daemon/core/history.h"
#include "daemon/core/reason.h"
#include "daemon/core/slot_index.h"

namespace heartbeat {

// In this order for size.
struct ClosedClient {
  NameText name;  // its id, or its address where it had none
  ShortText claimed_ip;
  ShortText group;  // the name of its group; empty: it was in none
  MonoTime connected_at;
  MonoTime last_heard;
  MonoTime closed_at;
  std::uint64_t heartbeats = 0;
  std::string detail;                // of the close: a sentence, or empty
  std::unique_ptr<History> history;  // null where there was nothing to tell
  std::unique_ptr<Passage> passage;  // see client.h
  Endpoint peer;
  std::optional<std::uint32_t> pid;
  std::uint32_t nearest_to_leave = 0;  // silent ticks, see client.h
  Status status = Status::Alive;       // when it was closed: alive or leave
  bool away = false;                   // it was in leave by its own declaration
  Reason reason = Reason::PeerClosed;
  Party by = Party::Client;
};

class ClosedClients {
 public:
  // The key is for the index of names.
  explicit ClosedClients(std::size_t max, const HashKey& key = {});

  // Another bound, in two steps of which only the first can fail.  with_room_for() returns an empty object
  // with that bound and with all the memory that take_from() needs; what is remembered here stays.
  // take_from() then takes over what is remembered there; if that is more than the bound, the clients closed
  // longest ago are forgotten.  Between the two no client may be added.
  [[nodiscard]] ClosedClients with_room_for(std::size_t max) const;
  void take_from(ClosedClients& former) noexcept;

  // A client of the same name that is remembered already is forgotten for it.
  void remember(ClosedClient&& closed);

  // The client of that name, which is then no longer remembered.
  [[nodiscard]] std::optional<ClosedClient> take(std::string_view name);

  // The client that was closed longest ago; null or nothing where there is none.
  [[nodiscard]] const ClosedClient* earliest() const {
    return earliest_ == kNobody ? nullptr : &places_[earliest_].closed;
  }
  [[nodiscard]] std::optional<ClosedClient> take_earliest();

  // Valid until the next change.
  [[nodiscard]] const ClosedClient* find(std::string_view name) const;
  // The client at one of the places 0 to max() - 1, in no order; null where the place is free.  Valid until
  // the next change.
  [[nodiscard]] const ClosedClient* at(std::size_t place) const;
  [[nodiscard]] std::size_t size() const { return by_name_.size(); }
  // Calls `each(const ClosedClient&)` for all of them, in the order in which they were closed.
  template <class Each>
  void for_each(Each each) const {
    for (std::uint32_t place = earliest_; place != kNobody; place = places_[place].later) {
      each(places_[place].closed);
    }
  }
  [[nodiscard]] std::size_t max() const { return places_.size(); }

 private:
  static constexpr std::uint32_t kNobody = std::numeric_limits<std::uint32_t>::max();

  // The remembered clients are chained by the time of the close; the free places are another.
  struct Place {
    ClosedClient closed;
    std::uint32_t earlier = kNobody;
    std::uint32_t later = kNobody;  // of a free place: the next free one
  };

  [[nodiscard]] std::uint32_t hash_of(std::string_view name) const;
  [[nodiscard]] std::optional<std::uint32_t> place_of(std::string_view name, std::uint32_t hash) const;
  ClosedClient take(std::uint32_t place);
  [[nodiscard]] std::uint32_t& later_than(std::uint32_t place);
  [[nodiscard]] std::uint32_t& earlier_than(std::uint32_t place);

  HashKey key_;
  std::vector<Place> places_;  // as many as the bound
  SlotIndex by_name_;
  std::uint32_t earliest_ = kNobody;
  std::uint32_t latest_ = kNobody;
  std::uint32_t free_ = kNobody;
};

}  // namespace heartbeat
