#include <algorithm>
#include <utility>

#include <rapidjson/document.h>

#include "common/json_allocator.h"
#include "common/text.h"
#include "daemon/control/request.h"

namespace heartbeat {
namespace {

using Pool = rapidjson::MemoryPoolAllocator<JsonAllocator>;
using Document = rapidjson::GenericDocument<rapidjson::UTF8<>, Pool, JsonAllocator>;
using Value = Document::ValueType;

using Parsed = tl::expected<Request, std::string>;

std::string quoted(std::string_view text) {
  return "'" + escaped(text, limits::kExcerptMax) + "'";
}

// The members of a request.  Each is asked for by name; the first thing that is wrong is kept, and so is
// which were asked for, because a member that nobody knows is a mistake of whoever wrote it.
class Members {
 public:
  explicit Members(const Value& object) : object_(object) {}

  [[nodiscard]] std::optional<std::string> text(std::string_view name) {
    const Value* const value = find(name);
    if (value == nullptr) return {};
    if (!value->IsString()) {
      refuse(name, "must be text");
      return {};
    }
    return std::string{value->GetString(), value->GetStringLength()};
  }

  [[nodiscard]] std::string required_text(std::string_view name) {
    auto value = text(name);
    if (!value || value->empty()) refuse(name, "is required");
    return value.value_or("");
  }

  [[nodiscard]] std::vector<std::string> texts(std::string_view name) {
    const Value* const value = find(name);
    std::vector<std::string> all;
    if (value == nullptr) return all;
    if (!value->IsArray()) {
      refuse(name, "must be an array of texts");
      return all;
    }
    for (const Value& element : value->GetArray()) {
      if (!element.IsString()) {
        refuse(name, "must be an array of texts");
        return {};
      }
      all.emplace_back(element.GetString(), element.GetStringLength());
    }
    return all;
  }

  [[nodiscard]] bool flag(std::string_view name) {
    const Value* const value = find(name);
    if (value == nullptr) return false;
    if (!value->IsBool()) refuse(name, "must be true or false");
    return value->IsTrue();
  }

  [[nodiscard]] std::size_t number(std::string_view name, std::size_t min, std::size_t max,
                                   std::size_t otherwise) {
    const Value* const value = find(name);
    if (value == nullptr) return otherwise;
    if (value->IsUint64() && value->GetUint64() >= min && value->GetUint64() <= max)
      return value->GetUint64();
    refuse(name, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
    return otherwise;
  }

  // What `convert` makes of the text; its error is a sentence.
  template <class T, class Convert>
  [[nodiscard]] std::optional<T> converted(std::string_view name, Convert convert) {
    const auto given = text(name);
    if (!given) return {};
    tl::expected<T, std::string> value = convert(*given);
    if (value) return std::move(*value);
    if (error_.empty()) error_ = quoted(name) + ": " + value.error();
    return {};
  }

  void refuse(std::string_view name, const std::string& why) {
    if (error_.empty()) error_ = quoted(name) + " " + why;
  }

  // The request, unless something was wrong.
  template <class T>
  [[nodiscard]] Parsed made(T request) {
    for (const auto& member : object_.GetObject()) {
      const std::string_view name{member.name.GetString(), member.name.GetStringLength()};
      const bool known = name == "command" || std::find(asked_.begin(), asked_.end(), name) != asked_.end();
      if (!known) refuse(name, "is not a member of this command");
    }
    if (!error_.empty()) return tl::unexpected(error_);
    return Request{std::move(request)};
  }

 private:
  const Value* find(std::string_view name) {
    asked_.push_back(name);
    const auto length = static_cast<rapidjson::SizeType>(name.size());
    const auto member = object_.FindMember(Value{rapidjson::StringRef(name.data(), length)});
    return member == object_.MemberEnd() ? nullptr : &member->value;
  }

  const Value& object_;
  std::vector<std::string_view> asked_;
  std::string error_;
};

std::optional<Glob> match_of(Members& members) {
  return members.converted<Glob>("match", [](const std::string& text) { return Glob::compile(text); });
}

Parsed parse_clients(Members& members) {
  ClientsRequest request;
  request.filter.status = members.converted<Status>("status", parse_connected_status);
  request.filter.match = match_of(members);
  request.sort = members.converted<SortBy>("sort", parse_sort);
  request.limit = members.number("limit", 1, limits::kListMax, limits::kListDefault);
  request.cursor = members.converted<ListCursor>("cursor", parse_list_cursor);
  if (request.sort && request.cursor) members.refuse("cursor", "goes on with a list that is not sorted");
  return members.made(std::move(request));
}

Parsed parse_watch(Members& members) {
  WatchRequest request;
  request.feed.since = members.converted<FeedCursor>("since", parse_feed_cursor);
  request.snapshot = members.flag("snapshot");
  request.feed.filter.match = match_of(members);
  for (const std::string& name : members.texts("events")) {
    const auto kind = parse_event_kind(name);
    if (!kind) {
      members.refuse("events", "has an unknown one: " + kind.error());
      break;
    }
    request.feed.filter.kinds.set(static_cast<std::size_t>(*kind));
  }
  return members.made(std::move(request));
}

Parsed parse_kick(Members& members) {
  KickRequest request{.clients = members.texts("clients"), .message = members.text("message").value_or("")};
  if (request.clients.empty()) members.refuse("clients", "is required: an array of names");
  // The answer repeats the names, to whatever terminal reads it.
  for (const std::string& name : request.clients) {
    if (!is_printable(name)) members.refuse("clients", "has one that no client can have: " + quoted(name));
  }
  if (request.message.size() > limits::kKickMessageMax || !is_printable(request.message)) {
    members.refuse("message",
                   "must be at most " + std::to_string(limits::kKickMessageMax) + " bytes of printable text");
  }
  return members.made(std::move(request));
}

Parsed parse_brake(Members& members) {
  const std::string action = members.required_text("action");
  if (action != "confirm" && action != "release") members.refuse("action", "is not one of confirm, release");
  return members.made(BrakeRequest{action == "release" ? BrakeEnd::Released : BrakeEnd::Confirmed});
}

}  // namespace

Parsed parse_request(std::string_view body) {
  if (!is_utf8(body)) return tl::unexpected<std::string>("the request is not UTF-8");
  // Iterative: what nests a body deeply cannot use up the stack.
  Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(body.data(), body.size());
  if (document.HasParseError() || !document.IsObject()) {
    return tl::unexpected("the request is not a JSON object: " + escaped(body, limits::kExcerptMax));
  }

  Members members{document};
  const std::string command = members.required_text("command");
  if (command == "status") return members.made(StatusRequest{});
  if (command == "clients") return parse_clients(members);
  if (command == "why") return members.made(WhyRequest{members.required_text("client")});
  if (command == "watch") return parse_watch(members);
  if (command == "kick") return parse_kick(members);
  if (command == "brake") return parse_brake(members);
  if (command == "log_level") return members.made(LogLevelRequest{members.required_text("level")});
  if (command == "settings") return members.made(SettingsRequest{});
  if (command == "reload") return members.made(ReloadRequest{});
  members.refuse("command",
                 quoted(command) +
                     " is not one of status, clients, why, watch, kick, brake, log_level, settings, reload");
  return members.made(StatusRequest{});
}

}  // namespace heartbeat
