#include "common/log.h"

#include <cstdint>
#include <memory>

#include <poll.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/text.h"

namespace heartbeat {
namespace {

tl::expected<spdlog::level::level_enum, std::string> parse_level(std::string_view name) {
  const auto level = spdlog::level::from_str(std::string{name});
  // from_str() answers `off` for a name that it does not know.
  if (level == spdlog::level::off && name != "off") {
    return tl::unexpected("'" + escaped(name) +
                          "' is not a log level (use trace, debug, info, warning, error, critical or off)");
  }
  return level;
}

// Standard error, which may be a pipe whose reader has stopped.  The daemon waits for it once, for a moment;
// from then on lines are dropped until it can be written again, and then their number is logged.  A pipe that
// can be written takes PIPE_BUF bytes, and every line of ours is shorter (the longest: event_log.cpp).
// On macOS that holds for most lines only: PIPE_BUF is 512 there.
class StandardError final : public spdlog::sinks::ansicolor_stderr_sink_st {
 public:
  void log(const spdlog::details::log_msg& line) override {
    if (!can_be_written(lost_ == 0 ? limits::kLogWaitMax : Millis{0})) {
      ++lost_;
      return;
    }
    if (lost_ > 0) {
      const std::string text = fmt::format(
          "lost lines={}: standard error was not read, and the daemon does not wait for it", lost_);
      lost_ = 0;
      spdlog::sinks::ansicolor_stderr_sink_st::log({line.logger_name, spdlog::level::warn, text});
      if (!can_be_written(Millis{0})) {
        ++lost_;
        return;
      }
    }
    spdlog::sinks::ansicolor_stderr_sink_st::log(line);
  }

 private:
  static bool can_be_written(Millis wait) {
    pollfd standard_error{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    // After an error the write does not block: it fails.
    return ::poll(&standard_error, 1, static_cast<int>(wait.count())) != 0;
  }

  std::uint64_t lost_ = 0;
};

}  // namespace

tl::expected<void, std::string> set_up_log(LogStyle style, std::string_view level) {
  const auto parsed = parse_level(level);
  if (!parsed) return tl::unexpected(parsed.error());

  // Colours by itself only where standard error is a terminal.
  auto sink = std::make_shared<StandardError>();
  auto logger = std::make_shared<spdlog::logger>("heartbeat", std::move(sink));
  logger->set_level(*parsed);
  logger->set_pattern(style == LogStyle::Terminal ? "%H:%M:%S.%e %^%-7l%$ %v"
                                                  : "%Y-%m-%dT%H:%M:%S.%e%z %-7l %v");
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
  return {};
}

tl::expected<std::string, std::string> set_log_level(std::string_view level) {
  const auto parsed = parse_level(level);
  if (!parsed) return tl::unexpected(parsed.error());
  const auto former = spdlog::level::to_string_view(spdlog::get_level());
  spdlog::set_level(*parsed);
  return std::string{former.data(), former.size()};
}

}  // namespace heartbeat
