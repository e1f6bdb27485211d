#include "daemon/http/route.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "common/duration.h"
#include "common/limits.h"
#include "common/text.h"
#include "daemon/http/target.h"

namespace heartbeat::http {
namespace {

using Routed = tl::expected<Request, Refusal>;

constexpr std::string_view kStories = "/api/clients/";

Refusal bad_request(std::string message) {
  return {400, "bad_request", std::move(message)};
}

std::string quoted(std::string_view text) {
  return "'" + escaped(text, limits::kExcerptMax) + "'";
}

tl::expected<Glob, std::string> compile_glob(std::string_view text) {
  return Glob::compile(text);
}

tl::expected<bool, std::string> parse_yes(std::string_view text) {
  if (text == "yes" || text == "no") return text == "yes";
  return tl::unexpected(quoted(text) + " is neither yes nor no");
}

tl::expected<std::size_t, std::string> parse_limit(std::string_view text) {
  std::size_t limit = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  const bool whole = error == std::errc{} && rest == text.data() + text.size();
  if (whole && limit >= 1 && limit <= limits::kHttpListMax) return limit;
  return tl::unexpected(quoted(text) + " is not a whole number from 1 to " +
                        std::to_string(limits::kHttpListMax));
}

// What is asked beyond the path.  Each part is taken by its name; the first thing that is wrong is kept, and
// a parameter that is left is a mistake in the request.
class Query {
 public:
  explicit Query(const Target& target) : target_(target) {}

  [[nodiscard]] const std::string* text(std::string_view name) {
    asked_.push_back(name);
    const auto part = std::find_if(target_.query.begin(), target_.query.end(),
                                   [&](const auto& pair) { return pair.first == name; });
    return part == target_.query.end() ? nullptr : &part->second;
  }

  // What `convert` makes of the text; its error is a sentence.
  template <class T, class Convert>
  [[nodiscard]] std::optional<T> converted(std::string_view name, Convert convert) {
    const std::string* const given = text(name);
    if (given == nullptr) return {};
    tl::expected<T, std::string> value = convert(*given);
    if (value) return std::move(*value);
    refuse(quoted(name) + ": " + value.error());
    return {};
  }

  void refuse(std::string why) {
    if (error_.empty()) error_ = std::move(why);
  }

  // The request, unless something was wrong.
  [[nodiscard]] Routed made(Request request) {
    for (const auto& [name, unused] : target_.query) {
      if (std::find(asked_.begin(), asked_.end(), name) == asked_.end()) {
        refuse(quoted(name) + " cannot be asked here");
      }
    }
    if (!error_.empty()) return tl::unexpected(bad_request(std::move(error_)));
    return request;
  }

 private:
  const Target& target_;
  std::vector<std::string_view> asked_;
  std::string error_;
};

Routed clients(Query& query) {
  ClientListRequest list;
  list.filter.status = query.converted<Status>("status", parse_connected_status);
  list.filter.match = query.converted<Glob>("match", compile_glob);
  if (const std::string* const group = query.text("group")) list.filter.group = *group;
  list.sort = query.converted<SortBy>("sort", parse_sort);
  list.limit = query.converted<std::size_t>("limit", parse_limit).value_or(limits::kHttpListDefault);
  list.cursor = query.converted<ListCursor>("cursor", parse_list_cursor);
  if (list.sort && list.cursor) query.refuse("'cursor' goes on with a list that is not sorted");
  return query.made(ClientsRequest{std::move(list)});
}

Routed closed(Query& query) {
  ClosedListRequest list;
  list.filter.within =
      query.converted<Millis>("since", [](std::string_view text) { return parse_duration(text); });
  list.filter.reason = query.converted<Reason>("reason", parse_close_reason);
  list.filter.match = query.converted<Glob>("match", compile_glob);
  if (const std::string* const group = query.text("group")) list.filter.group = *group;
  list.missing = query.converted<bool>("missing", parse_yes).value_or(false);
  list.limit = query.converted<std::size_t>("limit", parse_limit).value_or(limits::kHttpListDefault);
  return query.made(ClosedRequest{std::move(list)});
}

Routed events(Query& query, std::string_view last_event_id) {
  EventsRequest request;
  request.feed.since = query.converted<FeedCursor>("since", parse_feed_cursor);
  if (!last_event_id.empty()) {
    const auto last = parse_feed_cursor(last_event_id);
    if (!last) return tl::unexpected(bad_request("Last-Event-ID: " + last.error()));
    request.feed.since = *last;
  }
  request.feed.filter.match = query.converted<Glob>("match", compile_glob);
  if (const std::string* const group = query.text("group")) request.feed.filter.group = *group;
  if (const std::string* const kinds = query.text("events")) {
    std::string_view rest = *kinds;
    for (;;) {
      const std::string_view name = rest.substr(0, rest.find(','));
      const auto kind = parse_event_kind(name);
      if (!kind) {
        query.refuse("'events': " + kind.error());
        break;
      }
      request.feed.filter.kinds.set(static_cast<std::size_t>(*kind));
      if (name.size() == rest.size()) break;
      rest.remove_prefix(name.size() + 1);
    }
  }
  return query.made(std::move(request));
}

Routed story(Query& query, std::string_view encoded) {
  auto name = percent_decoded(encoded, false);
  if (!name || name->empty()) {
    return tl::unexpected(bad_request(quoted(encoded) + " is not a percent-encoded name"));
  }
  return query.made(StoryRequest{std::move(*name)});
}

// `.` and `..` are names as well, and no path can hold them: browsers and libraries take them for
// directories.
Routed story_of_query(Query& query) {
  const std::string* const name = query.text("name");
  if (name == nullptr || name->empty()) query.refuse("'name' is missing: the name of a client");
  return query.made(StoryRequest{name == nullptr ? std::string{} : *name});
}

}  // namespace

Routed route(std::string_view target, std::string_view last_event_id) {
  const auto parsed = parse_target(target);
  if (!parsed) return tl::unexpected(bad_request(parsed.error()));
  const std::string_view path = parsed->path;
  if (path == "/") return PageRequest{};
  if (path == "/favicon.ico") return IconRequest{};
  if (path == "/metrics") return MetricsRequest{};
  if (path == "/healthz") return HealthRequest{};
  if (path == "/readyz") return ReadyRequest{};

  Query query{*parsed};
  if (path == "/api/status") return query.made(StatusRequest{});
  if (path == "/api/clients") return clients(query);
  if (path == "/api/closed") return closed(query);
  if (path == "/api/client") return story_of_query(query);
  if (path == "/api/history") return query.made(HistoryRequest{});
  if (path == "/api/events") return events(query, last_event_id);
  if (path.starts_with(kStories)) return story(query, path.substr(kStories.size()));
  return tl::unexpected(Refusal{404, "not_found", "there is nothing at " + quoted(path)});
}

}  // namespace heartbeat::http
