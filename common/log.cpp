#include "common/log.h"

#include <memory>

#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/spdlog.h>

namespace heartbeat {
namespace {

tl::expected<spdlog::level::level_enum, std::string> parse_level(std::string_view name) {
  const auto level = spdlog::level::from_str(std::string{name});
  // from_str() answers `off` for a name that it does not know.
  if (level == spdlog::level::off && name != "off") {
    return tl::unexpected("'" + std::string{name} +
                          "' is not a log level (use trace, debug, info, warning, error, critical or off)");
  }
  return level;
}

}  // namespace

tl::expected<void, std::string> set_up_log(LogStyle style, std::string_view level) {
  const auto parsed = parse_level(level);
  if (!parsed) return tl::unexpected(parsed.error());

  // Colours by itself only where standard error is a terminal.
  auto sink = std::make_shared<spdlog::sinks::ansicolor_stderr_sink_st>();
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
