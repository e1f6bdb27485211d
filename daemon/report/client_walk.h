// A walk over the connected clients, a bounded number of steps at a time, while others come and go.
//
// A client stays in its slot for as long as it is connected, and the walk goes from slot to slot.  So a
// client that was connected when it began, and still is when its slot is reached, is met exactly once,
// whatever others leave meanwhile; a client that came later is not met at all.
#pragma once

#include <cstdint>
#include <optional>

#include "common/glob.h"
#include "common/mono_time.h"
#include "common/status.h"
#include "daemon/core/client.h"
#include "daemon/core/connection_id.h"
#include "daemon/core/monitor.h"
#include "daemon/report/answer.h"
#include "daemon/report/report_context.h"

namespace heartbeat {

struct ClientFilter {
  std::optional<Status> status;  // judged up to now
  std::optional<Glob> match;
  std::optional<std::string> group{};  // a group's name; `default`: of the clients that are in none

  [[nodiscard]] bool matches(const Client& client, const ReportContext& context) const;
};

class ClientWalk {
 public:
  // Begins, or goes on at `slot` with one that began at `started`.
  ClientWalk(const Monitor& monitor, ClientFilter filter, MonoTime started, std::uint32_t slot = 0)
      : monitor_(monitor), filter_(std::move(filter)), started_(started), slot_(slot) {}

  // The next client that matches.  Spends a step for each slot looked at; null when there are no steps left
  // or no more clients: at_end() distinguishes the two.  Valid until the monitor is called.
  [[nodiscard]] const Client* next(const ReportContext& context, Steps& steps);

  [[nodiscard]] bool at_end() const { return slot_ >= monitor_.clients().slots(); }
  [[nodiscard]] MonoTime started() const { return started_; }
  [[nodiscard]] std::uint32_t slot() const { return slot_; }  // the next to look at
  [[nodiscard]] ConnId conn_of_last() const { return monitor_.clients().conn_of(slot_ - 1); }

 private:
  const Monitor& monitor_;
  ClientFilter filter_;
  MonoTime started_;
  std::uint32_t slot_;
};

}  // namespace heartbeat
