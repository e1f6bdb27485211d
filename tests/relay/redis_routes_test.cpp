#include "tools/relay/redis_routes.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace heartbeat::relay;

namespace {

constexpr const char* kSeed = "10.0.0.1:6379";
constexpr const char* kOther = "10.0.0.2:6379";

std::string command(std::initializer_list<std::string_view> words) {
  std::string bytes;
  append_command(bytes, words);
  return bytes;
}

RedisReply text(std::string_view said) {
  return {.type = RedisReply::Type::Text, .text = std::string{said}};
}

RedisReply moved(const std::string& key, const std::string& where) {
  return {.type = RedisReply::Type::Error, .text = "MOVED " + std::to_string(slot_of(key)) + ' ' + where};
}

// What is sent, as `SERVER: COMMANDS`, with a word for each command: its last one.
std::vector<std::string> sent(RedisRoutes& routes) {
  std::vector<std::string> all;
  for (const auto& [where, bytes] : routes.take_outgoing()) {
    RedisReplies read;
    read.feed(bytes);
    std::string line = where + ':';
    for (auto each = read.next(); each && *each; each = read.next()) line += ' ' + (*each)->items.back().text;
    all.push_back(line);
  }
  return all;
}

std::vector<std::string> replies(RedisRoutes& routes) {
  std::vector<std::string> all;
  while (const auto reply = routes.next()) all.push_back(reply->text);
  return all;
}

}  // namespace

TEST_CASE("a key's slot is that of its tag, as Redis' specification has it") {
  CHECK(slot_of("123456789") == 0x31C3);
  CHECK(slot_of("") == 0);
  CHECK(slot_of("hb:plant:{n1}:events") == slot_of("n1"));
  CHECK(slot_of("hb:plant:{n1}:rows:5-0") == slot_of("hb:plant:{n1}:inbox"));
  CHECK(slot_of("foo{}{bar}") != slot_of("bar"));      // an empty tag is none
  CHECK(slot_of("foo{{bar}}zap") == slot_of("{bar"));  // up to the first end
  CHECK(slot_of("foo{bar") != slot_of("bar"));
}

TEST_CASE("replies come in the order of the commands, whichever server is first") {
  RedisRoutes routes{kSeed};
  routes.add(command({"SET", "a", "1"}) + command({"SET", "b", "2"}));
  CHECK(sent(routes) == std::vector<std::string>{std::string{kSeed} + ": 1 2"});
  routes.take(kSeed, moved("a", kOther));
  routes.take(kSeed, text("two"));
  CHECK(replies(routes).empty());
  CHECK(sent(routes) == std::vector<std::string>{std::string{kOther} + ": 1"});
  CHECK(routes.expects(kOther));
  CHECK_FALSE(routes.expects(kSeed));
  routes.take(kOther, text("one"));
  CHECK(replies(routes) == std::vector<std::string>{"one", "two"});
  // What was learned holds.
  routes.add(command({"SET", "a", "3"}) + command({"TIME"}));
  CHECK(sent(routes) == std::vector<std::string>{std::string{kOther} + ": 3", std::string{kSeed} + ": TIME"});
}

TEST_CASE("no command overtakes another of its slot when the slot moves") {
  RedisRoutes routes{kSeed};
  routes.add(command({"SET", "a", "1"}) + command({"SET", "a", "2"}));
  static_cast<void>(sent(routes));
  routes.take(kSeed, moved("a", kOther));
  CHECK(sent(routes) == std::vector<std::string>{std::string{kOther} + ": 1"});
  routes.add(command({"SET", "a", "3"}));  // while 2 is under way to the former server
  CHECK(sent(routes) == std::vector<std::string>{std::string{kSeed} + ": 3"});
  routes.take(kSeed, moved("a", kOther));
  routes.take(kSeed, moved("a", kOther));
  CHECK(sent(routes) == std::vector<std::string>{std::string{kOther} + ": 2 3"});
  routes.add(command({"SET", "a", "4"}));
  CHECK(sent(routes) == std::vector<std::string>{std::string{kOther} + ": 4"});
  for (const char* const each : {"one", "two", "three", "four"}) routes.take(kOther, text(each));
  CHECK(replies(routes) == std::vector<std::string>{"one", "two", "three", "four"});
}

TEST_CASE("a command is sent on as often as the bound, and then its error is the reply") {
  RedisRoutes routes{kSeed};
  routes.add(command({"SET", "a", "1"}));
  const char* at = kSeed;
  for (unsigned move = 0; move < RedisRoutes::kMovesMax; ++move) {
    const char* const next = at == kSeed ? kOther : kSeed;
    routes.take(at, moved("a", next));
    CHECK(replies(routes).empty());
    at = next;
  }
  routes.take(at, moved("a", kSeed));
  CHECK(replies(routes).size() == 1);
}

TEST_CASE(
    "the key of a read from a stream stands behind its word, and a move without a host is to the same one") {
  RedisRoutes routes{kSeed};
  routes.add(command({"XREAD", "COUNT", "64", "STREAMS", "hb:plant:{n1}:inbox", "5-0"}));
  static_cast<void>(sent(routes));
  routes.take(kSeed, moved("n1", ":7000"));
  CHECK(sent(routes) == std::vector<std::string>{"10.0.0.1:7000: 5-0"});
  routes.take("10.0.0.1:7000", text("none"));
  routes.add(command({"HSET", "hb:plant:{n1}:rows:5-0", "pump-7", "x"}));
  CHECK(sent(routes) == std::vector<std::string>{"10.0.0.1:7000: x"});
}
