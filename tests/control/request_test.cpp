#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <doctest/doctest.h>

#include "common/limits.h"
#include "daemon/control/commands.h"

using namespace heartbeat;

namespace {

bool is_read(std::string_view body) {
  return read_request(body).has_value();
}

std::string refusal(std::string_view body) {
  const auto parsed = read_request(body);
  REQUIRE_FALSE_MESSAGE(parsed, body);
  return parsed.error();
}

}  // namespace

TEST_CASE("each command is read with nothing but its name where nothing more is required") {
  for (const Command& command : all_commands()) {
    const std::string body = R"({"command":")" + std::string{command.name} + "\"}";
    const bool asks_for_more = command.name == "why" || command.name == "kick" || command.name == "brake" ||
                               command.name == "log_level" || command.name == "supersede" ||
                               command.name == "remember" || command.name == "hold" ||
                               command.name == "release" || command.name == "forget";
    CAPTURE(body);
    CHECK(is_read(body) != asks_for_more);
    if (asks_for_more) CHECK(refusal(body).find("is required") != std::string::npos);
  }
}

TEST_CASE("every member of a request is known, and of no other") {
  for (const char* const body :
       {R"({"command":"clients","status":"leave","match":"pump-*","limit":7,"cursor":"ab:12:345"})",
        R"({"command":"clients","sort":"margin"})",
        R"({"command":"watch","since":"ab:41","snapshot":true,"match":"*","events":["leave","close"]})",
        R"({"command":"kick","clients":["a","b"],"message":"moving you"})",
        R"({"command":"supersede","client":"a","peer":"127.0.0.1:7","by":"n2"})",
        R"({"command":"remember","client":"a","peer":"127.0.0.1:7"})",
        R"({"command":"closed","group":"sensors"})", R"({"command":"watch","group":"default"})",
        R"({"command":"hold","match":"pump-*","for_ms":1000,"why":"new firmware"})",
        R"({"command":"release","match":"pump-*"})", R"({"command":"forget","match":"pump-*"})",
        R"({"command":"why","client":"a"})", R"({"command":"brake","action":"confirm"})",
        R"({"command":"log_level","level":"debug"})"}) {
    CAPTURE(std::string{body});
    CHECK(is_read(body));
    std::string one_more{body};
    one_more.insert(one_more.size() - 1, R"(,"x":1)");
    CHECK(refusal(one_more) == "'x' is not a member of this command");
  }
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
  CHECK(is_read(R"({"command":"clients","limit":10000})"));
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

TEST_CASE("cursors that the daemon did not give out are refused") {
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
  CHECK(is_read(body(std::string(limits::kKickMessageMax, 'x'))));
  CHECK(refusal(body(std::string(limits::kKickMessageMax + 1, 'x'))) ==
        "'message' must be at most 256 bytes of printable text");
  CHECK(refusal(body(R"(one\ntwo)")) == "'message' must be at most 256 bytes of printable text");
}

TEST_CASE("a hold has a pattern, a bounded length and a printable reason") {
  const auto body = [](const std::string& match, const std::string& length, const std::string& why) {
    return R"({"command":"hold","match":")" + match + R"(","for_ms":)" + length + R"(,"why":")" + why + "\"}";
  };
  CHECK(is_read(body("*", "1000", std::string(limits::kHoldWhyMax, 'x'))));
  CHECK(is_read(body("*", "2678400000", "x")));
  CHECK(refusal(body("*", "999", "x")) == "'for_ms' must be a whole number from 1000 to 2678400000");
  CHECK(refusal(body("*", "2678400001", "x")) == "'for_ms' must be a whole number from 1000 to 2678400000");
  CHECK(refusal(body("*", "1000", std::string(limits::kHoldWhyMax + 1, 'x'))) ==
        "'why' must be at most 128 bytes of printable text");
  CHECK(refusal(body("*", "1000", R"(a\nb)")) == "'why' must be at most 128 bytes of printable text");
  CHECK(refusal(body("[", "1000", "x")).find("is not closed") != std::string::npos);
  CHECK(refusal(R"({"command":"hold","match":"*","why":"x"})") ==
        "'for_ms' is required: a hold ends by itself");
  CHECK(refusal(R"({"command":"hold","match":"*","for_ms":1000})") == "'why' is required");
}

TEST_CASE("a name that is not printable is refused, not repeated") {
  CHECK(is_read(R"({"command":"kick","clients":["pumpe-ü"]})"));
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
