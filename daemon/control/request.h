// What can be asked on the control socket, and how its JSON is read.  The trust boundary: what comes out of
// parse_request() has been checked in every member.  docs/control.md has it in words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

#include "common/limits.h"
#include "daemon/core/closing_brake.h"
#include "daemon/report/client_list.h"
#include "daemon/report/feed_reader.h"

namespace heartbeat {

struct StatusRequest {};
using ClientsRequest = ClientListRequest;
struct WhyRequest {
  std::string client;
};
struct WatchRequest {
  FeedRequest feed{};
  bool snapshot = false;
};
struct KickRequest {
  std::vector<std::string> clients;
  std::string message;  // printable; may be empty
};
struct BrakeRequest {
  BrakeEnd how = BrakeEnd::Confirmed;  // or Released
};
struct LogLevelRequest {
  std::string level;
};
struct SettingsRequest {};
struct ReloadRequest {};

using Request = std::variant<StatusRequest, ClientsRequest, WhyRequest, WatchRequest, KickRequest,
                             BrakeRequest, LogLevelRequest, SettingsRequest, ReloadRequest>;

// The error is a sentence that says what is wrong and what would be right.
[[nodiscard]] tl::expected<Request, std::string> parse_request(std::string_view body);

}  // namespace heartbeat
