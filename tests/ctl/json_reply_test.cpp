#include "tools/ctl/json_reply.h"

#include <limits>
#include <string>

#include <doctest/doctest.h>

namespace heartbeat::ctl {
namespace {

Reply reply(std::string_view body) {
  auto parsed = Reply::parse(body);
  REQUIRE(parsed.has_value());
  return std::move(*parsed);
}

TEST_CASE("members are read by name and kind, and others read as nothing") {
  const Reply status =
      reply(R"({"type":"x","text":"a","number":7,"real":0.5,"flag":true,"inner":{"a":1,"b":"no","c":3},)"
            R"("huge":18446744073709551615,"array":["a",1,{"n":2}],"none":null})");
  const Object object = status.object();
  CHECK(status.type() == "x");
  CHECK(object.text("text") == "a");
  CHECK(object.text("number").empty());
  CHECK(object.number("number") == 7);
  CHECK(object.number("huge") == std::numeric_limits<std::int64_t>::max());
  CHECK(!object.number("text"));
  CHECK(object.millis("number") == Millis{7});
  CHECK(object.real("real") == 0.5);
  CHECK(object.real("number") == 7.0);
  CHECK(object.flag("flag") == true);
  CHECK(!object.flag("number"));
  CHECK(object.object("inner").number("a") == 1);
  CHECK(!object.object("text").number("a"));
  CHECK(object.object("inner").numbers().size() == 2);
  CHECK(object.written("text") == "a");
  CHECK(object.written("real") == "0.5");
  CHECK(object.written("array") == R"(["a",1,{"n":2}])");
  CHECK(object.written("absent").empty());
  CHECK(object.texts("array") == std::vector<std::string>{"a", "1", R"({"n":2})"});
  CHECK(object.objects("array").size() == 1);
  CHECK(object.objects("text").empty());
}

TEST_CASE("what is not one object with a type is no reply") {
  for (const std::string& body :
       {std::string{}, std::string{"{}"}, std::string{"[]"}, std::string{"1"}, std::string{R"({"type":1})"},
        std::string{R"({"type":""})"}, std::string{R"({"type":"x")"}, std::string{R"({"type":"x"} {})"},
        std::string{"{\"type\":\"x\"}\0garbage", 20}, std::string{"{\"type\":\"\xff\"}"},
        std::string{"{\"type\":\"\n\"}"}}) {
    CAPTURE(body);
    CHECK(!Reply::parse(body));
  }
}

TEST_CASE("no depth of nesting is a danger") {
  CHECK(!Reply::parse(std::string(65'536, '[')));
  const std::string deep = R"({"type":"x","a":)" + std::string(30'000, '[') + std::string(30'000, ']') + "}";
  CHECK(reply(deep).json_line() == deep);
}

TEST_CASE("a line of JSON is the body as it was sent, where that is one visible line") {
  const char* const body = R"({"type":"x", "name":"Müller \"7\""})";
  CHECK(reply(body).json_line() == body);
}

TEST_CASE("a line of JSON is one line, and means the same where it must be escaped") {
  CHECK(reply("{\"type\":\"x\",\n\t\"a\":1}").json_line() == "{\"type\":\"x\",  \"a\":1}");
  CHECK(reply("{\"type\":\"\x7f\xc2\x9b\xe2\x80\xae\xf3\xa0\x80\x81\"}").json_line() ==
        R"({"type":"\u007f\u009b\u202e\udb40\udc01"})");
}

}  // namespace
}  // namespace heartbeat::ctl
