// What can be asked over HTTP, and how a request's target is read.  The trust boundary: what comes out of
// route() has been checked in every part.  docs/http.md has it in words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include <tl/expected.hpp>

#include "daemon/report/client_list.h"
#include "daemon/report/closed_list.h"
#include "daemon/report/feed_reader.h"

namespace heartbeat::http {

struct PageRequest {};
struct IconRequest {};  // every browser asks for one
struct MetricsRequest {};
struct HealthRequest {};
struct ReadyRequest {};
struct StatusRequest {};
struct ClientsRequest {
  ClientListRequest list;
};
struct ClosedRequest {
  ClosedListRequest list;
};
struct StoryRequest {
  std::string name;
};
struct HistoryRequest {};
struct EventsRequest {
  FeedRequest feed;
};

using Request =
    std::variant<PageRequest, IconRequest, MetricsRequest, HealthRequest, ReadyRequest, StatusRequest,
                 ClientsRequest, ClosedRequest, StoryRequest, HistoryRequest, EventsRequest>;

// Why there is no answer: an HTTP status, the stable code, and a sentence.
struct Refusal {
  unsigned status;
  std::string_view code;
  std::string message;
};

// `last_event_id`: the header of that name, empty where the request has none; it wins over `since`.
[[nodiscard]] tl::expected<Request, Refusal> route(std::string_view target, std::string_view last_event_id);

}  // namespace heartbeat::http
