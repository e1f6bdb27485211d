#include "daemon/http/route.h"

#include <doctest/doctest.h>

namespace heartbeat::http {
namespace {

template <class Asked>
Asked routed(std::string_view target, std::string_view last_event_id = {}) {
  const auto request = route(target, last_event_id);
  REQUIRE_MESSAGE(request, std::string{target});
  REQUIRE_MESSAGE(std::holds_alternative<Asked>(*request), std::string{target});
  return std::get<Asked>(*request);
}

Refusal refusal(std::string_view target, std::string_view last_event_id = {}) {
  const auto request = route(target, last_event_id);
  REQUIRE_FALSE_MESSAGE(request, std::string{target});
  return request.error();
}

TEST_CASE("each path is one thing") {
  routed<PageRequest>("/");
  routed<PageRequest>("/?anything=1");
  routed<IconRequest>("/favicon.ico");
  routed<MetricsRequest>("/metrics?name[]=x");
  routed<HealthRequest>("/healthz");
  routed<ReadyRequest>("/readyz");
  routed<StatusRequest>("/api/status");
  routed<HistoryRequest>("/api/history");
  for (const char* const nothing :
       {"", "*", "//", "/index.html", "/api", "/api/", "/api/clientsx", "/METRICS", "/api/../metrics",
        "http://localhost/metrics", "/%6detrics"}) {
    CAPTURE(nothing);
    CHECK(refusal(nothing).status == 404);
    CHECK(refusal(nothing).code == "not_found");
  }
}

TEST_CASE("a list has every part that was asked for") {
  const auto list =
      routed<ClientsRequest>("/api/clients?status=leave&match=pump-%3F&limit=1000&cursor=ab:12:345").list;
  CHECK(list.filter.status == Status::Leave);
  CHECK(list.filter.match->matches("pump-7"));
  CHECK_FALSE(list.filter.match->matches("pump-77"));
  CHECK(list.limit == 1000);
  CHECK(list.cursor->boot == "ab");
  CHECK(list.cursor->slot == 12);
  CHECK(list.cursor->started_millis == 345);
  const auto usual = routed<ClientsRequest>("/api/clients").list;
  CHECK(usual.limit == limits::kHttpListDefault);
  CHECK_FALSE(usual.sort);
  CHECK(routed<ClientsRequest>("/api/clients?sort=margin").list.sort == SortBy::Margin);
}

TEST_CASE("a limit is taken at both ends of its range and refused one beyond them") {
  CHECK(routed<ClientsRequest>("/api/clients?limit=1").list.limit == 1);
  CHECK(routed<ClientsRequest>("/api/clients?limit=1000").list.limit == limits::kHttpListMax);
  for (const char* const bad : {"0", "1001", "-1", "1.5", "", "x", "99999999999999999999", "+1", "0x1"}) {
    CAPTURE(bad);
    const Refusal refused = refusal(std::string{"/api/clients?limit="} + bad);
    CHECK(refused.status == 400);
    CHECK(refused.code == "bad_request");
  }
}

TEST_CASE("the name in a path is decoded once") {
  CHECK(routed<StoryRequest>("/api/clients/pump-7").name == "pump-7");
  CHECK(routed<StoryRequest>("/api/clients/%3Cimg%20src%3Dx%3E").name == "<img src=x>");
  CHECK(routed<StoryRequest>("/api/clients/a%2Fb/c").name == "a/b/c");
  CHECK(routed<StoryRequest>("/api/clients/a+b").name == "a+b");
  CHECK(routed<StoryRequest>("/api/clients/%2541").name == "%41");
  CHECK(routed<StoryRequest>("/api/clients/[::1]:4000").name == "[::1]:4000");
  const ClosedRequest closed = routed<ClosedRequest>("/api/closed?since=1h&reason=silent&match=a*&limit=7");
  CHECK(closed.list.filter.within == Millis{3'600'000});
  CHECK(closed.list.filter.reason == Reason::Silent);
  CHECK(closed.list.filter.match->matches("ab"));
  CHECK(closed.list.limit == 7);
  CHECK(refusal("/api/closed?reason=steady").status == 400);
  CHECK(routed<StoryRequest>("/api/client?name=..").name == "..");
  CHECK(routed<StoryRequest>("/api/client?name=a%2Fb%20c").name == "a/b c");
  CHECK(refusal("/api/client").message == "'name' is missing: the name of a client");
  CHECK(refusal("/api/client?name=").status == 400);
  CHECK(refusal("/api/client?name=a&x=1").message == "'x' cannot be asked here");
  CHECK(refusal("/api/clients/").status == 400);
  CHECK(refusal("/api/clients/%C3").status == 400);
  CHECK(refusal("/api/clients/a?x=1").message == "'x' cannot be asked here");
}

TEST_CASE("a follower goes on where the header says, before where the address says") {
  const auto events = routed<EventsRequest>("/api/events?since=ab:41&match=*&events=leave,close");
  CHECK(events.feed.since->number == 41);
  CHECK(events.feed.filter.kinds.test(static_cast<std::size_t>(Event::Kind::Left)));
  CHECK(events.feed.filter.kinds.test(static_cast<std::size_t>(Event::Kind::Closed)));
  CHECK(events.feed.filter.kinds.count() == 2);
  CHECK(routed<EventsRequest>("/api/events?since=ab:41", "ab:43").feed.since->number == 43);
  CHECK(routed<EventsRequest>("/api/events", "ab:43").feed.since->boot == "ab");
  CHECK_FALSE(routed<EventsRequest>("/api/events").feed.since);
  CHECK(refusal("/api/events", "x").message.starts_with("Last-Event-ID: 'x' is not a cursor"));
  for (const char* const bad : {"leave,", ",", "", "heartbeat", "leave,,close", "leave close"}) {
    CAPTURE(bad);
    CHECK(refusal(std::string{"/api/events?events="} + bad).status == 400);
  }
}

}  // namespace
}  // namespace heartbeat::http
