#include "tools/ctl/journal_files.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "common/duration.h"
#include "common/events/journal_reader.h"
#include "tools/ctl/exit_code.h"

namespace heartbeat::ctl {
namespace {

constexpr const char* kSystemJournal = "/var/lib/heartbeatd/events";

Failure unreadable(const std::string& directory, int error) {
  if (error == ENOENT) {
    return {kNo, {"there is no event journal in " + directory + " (--journal DIRECTORY)"}};
  }
  return {error == EACCES ? kDenied : kCannotWrite,
          {"the event journal in " + directory + " cannot be read: " + std::strerror(error)}};
}

}  // namespace

void declare_journal(Parameters& parameters, std::string& into) {
  parameters.text("--journal", "DIRECTORY", "The event journal [/var/lib/heartbeatd/events]", into);
}

std::string journal_directory(const std::string& named) {
  return named.empty() ? kSystemJournal : named;
}

Outcome read_journal(const std::string& directory, const OnJournalLine& on_line) {
  const std::string where = journal_directory(directory);
  JournalReader reader{where};
  if (const auto begun = reader.to_oldest(); !begun) return tl::unexpected(unreadable(where, begun.error()));
  for (;;) {
    const auto line = reader.next();
    if (!line) return tl::unexpected(unreadable(where, line.error()));
    if (!*line) return {};
    if (auto reply = Reply::parse(**line)) on_line(std::move(*reply), reader.lost_before());
  }
}

Millis wall_clock_now() {
  return std::chrono::floor<Millis>(std::chrono::system_clock::now().time_since_epoch());
}

Millis instant_before_now(const std::string& duration) {
  if (duration.empty()) return Millis{0};
  return wall_clock_now() - parse_duration(duration).value_or(Millis{0});
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells) {
    if (!line.empty()) line += ',';
    const bool is_formula = !cell.empty() && std::strchr("=+-@\t\r", cell.front()) != nullptr;
    const bool wants_quotes = is_formula || cell.find_first_of(",\"\r\n") != std::string::npos;
    if (!wants_quotes) {
      line += cell;
      continue;
    }
    line += is_formula ? "\"'" : "\"";
    for (const char each : cell) line.append(each == '"' ? 2 : 1, each);
    line += '"';
  }
  return line + "\r\n";
}

}  // namespace heartbeat::ctl
