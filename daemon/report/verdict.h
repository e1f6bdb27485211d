// A client's story in one plain sentence: what it is or how it ended, why, and whether the daemon itself was
// to blame.
#pragma once

#include <deque>
#include <string>

#include "daemon/core/client.h"
#include "daemon/core/closed_clients.h"
#include "daemon/core/monitor.h"
#include "daemon/core/refused_peers.h"
#include "daemon/report/report_context.h"

namespace heartbeat {

using Stalls = std::deque<Stall>;

// Without a full stop.
[[nodiscard]] std::string verdict_of(const Client& client, const Stalls& stalls,
                                     const ReportContext& context);
[[nodiscard]] std::string verdict_of(const ClosedClient& client, const Stalls& stalls,
                                     const ReportContext& context);
// Of a client of before the daemon's start that is missing (Monitor::missing()).
[[nodiscard]] std::string verdict_of_missing(const ClosedClient& client, const ReportContext& context);
[[nodiscard]] std::string verdict_of(const RefusedPeer& peer, const ReportContext& context);

}  // namespace heartbeat
