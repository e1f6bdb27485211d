#include "daemon/log/journal.h"

#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "daemon/systemd/libsystemd.h"

namespace heartbeat {
namespace {

int priority_of(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::critical: return LOG_CRIT;
    case spdlog::level::err: return LOG_ERR;
    case spdlog::level::warn: return LOG_WARNING;
    case spdlog::level::info: return LOG_INFO;
    default: return LOG_DEBUG;
  }
}

// The `NAME=value` parts of a record.
class Fields {
 public:
  void add(std::string_view name, std::string_view value) {
    start("").append(name).append(1, '=').append(value);
  }
  void add_ours(std::string_view name, std::string_view value) {
    std::string& part = start("HEARTBEAT_");
    for (const char letter : name)
      part += static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    part.append(1, '=').append(value);
  }

  [[nodiscard]] bool send() {
    std::vector<iovec> parts;
    parts.reserve(parts_.size());
    for (std::string& part : parts_) parts.push_back({part.data(), part.size()});
    return libsystemd::send_to_journal(parts);
  }

 private:
  std::string& start(std::string_view prefix) { return parts_.emplace_back(prefix); }

  std::vector<std::string> parts_;
};

void write_line_instead(std::string_view message) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(message.size()), message.data());
}

class JournalSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string_view text{message.payload.data(), message.payload.size()};
    Fields fields;
    fields.add("MESSAGE", text);
    fields.add("PRIORITY", std::to_string(priority_of(message.level)));
    if (!fields.send()) write_line_instead(text);
  }
  void flush_() override {}
};

}  // namespace

bool stderr_is_journal() {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  if (stream == nullptr) return false;
  struct stat file {};
  if (fstat(STDERR_FILENO, &file) != 0) return false;
  return std::to_string(file.st_dev) + ":" + std::to_string(file.st_ino) == stream;
}

bool log_goes_to_journal(std::string_view target) {
  if (target != "auto") return target == "journal";
  return libsystemd::has_journal() && stderr_is_journal();
}

void write_refusal(const std::string& line) {
  // The journal takes what a service writes for information, unless the line begins with its priority.
  std::fprintf(stderr, "%s%s\n", stderr_is_journal() ? "<3>" : "", line.c_str());
}

void send_log_to_journal() {
  spdlog::default_logger()->sinks() = {std::make_shared<JournalSink>()};
}

void write_to_journal(const LogRecord& record) {
  Fields fields;
  fields.add("MESSAGE", record.message);
  fields.add("MESSAGE_ID", record.message_id);
  fields.add("PRIORITY", std::to_string(priority_of(record.level)));
  for (const LogRecord::Field& field : record.fields) fields.add_ours(field.name, field.value);
  if (!fields.send()) write_line_instead(record.message);
}

void write_to_stderr(const LogRecord& record) {
  spdlog::log(record.level, "{}", record.message);
}

}  // namespace heartbeat
