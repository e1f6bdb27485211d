// The answers to `clients`: all in slot order with a cursor, or the first of all in an order that was asked
// for.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "daemon/control/answer.h"
#include "daemon/control/client_walk.h"
#include "daemon/control/control_context.h"
#include "daemon/control/request.h"

namespace heartbeat {

// One frame of type `client`.
void append_client(std::string& out, const Client& client, const ReportContext& context);

class ListAnswer final : public Answer {
 public:
  ListAnswer(const ControlContext& context, ClientsRequest request);

  State go_on(std::string& slice, Steps& steps) override;

 private:
  const ControlContext& context_;
  ClientWalk walk_;
  std::size_t limit_;
  std::size_t count_ = 0;
};

// Holds the best `limit` of those met so far, and at most that many.
class SortedListAnswer final : public Answer {
 public:
  SortedListAnswer(ControlContext& context, ClientsRequest request);
  ~SortedListAnswer() override { --context_.sorted_lists; }
  SortedListAnswer(const SortedListAnswer&) = delete;
  SortedListAnswer& operator=(const SortedListAnswer&) = delete;
  SortedListAnswer(SortedListAnswer&&) = delete;
  SortedListAnswer& operator=(SortedListAnswer&&) = delete;

  State go_on(std::string& slice, Steps& steps) override;

 private:
  // In the order of the list.
  struct Place {
    std::int64_t first;
    std::int64_t second;
    std::string name;  // only where the list is sorted by name
    ConnId conn;

    friend auto operator<=>(const Place&, const Place&) = default;
  };

  [[nodiscard]] Place place_of(const Client& client, ConnId conn, const ReportContext& report) const;
  void keep(Place place);

  ControlContext& context_;
  ClientWalk walk_;
  SortBy sort_;
  std::size_t limit_;
  std::set<Place> best_;
  std::size_t count_ = 0;
};

}  // namespace heartbeat
