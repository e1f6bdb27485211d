// What the configuration says of the event journal.
#pragma once

#include "daemon/config/config.h"
#include "daemon/events/event_journal.h"

namespace heartbeat {

// Reads $STATE_DIRECTORY where the configuration names no directory.
[[nodiscard]] EventJournal::Options journal_options(const Config& config);

}  // namespace heartbeat
