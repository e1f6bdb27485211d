// A list of the closed clients that are remembered, the one closed last first, made a bounded number of steps
// at a time.
//
// It holds the places of the best `limit` of those met so far and never more.  A client that comes back while
// the list is made is left out of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "common/glob.h"
#include "common/limits.h"
#include "common/mono_time.h"
#include "daemon/core/closed_clients.h"
#include "daemon/core/monitor.h"
#include "daemon/core/reason.h"
#include "daemon/report/answer.h"

namespace heartbeat {

struct ClosedFilter {
  std::optional<Millis> within{};  // closed at most this long ago
  std::optional<Reason> reason{};
  std::optional<std::string> group{};  // kDefaultGroup: it was in none
  std::optional<Glob> match{};         // of the name, or of the address with its port

  [[nodiscard]] bool matches(const ClosedClient& client, MonoTime now) const;
};

struct ClosedListRequest {
  ClosedFilter filter{};
  bool missing = false;  // of the clients missing since the daemon's start, in the place of the closed ones
  std::size_t limit = limits::kListDefault;
};

class ClosedList {
 public:
  ClosedList(const Monitor& monitor, ClosedListRequest request)
      : monitor_(monitor), request_(std::move(request)) {}

  // The next client of the list, and the steps of wording it are spent.  Null when there are no steps left or
  // the list is done(), and for a client that came back meanwhile.  Valid until the monitor is called.
  [[nodiscard]] const ClosedClient* next(MonoTime now, Steps& steps);

  [[nodiscard]] bool done() const { return all_seen() && best_.empty(); }
  [[nodiscard]] std::size_t count() const { return count_; }  // that next() has returned
  [[nodiscard]] std::size_t matching() const {
    return matching_;
  }  // of those remembered, beyond the limit too

 private:
  // In the order of the list.
  struct Place {
    std::int64_t closed_at;
    std::size_t place;

    // The one closed last comes first.  Places are taken one after another while none is free in between: of
    // one millisecond's closes the higher place is mostly the later one.
    friend bool operator<(const Place& one, const Place& other) {
      return std::tie(one.closed_at, one.place) > std::tie(other.closed_at, other.place);
    }
  };

  [[nodiscard]] const ClosedClients& clients() const {
    return request_.missing ? monitor_.missing() : monitor_.closed_clients();
  }
  // A reload may change how many places there are, and there are none once no client is missing.
  [[nodiscard]] bool all_seen() const { return at_ >= clients().max(); }
  void look_at(std::size_t place, MonoTime now);

  const Monitor& monitor_;
  ClosedListRequest request_;
  std::size_t at_ = 0;  // the next place to look at
  std::set<Place> best_;
  std::size_t count_ = 0;
  std::size_t matching_ = 0;
};

}  // namespace heartbeat
