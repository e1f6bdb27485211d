// The daemon's figures in the Prometheus text format.
//
// Built when somebody scrapes, from counters that are there anyway: between scrapes it costs nothing.  No
// series of single clients: their number has no bound, and the API tells of each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "daemon/http/http_context.h"

namespace heartbeat::http {

// What HTTP itself did.
struct Counters {
  std::map<unsigned, std::uint64_t> responses;  // by status
  std::uint64_t refused = 0;                    // connections, at the bound
  std::uint64_t displaced = 0;                  // idle ones that made room at the bound
  std::uint64_t timed_out = 0;                  // connections that took too long to ask, or to read
};

struct Usage {
  const Counters& counters;
  std::size_t connections;
  std::size_t followers;  // of /api/events
};

[[nodiscard]] std::string metrics_text(const Context& context, const Usage& http);

}  // namespace heartbeat::http
