// The log as structured records in the systemd journal, in place of lines on standard error.
#pragma once

#include <string>
#include <string_view>

#include "daemon/log/log_record.h"

namespace heartbeat {

// Whether standard error is connected to the journal: the daemon was started by systemd, and no caller has
// redirected it since (JOURNAL_STREAM).
[[nodiscard]] bool stderr_is_journal();

// Whether the log goes to the journal, of a target `auto`, `stderr` or `journal`.
[[nodiscard]] bool log_goes_to_journal(std::string_view target);

// Writes why the program ends to standard error, before there is a log.
void write_refusal(const std::string& line);

// From here on the default logger writes to the journal.  Has to be called after set_up_log().
void send_log_to_journal();

// Each writes an event where the rest of the log goes.  A record that the journal does not take goes to
// standard error as a line.
void write_to_journal(const LogRecord& record);
void write_to_stderr(const LogRecord& record);

}  // namespace heartbeat
