#include "daemon/control/request.h"

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <doctest/doctest.h>

using namespace heartbeat;

namespace {

template <class T>
T request(std::string_view body) {
  const auto parsed = parse_request(body);
  REQUIRE_MESSAGE(parsed, body);
  REQUIRE(std::holds_alternative<T>(*parsed));
  return std::get<T>(*parsed);
}

std::string refusal(std::string_view body) {
  const auto parsed = parse_request(body);
  REQUIRE_FALSE_MESSAGE(parsed, body);
  return parsed.error();
}

}  // namespace

TEST_CASE("each command is read with nothing but its name where nothing more is required") {
  request<StatusRequest>(R"({"command":"status"})");
  request<SettingsRequest>(R"({"command":"settings"})");
  request<ReloadRequest>(R"({"command":"reload"})");
  const auto clients = request<ClientsRequest>(R"({"command":"clients"})");
  CHECK(clients.limit == limits::kListDefault);
  CHECK_FALSE(clients.sort);
  const auto watch = request<WatchRequest>(R"({"command":"watch"})");
  CHECK_FALSE(watch.snapshot);
  CHECK(watch.feed.filter.kinds.none());
}

TEST_CASE("every member of a request is read") {
  const auto clients = request<ClientsRequest>(
      R"({"command":"clients","status":"leave","match":"pump-*","limit":7,"cursor":"ab:12:345"})");
  CHECK(clients.filter.status == Status::Leave);
  CHECK(clients.filter.match->matches("pump-7"));
  CHECK(clients.limit == 7);
  CHECK(clients.cursor->boot == "ab");
  CHECK(clients.cursor->slot == 12);
  CHECK(clients.cursor->started_millis == 345);
  CHECK(to_string(*clients.cursor) == "ab:12:345");
  CHECK(request<ClientsRequest>(R"({"command":"clients","sort":"margin"})").sort == SortBy::Margin);

  const auto watch = request<WatchRequest>(
      R"({"command":"watch","since":"ab:41","snapshot":true,"match":"*","events":["leave","close"]})");
  CHECK(watch.feed.since->number == 41);
  CHECK(to_string(*watch.feed.since) == "ab:41");
  CHECK(watch.snapshot);
  CHECK(watch.feed.filter.kinds.count() == 2);
  CHECK(watch.feed.filter.kinds.test(static_cast<std::size_t>(Event::Kind::Closed)));

  const auto kick = request<KickRequest>(R"({"command":"kick","clients":["a","b"],"message":"moving you"})");
  CHECK(kick.clients.size() == 2);
  CHECK(kick.message == "moving you");
  CHECK(request<WhyRequest>(R"({"command":"why","client":"a"})").client == "a");
  CHECK(request<LogLevelRequest>(R"({"command":"log_level","level":"debug"})").level == "debug");
}

TEST_CASE("what is not a request is refused with what is wrong") {
  CHECK(refusal("{") == "the request is not a JSON object: {");
  CHECK(refusal("[]") == "the request is not a JSON object: []");
  CHECK(refusal("\xFF") == "the request is not UTF-8");
  CHECK(refusal("{}") == "'command' is required");
  CHECK(refusal(R"({"command":7})") == "'command' must be text");
  CHECK(refusal(R"({"command":"dance"})").starts_with("'command' 'dance' is not one of status, clients, "));
  CHECK(refusal(R"({"command":"status","x":1})") == "'x' is not a member of this command");
  CHECK(refusal(R"({"command":"clients","status":"close"})") ==
        "'status': 'close' is not one of alive, leave");
  CHECK(refusal(R"({"command":"clients","sort":"age"})").find("name, silence, margin, connected") !=
        std::string::npos);
  CHECK(refusal(R"({"command":"clients","match":"["})").find("is not closed") != std::string::npos);
  CHECK(refusal(R"({"command":"clients","limit":0})") == "'limit' must be a whole number from 1 to 10000");
  CHECK(request<ClientsRequest>(R"({"command":"clients","limit":10000})").limit == limits::kListMax);
  CHECK(refusal(R"({"command":"clients","limit":10001})") ==
        "'limit' must be a whole number from 1 to 10000");
  CHECK(refusal(R"({"command":"clients","limit":1.5})").find("whole number") != std::string::npos);
  CHECK(refusal(R"({"command":"clients","sort":"name","cursor":"ab:1:2"})") ==
        "'cursor' goes on with a list that is not sorted");
  CHECK(refusal(R"({"command":"why"})") == "'client' is required");
  CHECK(refusal(R"({"command":"kick"})") == "'clients' is required: an array of names");
  CHECK(refusal(R"({"command":"kick","clients":"a"})") == "'clients' must be an array of texts");
  CHECK(refusal(R"({"command":"kick","clients":["a",7]})") == "'clients' must be an array of texts");
  CHECK(refusal(R"({"command":"watch","snapshot":1})") == "'snapshot' must be true or false");
  CHECK(
      refusal(R"({"command":"watch","events":["heartbeat"]})").find("'heartbeat' is not one of connected") !=
      std::string::npos);
}

TEST_CASE("cursors that nobody gave out are refused") {
  for (const char* const text :
       {"", ":", "ab", "ab:", "ab:x", "ab:1x", "ab:-1", ":5", "ab:99999999999999999999"}) {
    const std::string body = std::string{R"({"command":"watch","since":")"} + text + "\"}";
    CHECK(refusal(body).find("is not a cursor") != std::string::npos);
  }
  for (const char* const text : {"ab:1", "ab:1:", "ab:1:2:3", "ab:4294967296:1"}) {
    const std::string body = std::string{R"({"command":"clients","cursor":")"} + text + "\"}";
    CHECK(refusal(body).find("is not a cursor") != std::string::npos);
  }
}

TEST_CASE("an operator's message is one printable line of bounded length") {
  const auto body = [](const std::string& message) {
    return R"({"command":"kick","clients":["a"],"message":")" + message + "\"}";
  };
  request<KickRequest>(body(std::string(limits::kKickMessageMax, 'x')));
  CHECK(refusal(body(std::string(limits::kKickMessageMax + 1, 'x'))) ==
        "'message' must be at most 256 bytes of printable text");
  CHECK(refusal(body(R"(one\ntwo)")) == "'message' must be at most 256 bytes of printable text");
}

TEST_CASE("a name that is not printable is refused, not repeated") {
  CHECK(request<KickRequest>(R"({"command":"kick","clients":["pumpe-ü"]})").clients.front() == "pumpe-ü");
  for (const auto& [name, shown] : {std::pair{R"(a\u202e)", R"(a\xe2\x80\xae)"},
                                    std::pair{R"(a\u0000)", R"(a\x00)"}, std::pair{"a\x7F", R"(a\x7f)"}}) {
    CHECK(refusal(std::string{R"({"command":"kick","clients":["b",")"} + name + "\"]}") ==
          "'clients' has one that no client can have: '" + std::string{shown} + "'");
  }
}

TEST_CASE("a body that is nested as deep as it can be is refused like any other") {
  const std::string body(limits::kControlFrameMax, '[');
  CHECK(refusal(body).starts_with("the request is not a JSON object: [[["));
}
