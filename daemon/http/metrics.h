// The daemon's figures in the Prometheus text format.
//
// Built at a scrape, from counters that are there anyway: between scrapes it costs nothing.  No series of
// single clients: their number has no bound, and the API reports each.
#pragma once

#include <string>

#include "daemon/report/figures.h"

namespace heartbeat::http {

[[nodiscard]] std::string metrics_text(const Figures& figures);

}  // namespace heartbeat::http
