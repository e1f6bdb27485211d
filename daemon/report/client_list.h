// A list of connected clients, made a bounded number of steps at a time: all in slot order, to be gone on
// with later, or the first of all in an order that was asked for.
//
// Sorted, it holds the best `limit` of those met so far and never more.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "daemon/report/answer.h"
#include "daemon/report/client_walk.h"
#include "daemon/report/query.h"

namespace heartbeat {

struct ClientListRequest {
  ClientFilter filter{};
  std::optional<SortBy> sort{};
  std::size_t limit = limits::kListDefault;
  std::optional<ListCursor> cursor{};  // only without `sort`; of this run of the daemon
};

class ClientList {
 public:
  ClientList(const Monitor& monitor, ClientListRequest request, MonoTime now);

  // The next client of the list, and the steps of wording it are spent.  Null when there are no steps left or
  // the list is done(), and for one that left meanwhile.  Valid until the monitor is called.
  [[nodiscard]] const Client* next(const ReportContext& report, Steps& steps);

  [[nodiscard]] bool done() const;
  [[nodiscard]] std::size_t count() const { return count_; }

  // Where the rest begins, when it is done() and there may be more.
  [[nodiscard]] std::optional<ListCursor> rest(const std::string& boot) const;

 private:
  // In the order of the list.
  struct Place {
    std::int64_t first;
    std::int64_t second;
    std::string name;  // only where the list is sorted by name
    ConnId conn;

    friend auto operator<=>(const Place&, const Place&) = default;
  };

  [[nodiscard]] const Client* next_unsorted(const ReportContext& report, Steps& steps);
  [[nodiscard]] const Client* next_sorted(const ReportContext& report, Steps& steps);
  [[nodiscard]] Place place_of(const Client& client, ConnId conn, const ReportContext& report) const;
  void keep(Place place);

  const Monitor& monitor_;
  ClientWalk walk_;
  std::optional<SortBy> sort_;
  std::size_t limit_;
  std::set<Place> best_;
  std::size_t count_ = 0;
};

}  // namespace heartbeat
