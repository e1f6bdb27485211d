#include "daemon/report/query.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <utility>

#include "common/limits.h"
#include "common/text.h"

namespace heartbeat {
namespace {

std::string quoted(std::string_view text) {
  return "'" + escaped(text, limits::kExcerptMax) + "'";
}

// One of a few words.
template <class T, std::size_t Size>
tl::expected<T, std::string> one_of(const std::array<std::pair<std::string_view, T>, Size>& words,
                                    std::string_view text) {
  std::string all;
  for (const auto& [word, value] : words) {
    if (word == text) return value;
    all.append(all.empty() ? "" : ", ").append(word);
  }
  return tl::unexpected(quoted(text) + " is not one of " + all);
}

constexpr std::array kStatusNames{std::pair{std::string_view{"alive"}, Status::Alive},
                                  std::pair{std::string_view{"leave"}, Status::Leave}};
constexpr std::array kSorts{std::pair{std::string_view{"name"}, SortBy::Name},
                            std::pair{std::string_view{"silence"}, SortBy::Silence},
                            std::pair{std::string_view{"margin"}, SortBy::Margin},
                            std::pair{std::string_view{"connected"}, SortBy::Connected}};

// The parts of a cursor, between colons.
template <class Integer>
bool take_number(std::string_view& text, Integer& number) {
  if (!text.starts_with(':')) return false;
  text.remove_prefix(1);
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
  return error == std::errc{};
}

std::string take_boot(std::string_view& text) {
  const std::size_t size = std::min(text.find(':'), text.size());
  std::string boot{text.substr(0, size)};
  text.remove_prefix(size);
  return boot;
}

tl::unexpected<std::string> not_a_cursor(std::string_view text) {
  return tl::unexpected(quoted(text) + " is not a cursor that this command gave out");
}

}  // namespace

std::string to_string(const FeedCursor& cursor) {
  return cursor.boot + ":" + std::to_string(cursor.number);
}

std::string to_string(const ListCursor& cursor) {
  return cursor.boot + ":" + std::to_string(cursor.slot) + ":" + std::to_string(cursor.started_millis);
}

tl::expected<FeedCursor, std::string> parse_feed_cursor(std::string_view text) {
  std::string_view rest = text;
  FeedCursor cursor{.boot = take_boot(rest)};
  if (cursor.boot.empty() || !take_number(rest, cursor.number) || !rest.empty()) return not_a_cursor(text);
  return cursor;
}

tl::expected<ListCursor, std::string> parse_list_cursor(std::string_view text) {
  std::string_view rest = text;
  ListCursor cursor{.boot = take_boot(rest)};
  if (cursor.boot.empty() || !take_number(rest, cursor.slot) || !take_number(rest, cursor.started_millis) ||
      !rest.empty()) {
    return not_a_cursor(text);
  }
  return cursor;
}

tl::expected<Status, std::string> parse_connected_status(std::string_view text) {
  return one_of(kStatusNames, text);
}

tl::expected<SortBy, std::string> parse_sort(std::string_view text) {
  return one_of(kSorts, text);
}

tl::expected<Reason, std::string> parse_close_reason(std::string_view text) {
  std::string all;
  for (const ReasonFacts& facts : kReasons) {
    if (!facts.closes()) continue;
    if (facts.word == text) return facts.reason;
    all.append(all.empty() ? "" : ", ").append(facts.word);
  }
  return tl::unexpected(quoted(text) + " is not one of " + all);
}

// Heartbeats are not in the feed.
tl::expected<Event::Kind, std::string> parse_event_kind(std::string_view text) {
  std::string all;
  for (std::size_t at = 0; at < kEventKindCount; ++at) {
    const auto kind = static_cast<Event::Kind>(at);
    if (kind == Event::Kind::Heard) continue;
    if (to_string(kind) == text) return kind;
    all.append(all.empty() ? "" : ", ").append(to_string(kind));
  }
  return tl::unexpected(quoted(text) + " is not one of " + all);
}

}  // namespace heartbeat
