#include "tools/relay/journal_sink.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "tools/relay/journal_record.h"

namespace heartbeat::relay {
namespace {

constexpr std::string_view kJournalSocket = "/run/systemd/journal/socket";

bool stderr_is_journal() {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  struct stat file {};
  if (stream == nullptr || fstat(STDERR_FILENO, &file) != 0) return false;
  return std::to_string(file.st_dev) + ":" + std::to_string(file.st_ino) == stream;
}

int priority_of(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::critical: return LOG_CRIT;
    case spdlog::level::err: return LOG_ERR;
    case spdlog::level::warn: return LOG_WARNING;
    case spdlog::level::info: return LOG_INFO;
    default: return LOG_DEBUG;
  }
}

class JournalSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit JournalSink(Descriptor socket) : socket_(std::move(socket)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string_view line{message.payload.data(), message.payload.size()};
    const std::string record = journal_record(line, priority_of(message.level));
    sockaddr_un journal{};
    journal.sun_family = AF_UNIX;
    std::memcpy(journal.sun_path, kJournalSocket.data(), kJournalSocket.size());
    const ssize_t sent = ::sendto(socket_.get(), record.data(), record.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                                  reinterpret_cast<const sockaddr*>(&journal), sizeof journal);
    if (sent < 0) std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  }
  void flush_() override {}

  Descriptor socket_;
};

}  // namespace

void send_log_to_journal() {
  if (!stderr_is_journal()) return;
  Descriptor socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (socket.get() < 0) return;
  spdlog::default_logger()->sinks() = {std::make_shared<JournalSink>(std::move(socket))};
}

}  // namespace heartbeat::relay
