// The event journal as commands of heartbeatctl read it: from the files, also while no daemon runs.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tools/ctl/parameters.h"
#include "tools/ctl/session.h"

namespace heartbeat::ctl {

// `--journal`, which names the directory.
void declare_journal(Parameters& parameters, std::string& into);

// The directory that was named, or that of the system's daemon.
[[nodiscard]] std::string journal_directory(const std::string& named);

// Every line in order, with the number of events that are missing before it.
using OnJournalLine = std::function<void(Reply line, std::uint64_t lost_before)>;
// `directory`: empty for that of the system's daemon.
[[nodiscard]] Outcome read_journal(const std::string& directory, const OnJournalLine& on_line);

// A duration before now, as an instant in milliseconds since 1970; the beginning of time for an empty text.
[[nodiscard]] Millis instant_before_now(const std::string& duration);
[[nodiscard]] Millis wall_clock_now();

// A line of CSV as RFC 4180 writes it; a cell that a spreadsheet would take for a formula begins with an
// apostrophe.
[[nodiscard]] std::string csv_line(const std::vector<std::string>& cells);

}  // namespace heartbeat::ctl
