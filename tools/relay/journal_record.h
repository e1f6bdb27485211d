// A line of the relay's log as a record of systemd's journal.
#pragma once

#include <string>
#include <string_view>

namespace heartbeat::relay {

// By the line's first word; empty where that kind of line has none.  Never changed, and never used for
// anything else: systemd/heartbeat-relay.catalog explains each.
[[nodiscard]] std::string_view message_id(std::string_view line);

// In the journal's native protocol.  `priority` is that of syslog.
[[nodiscard]] std::string journal_record(std::string_view line, int priority);

}  // namespace heartbeat::relay
