// What may be asked of a list of clients and of the feed, in words: shared by everything that takes such
// questions.  The errors are sentences without the name of what was asked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "common/status.h"
#include "daemon/core/event.h"
#include "daemon/core/reason.h"

namespace heartbeat {

enum class SortBy : std::uint8_t { Name, Silence, Margin, Connected };

// A place in the feed, or in a list of the clients.  Both are of one run of the daemon.
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

[[nodiscard]] tl::expected<FeedCursor, std::string> parse_feed_cursor(std::string_view text);
[[nodiscard]] tl::expected<ListCursor, std::string> parse_list_cursor(std::string_view text);

// Of a connected client: `alive` or `leave`.
[[nodiscard]] tl::expected<Status, std::string> parse_connected_status(std::string_view text);
[[nodiscard]] tl::expected<SortBy, std::string> parse_sort(std::string_view text);
// Why a client was closed.
[[nodiscard]] tl::expected<Reason, std::string> parse_close_reason(std::string_view text);
// A kind of event that is in the feed.
[[nodiscard]] tl::expected<Event::Kind, std::string> parse_event_kind(std::string_view text);

}  // namespace heartbeat
