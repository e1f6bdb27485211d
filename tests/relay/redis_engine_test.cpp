#include "tools/relay/redis_engine.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace heartbeat;
using namespace heartbeat::relay;

namespace {

// Notes what the engine answers.
struct Notes final : EngineListener {
  void on_attached(const Result<Top>& top) override {
    if (top)
      tops.push_back(*top);
    else
      errors.push_back(top.error());
  }
  void on_begun(const Result<void>& begun) override {
    if (!begun)
      errors.push_back(begun.error());
    else
      ++begins;
  }
  void on_published(const Published& published) override {
    if (published.error)
      errors.push_back(*published.error);
    else
      ++publishes;
  }
  void on_renewed(const Result<Top>& top) override {
    if (top)
      tops.push_back(*top);
    else
      errors.push_back(top.error());
  }
  void on_claimed(const Result<Claimed>& claim) override {
    if (claim)
      claims.push_back(*claim);
    else
      errors.push_back(claim.error());
  }
  void on_inbox(const Result<Inbox>& inbox) override {
    if (inbox)
      inboxes.push_back(*inbox);
    else
      errors.push_back(inbox.error());
  }

  std::vector<Top> tops;
  std::vector<Claimed> claims;
  std::vector<Inbox> inboxes;
  std::vector<EngineError> errors;
  int begins = 0;
  int publishes = 0;
};

struct Bench {
  Bench() { engine.listen(notes); }

  // The commands so far, their words with spaces between, a line each.
  std::string commands() {
    RedisReplies read;
    read.feed(engine.take_commands());
    std::string lines;
    for (auto command = read.next(); command && *command; command = read.next()) {
      std::string line;
      for (const RedisReply& word : (*command)->items) line += (line.empty() ? "" : " ") + word.text;
      lines += line + '\n';
    }
    return lines;
  }

  void answer(std::string_view bytes) {
    RedisReplies replies;
    for (const char byte : bytes) replies.feed({&byte, 1});  // however it is cut
    for (auto reply = replies.next(); reply && *reply; reply = replies.next()) engine.take(**reply);
  }

  Notes notes;
  RedisEngine engine{{.fleet = "plant", .node = "n1"}};
};

}  // namespace

TEST_CASE("attach reads the clock and the newest ids, and sees a hole among them") {
  Bench bench;
  bench.engine.attach(4);
  CHECK(bench.commands() == "TIME\nXREVRANGE hb:plant:{n1}:events + - COUNT 4\n");
  bench.answer("*2\r\n$4\r\n1700\r\n$6\r\n250999\r\n");
  CHECK(bench.notes.tops.empty());
  bench.answer("*3\r\n*2\r\n$3\r\n7-9\r\n*0\r\n*2\r\n$3\r\n7-8\r\n*0\r\n*2\r\n$3\r\n7-6\r\n*0\r\n");
  REQUIRE(bench.notes.tops.size() == 1);
  CHECK(bench.notes.tops[0].engine_ms == 1'700'250);
  CHECK(bench.notes.tops[0].at == Position{7, 9});
  CHECK(bench.notes.tops[0].unbroken_from == 8);

  bench.engine.attach(1);
  bench.answer("*2\r\n$1\r\n1\r\n$1\r\n0\r\n*0\r\n");
  CHECK(bench.notes.tops[1].at == Position{});
  CHECK_FALSE(bench.engine.expects_reply());
}

TEST_CASE("rows go before records, each with an id of ours") {
  Bench bench;
  const std::vector<RowChange> rows{{"a", Row{.sequence = 3, .since = 5, .peer = "1.2.3.4:5"}}, {"b", {}}};
  const std::vector<Record> records{{.kind = Record::Kind::Close,
                                     .sequence = 3,
                                     .client = "b",
                                     .peer = "p",
                                     .reason = "silent",
                                     .at = "t",
                                     .feed = 9}};
  bench.engine.publish({7, 0}, rows, records);
  CHECK(bench.commands() ==
        "HSET hb:plant:{n1}:rows:7-0 a 3 a 5 1.2.3.4:5\n"
        "HDEL hb:plant:{n1}:rows:7-0 b\n"
        "XADD hb:plant:{n1}:events MAXLEN ~ 1000000 7-3 e close c b p p r silent t t f 9\n");
  bench.answer(":1\r\n:1\r\n$3\r\n7-3\r\n");
  CHECK(bench.notes.publishes == 1);
  bench.engine.publish({7, 0}, rows, records);
  bench.answer(":1\r\n-OOM command not allowed\r\n$3\r\n7-3\r\n");
  REQUIRE(bench.notes.errors.size() == 1);
  CHECK(bench.notes.errors[0].kind == EngineError::Kind::Later);
}

TEST_CASE("a mark elects, then the pointer follows, and the old rows go") {
  Bench bench;
  bench.engine.begin({.is_gap = true, .at = {7, 9}, .copy = {7, 9}, .missing_from = 4, .old = Copy{7, 0}});
  CHECK(bench.commands() ==
        "XADD hb:plant:{n1}:events MAXLEN ~ 1000000 7-9 e gap from 9 missing 4\n"
        "HSET hb:plant:nodes n1 7-9\n"
        "UNLINK hb:plant:{n1}:rows:7-0\n");
  bench.answer(
      "-ERR The ID specified in XADD is equal or smaller than the target stream top item\r\n:0\r\n:1\r\n");
  REQUIRE(bench.notes.errors.size() == 1);
  CHECK(bench.notes.errors[0].kind == EngineError::Kind::NotAbove);
}

TEST_CASE(
    "a claim that takes an id from another node orders its end there, and asks whether it was in leave") {
  Bench bench;
  const Claim claim{.client = "pump-7", .mine = {.node = "n1", .at = {7, 3}, .since = 5}};
  bench.engine.claim(claim);
  CHECK(bench.commands() == "SET hb:plant:id:pump-7 n1 7 3 5 PX 86400000 GET\n");
  bench.answer("$8\r\nn2 6 2 4\r\n");
  CHECK(bench.commands() ==
        "XADD hb:plant:{n2}:inbox MAXLEN ~ 10000 * o superseded c pump-7 n 6-2 by n1\n"
        "HGET hb:plant:nodes n2\n");
  bench.answer("$3\r\n1-0\r\n$3\r\n6-1\r\n");
  CHECK(bench.commands() == "HGET hb:plant:{n2}:rows:6-1 pump-7\n");
  bench.answer("$7\r\n2 l 4 p\r\n");
  REQUIRE(bench.notes.claims.size() == 1);
  CHECK(bench.notes.claims[0].was_in_leave);
  CHECK(bench.notes.claims[0].other == Owner{.node = "n2", .at = {6, 2}, .since = 4});
}

TEST_CASE("a claim of an id that is ours already renews it") {
  Bench bench;
  bench.engine.claim(
      {.kind = Claim::Kind::Sweep, .client = "a", .mine = {.node = "n1", .at = {7, 3}, .since = 5}});
  CHECK(bench.commands() == "SET hb:plant:id:a n1 7 3 5 PX 86400000 NX GET\n");
  bench.answer("$8\r\nn1 7 3 5\r\n");
  CHECK(bench.commands() == "PEXPIRE hb:plant:id:a 86400000\n");
  bench.answer(":1\r\n");
  REQUIRE(bench.notes.claims.size() == 1);
  CHECK_FALSE(bench.notes.claims[0].other);
}

TEST_CASE("orders are read from the inbox, and unknown ones are passed over") {
  Bench bench;
  bench.engine.read_inbox("5-0");
  CHECK(bench.commands() == "XREAD COUNT 64 STREAMS hb:plant:{n1}:inbox 5-0\n");
  bench.answer(
      "*1\r\n*2\r\n$5\r\ninbox\r\n*2\r\n"
      "*2\r\n$3\r\n6-0\r\n*8\r\n$1\r\no\r\n$10\r\nsuperseded\r\n$1\r\nc\r\n$1\r\na\r\n$1\r\nn\r\n$3\r\n7-"
      "3\r\n$2\r\nby\r\n$2\r\nn2\r\n"
      "*2\r\n$3\r\n6-1\r\n*2\r\n$1\r\no\r\n$5\r\ndance\r\n");
  REQUIRE(bench.notes.inboxes.size() == 1);
  CHECK(bench.notes.inboxes[0].last == "6-1");
  REQUIRE(bench.notes.inboxes[0].orders.size() == 1);
  CHECK(bench.notes.inboxes[0].orders[0].claim == Position{7, 3});
  bench.engine.read_inbox("6-1");
  bench.answer("*-1\r\n");
  CHECK(bench.notes.inboxes[1].last.empty());
}

TEST_CASE("errors of Redis have a class each") {
  const auto kind = [](std::string_view text) { return engine_error(text).kind; };
  for (const char* const later :
       {"LOADING Redis is loading", "BUSY script", "READONLY replica", "OOM command", "NOREPLICAS Not enough",
        "CLUSTERDOWN x", "MASTERDOWN x", "TRYAGAIN x", "MISCONF x", "ERR max number of clients reached"}) {
    CAPTURE(later);
    CHECK(kind(later) == EngineError::Kind::Later);
  }
  for (const char* const refused :
       {"NOAUTH x", "WRONGPASS x", "NOPERM x", "WRONGTYPE x", "ERR unknown command"}) {
    CAPTURE(refused);
    CHECK(kind(refused) == EngineError::Kind::Refused);
  }
  CHECK(kind("MOVED 3999 10.0.0.7:6381") == EngineError::Kind::Moved);
  CHECK(kind("ASK 3999 10.0.0.7:6381") == EngineError::Kind::Later);
}

TEST_CASE("what is not Redis' protocol is a sentence, and so is a reply without an end") {
  RedisReplies other;
  other.feed("HTTP/1.1 400 Bad Request\r\n");
  CHECK_FALSE(other.next());

  RedisReplies endless;
  endless.feed("$100000000\r\n");
  const std::string piece(RedisReplies::kReplyMax / 2, 'x');
  endless.feed(piece);
  CHECK(endless.next());
  endless.feed(piece);
  CHECK_FALSE(endless.next());
}
