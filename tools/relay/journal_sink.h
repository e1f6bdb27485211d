// The relay's log in systemd's journal, a record for each line.
#pragma once

namespace heartbeat::relay {

// Where standard error is connected to the journal (JOURNAL_STREAM), the default logger writes records to it
// from here on.  A record that the journal does not take goes to standard error as a line.
void send_log_to_journal();

}  // namespace heartbeat::relay
