// What can be asked on the control socket, and how its JSON is read.  The trust boundary: what comes out of
// parse_request() has been checked in every member.  docs/control.md has it in words.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

#include "common/glob.h"
#include "common/limits.h"
#include "common/status.h"
#include "daemon/core/event.h"

namespace heartbeat {

enum class SortBy : std::uint8_t { Name, Silence, Margin, Connected };

// Where in the feed, or in a list of the clients, somebody was.  Both are of one run of the daemon.
struct FeedCursor {
  std::string boot;
  std::uint64_t number = 0;
};
struct ListCursor {
  std::string boot;
  std::uint32_t slot = 0;           // the next to look at
  std::int64_t started_millis = 0;  // when the list began, on the listening clock
};
[[nodiscard]] std::string to_string(const FeedCursor& cursor);
[[nodiscard]] std::string to_string(const ListCursor& cursor);

struct StatusRequest {};
struct ClientsRequest {
  std::optional<Status> status{};  // alive or leave
  std::optional<Glob> match{};
  std::optional<SortBy> sort{};
  std::size_t limit = limits::kListDefault;
  std::optional<ListCursor> cursor{};  // only without `sort`
};
struct WhyRequest {
  std::string client;
};
struct WatchRequest {
  std::optional<FeedCursor> since{};
  bool snapshot = false;
  std::optional<Glob> match{};
  std::bitset<kEventKindCount> events{};  // none: all
};
struct KickRequest {
  std::vector<std::string> clients;
  std::string message;  // printable; may be empty
};
struct LogLevelRequest {
  std::string level;
};
struct SettingsRequest {};
struct ReloadRequest {};

using Request = std::variant<StatusRequest, ClientsRequest, WhyRequest, WatchRequest, KickRequest,
                             LogLevelRequest, SettingsRequest, ReloadRequest>;

// The error is a sentence that says what is wrong and what would be right.
[[nodiscard]] tl::expected<Request, std::string> parse_request(std::string_view body);

}  // namespace heartbeat
