#include "tools/client/wording.h"

#include <array>

#include "common/duration.h"
#include "common/text.h"

namespace heartbeat::client {
namespace {

std::string pair(std::string_view key, std::string_view value) {
  return " " + std::string{key} + "=" + log_value(value);
}

}  // namespace

std::string beat_line(std::time_t when, std::uint32_t pid, Status status) {
  std::tm local{};
  localtime_r(&when, &local);
  std::array<char, 32> time{};
  static_cast<void>(std::strftime(time.data(), time.size(), "%Y-%m-%d %H:%M:%S", &local));
  return R"({"time": ")" + std::string{time.data()} + R"(", "fd": )" + std::to_string(pid) +
         R"(, "status": ")" + std::string{to_string(status)} + "\"}\n";
}

std::string frame_line(const ServerFrame& frame) {
  std::string line = "daemon:";
  if (frame.welcome) {
    const Welcome& rule = *frame.welcome;
    line += " welcome" + pair("tick", format_duration(rule.tick)) +
            pair("threshold", std::to_string(rule.threshold)) + pair("cursor", std::to_string(rule.cursor)) +
            pair("recover", std::to_string(rule.recover)) +
            pair("leave_timeout", format_duration(rule.leave_timeout)) +
            pair("max_frame", std::to_string(rule.frame_max));
  } else if (frame.type == "ack") {
    line += " ack";
    if (frame.seq) line += pair("seq", std::to_string(*frame.seq));
    line += pair("status", frame.status);
  } else if (frame.type == "status") {
    line += pair("status", frame.status) + pair("reason", frame.reason);
    if (!frame.detail.empty()) line += pair("detail", frame.detail);
  } else {
    line += pair("type", frame.type) + " (not known to this version, and ignored)";
  }
  return line + "\n";
}

std::string unreadable_line(std::string_view why) {
  return "daemon: a frame that cannot be read is ignored: " + std::string{why} + "\n";
}

}  // namespace heartbeat::client
