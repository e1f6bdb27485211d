#include "common/message.h"

#include <limits>

#include <doctest/doctest.h>

#include "common/limits.h"
#include "tests/unit/support/allocations.h"
#include "tests/unit/support/bytes.h"
#include "tests/unit/support/print.h"
#include "tests/unit/support/property.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

// Why the body is refused; nothing when it is a heartbeat.
std::optional<BadInput> refusal(std::string_view body) {
  HeartbeatParser parser;
  const auto parsed = parser.parse(body);
  if (parsed) return {};
  return parsed.error();
}

// A good heartbeat with more members at its end, which may replace its own.
std::string with(const std::string& members) {
  return R"({"ip": "10.0.0.1", "status": "alive", )" + members + "}";
}

std::string quoted(const std::string& text) {
  return '"' + text + '"';
}

// The object inside one more string: the article's second encoding.
std::string encoded_again(std::string_view json) {
  std::string text = "\"";
  for (const char c : json) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

// As many levels as said, the object itself being the first.
std::string nested(unsigned levels, char open, char close) {
  return with(R"("x": )" + std::string(levels - 1, open) + std::string(levels - 1, close));
}

std::string nested_objects(unsigned levels) {
  std::string inner = "{}";
  for (unsigned level = 3; level <= levels; ++level) inner = R"({"x": )" + inner + "}";
  return with(R"("x": )" + inner);
}

constexpr auto kGood = std::optional<BadInput>{};

}  // namespace

TEST_CASE("the article's heartbeat is read") {
  HeartbeatParser parser;
  const auto heartbeat = parser.parse(R"({"ip": "192.168.1.105", "status": "alive", "pid": 26464})");
  REQUIRE(heartbeat);
  CHECK(heartbeat->ip == "192.168.1.105");
  CHECK(heartbeat->status == Status::Alive);
  CHECK(heartbeat->pid == 26464U);
  CHECK(heartbeat->id.empty());
  CHECK_FALSE(heartbeat->seq);
  CHECK_FALSE(heartbeat->ack);
  CHECK_FALSE(heartbeat->notify);
}

TEST_CASE("the article's client encodes twice, and is read the same") {
  HeartbeatParser parser;
  const auto heartbeat =
      parser.parse(R"("{\"ip\": \"192.168.1.105\", \"status\": \"leave\", \"pid\": 26464}")");
  REQUIRE(heartbeat);
  CHECK(heartbeat->ip == "192.168.1.105");
  CHECK(heartbeat->status == Status::Leave);
  CHECK(heartbeat->pid == 26464U);
}

TEST_CASE("every member is read") {
  HeartbeatParser parser;
  const auto heartbeat =
      parser.parse(R"({"notify":true,"ack":true,"seq":7,"id":"pump-7","pid":0,"status":"close","ip":"::1"})");
  REQUIRE(heartbeat);
  CHECK(heartbeat->ip == "::1");
  CHECK(heartbeat->status == Status::Close);
  CHECK(heartbeat->id == "pump-7");
  CHECK(heartbeat->pid == 0U);
  CHECK(heartbeat->seq == 7U);
  CHECK(heartbeat->ack);
  CHECK(heartbeat->notify);
}

TEST_CASE("a note is cut between two characters where it is too long, and ignored where it is no text") {
  HeartbeatParser parser;
  const auto note = [&](const std::string& value) {
    const auto heartbeat = parser.parse(with("\"note\":" + value));
    REQUIRE(heartbeat);
    return std::string{heartbeat->note};
  };
  const std::string longest(limits::kNoteMax, 'x');
  CHECK(note("\"" + longest + "\"") == longest);
  CHECK(note("\"" + longest + "y\"") == longest);
  CHECK(note("\"" + longest.substr(1) + "\u00e4\"") == longest.substr(1));
  for (const char* const no_text : {"7", "true", "null", "[]", "{\"note\":\"inner\"}", "\"\""}) {
    CHECK(note(no_text).empty());
  }
}

TEST_CASE("nothing of one heartbeat is left over in the next") {
  HeartbeatParser parser;
  REQUIRE(parser.parse(with(R"("id":"a","pid":1,"seq":2,"ack":true,"notify":true,"note":"b")")));
  REQUIRE_FALSE(parser.parse(with(R"("id":7,"pid":-1)")));
  REQUIRE_FALSE(parser.parse(nested(17, '[', ']')));
  REQUIRE_FALSE(parser.parse(R"("text")"));
  const auto heartbeat = parser.parse(R"({"ip":"b","status":"live"})");
  REQUIRE(heartbeat);
  CHECK(heartbeat->id.empty());
  CHECK_FALSE(heartbeat->pid);
  CHECK_FALSE(heartbeat->seq);
  CHECK_FALSE(heartbeat->ack);
  CHECK_FALSE(heartbeat->notify);
}

TEST_CASE("a status is one of four words in lower case") {
  const auto status_of = [](const std::string& word) {
    HeartbeatParser parser;
    return parser.parse(R"({"ip":"a","status":")" + word + "\"}").map([](const Heartbeat& heartbeat) {
      return heartbeat.status;
    });
  };
  CHECK(status_of("alive") == Status::Alive);
  CHECK(status_of("live") == Status::Alive);
  CHECK(status_of("leave") == Status::Leave);
  CHECK(status_of("close") == Status::Close);
  for (const char* word : {"", "Alive", "ALIVE", "alive ", "dead", "aliv", "alivee", R"(alive\u0000)"}) {
    CAPTURE(word);
    REQUIRE_FALSE(status_of(word));
    CHECK(status_of(word).error() == BadInput::StatusUnknown);
  }
}

TEST_CASE("ip and status are required") {
  CHECK(refusal("{}") == BadInput::IpMissing);
  CHECK(refusal(R"({"status": "alive"})") == BadInput::IpMissing);
  CHECK(refusal(R"({"ip": "a"})") == BadInput::StatusMissing);
  CHECK(refusal(R"({"IP": "a", "status": "alive"})") == BadInput::IpMissing);
  CHECK(refusal(R"({"x": {"ip": "a"}, "status": "alive"})") == BadInput::IpMissing);
}

TEST_CASE("a member of the wrong type is refused by its name") {
  for (const char* value : {"null", "true", "1", "[]", "{}", R"(["a"])", R"({"a": "b"})"}) {
    CAPTURE(value);
    const std::string v = value;
    CHECK(refusal(R"({"status": "alive", "ip": )" + v + "}") == BadInput::IpInvalid);
    CHECK(refusal(R"({"ip": "a", "status": )" + v + "}") == BadInput::StatusUnknown);
    CHECK(refusal(with(R"("id": )" + v)) == BadInput::IdInvalid);
  }
  for (const char* value : {"null", "true", R"("1")", "[]", "[1]", "{}", R"({"a": 1})"}) {
    CAPTURE(value);
    CHECK(refusal(with(R"("pid": )" + std::string{value})) == BadInput::PidInvalid);
    CHECK(refusal(with(R"("seq": )" + std::string{value})) == BadInput::SeqInvalid);
  }
  for (const char* value : {"null", "0", "1", R"("true")", "[]", "[true]", "{}"}) {
    CAPTURE(value);
    CHECK(refusal(with(R"("ack": )" + std::string{value})) == BadInput::AckInvalid);
    CHECK(refusal(with(R"("notify": )" + std::string{value})) == BadInput::NotifyInvalid);
  }
}

TEST_CASE("of an ip 64 bytes are kept, and whole characters") {
  const auto ip = [](const std::string& text) { return R"({"status":"alive","ip":")" + text + "\"}"; };
  CHECK(refusal(ip("")) == BadInput::IpInvalid);
  HeartbeatParser parser;
  const auto kept = [&](const std::string& text) { return std::string{parser.parse(ip(text))->ip}; };
  CHECK(kept("x") == "x");
  CHECK(kept(std::string(64, 'x')) == std::string(64, 'x'));
  CHECK(kept(std::string(65, 'x')) == std::string(64, 'x'));
  CHECK(kept(std::string(62, 'x') + "ü") == std::string(62, 'x') + "ü");
  CHECK(kept(std::string(63, 'x') + "ü") == std::string(63, 'x'));
  CHECK(kept(std::string(3000, 'x')) == std::string(64, 'x'));
}

TEST_CASE("an id is 1 to 128 bytes of printable text") {
  const auto id = [](const std::string& text) { return with(R"("id":")" + text + "\""); };
  CHECK(refusal(id("")) == BadInput::IdInvalid);
  CHECK(refusal(id("x")) == kGood);
  CHECK(refusal(id("pump 7, hall Grüße")) == kGood);
  CHECK(refusal(id(std::string(128, 'x'))) == kGood);
  CHECK(refusal(id(std::string(129, 'x'))) == BadInput::IdInvalid);
  CHECK(refusal(id(R"(a\nb)")) == BadInput::IdInvalid);
  CHECK(refusal(id(R"(a\u0000b)")) == BadInput::IdInvalid);
  CHECK(refusal(id(R"(a\u202eb)")) == BadInput::IdInvalid);
  CHECK(refusal(id("a\xE2\x80\x8B")) == BadInput::IdInvalid);
}

TEST_CASE("an id does not read as an address") {
  const auto id = [](const std::string& text) { return with(R"("id":")" + text + "\""); };
  for (const char* address : {"10.0.0.7", "10.0.0.7:4711", "0.0.0.0:0", "::", "::1", "fe80::1", "[::1]",
                              "[::1]:4711", "::ffff:10.0.0.7", "2001:DB8::7", "1:2:3:4:5:6:7:8",
                              "[1:2:3:4:5:6:7:8]:65535", "fe80::1%eth0", "[fe80::1%eth0]:4711"}) {
    CAPTURE(address);
    CHECK(refusal(id(address)) == BadInput::IdInvalid);
  }
  for (const char* name : {"10.0.0", "10.0.0.256", "10.0.0.7:", "10.0.0.7:x", "10.0.0.7-a", "v10.0.0.7", "7",
                           "cafe", "00:1a:2b:3c:4d:5e", "[pump]", "[::1", "1.2.3.4.5", "10%", ".", ".."}) {
    CAPTURE(name);
    CHECK(refusal(id(name)) == kGood);
  }
}

TEST_CASE("a pid is an integer from 0 to 4294967295") {
  const auto pid = [](const std::string& number) { return with(R"("pid":)" + number); };
  CHECK(refusal(pid("0")) == kGood);
  CHECK(refusal(pid("4294967295")) == kGood);
  for (const char* number : {"4294967296", "18446744073709551616", "-1", "-0", "1.0", "1e3", "1E3", "0.5",
                             "1e-3", "99999999999999999999999999999999999999"}) {
    CAPTURE(number);
    CHECK(refusal(pid(number)) == BadInput::PidInvalid);
  }
}

TEST_CASE("an interval and a silence are numbers of milliseconds, and anything else is ignored") {
  HeartbeatParser parser;
  const auto all = parser.parse(with(R"("interval_ms":4294967295,"quiet_ms":0)"));
  REQUIRE(all);
  CHECK(all->interval_ms == 4294967295U);
  CHECK(all->quiet_ms == 0U);
  for (const char* const value : {"4294967296", "-1", "1.5", "1e3", R"("5s")", "true", "null", "[]"}) {
    CAPTURE(value);
    const std::string text{value};
    const auto heartbeat = parser.parse(with(R"("interval_ms":)" + text + R"(,"quiet_ms":)" + text));
    REQUIRE(heartbeat);
    CHECK_FALSE(heartbeat->interval_ms);
    CHECK_FALSE(heartbeat->quiet_ms);
  }
}

TEST_CASE("a seq is an unsigned integer of 64 bits") {
  HeartbeatParser parser;
  const auto heartbeat = parser.parse(with(R"("seq":18446744073709551615)"));
  REQUIRE(heartbeat);
  CHECK(heartbeat->seq == std::numeric_limits<std::uint64_t>::max());
  for (const char* number : {"18446744073709551616", "-1", "-0", "1.0", "1e3"}) {
    CAPTURE(number);
    CHECK(refusal(with(R"("seq":)" + std::string{number})) == BadInput::SeqInvalid);
  }
}

TEST_CASE("ack and notify may be refused in so many words") {
  HeartbeatParser parser;
  const auto heartbeat = parser.parse(with(R"("ack": false, "notify": false)"));
  REQUIRE(heartbeat);
  CHECK_FALSE(heartbeat->ack);
  CHECK_FALSE(heartbeat->notify);
}

TEST_CASE("of a member given twice the last counts") {
  HeartbeatParser parser;
  const auto heartbeat = parser.parse(
      R"({"ip":"a","ip":"b","status":"leave","status":"alive","pid":1,"pid":2,"id":"x","id":"y",)"
      R"("seq":3,"seq":4,"ack":true,"ack":false,"notify":false,"notify":true})");
  REQUIRE(heartbeat);
  CHECK(heartbeat->ip == "b");
  CHECK(heartbeat->status == Status::Alive);
  CHECK(heartbeat->pid == 2U);
  CHECK(heartbeat->id == "y");
  CHECK(heartbeat->seq == 4U);
  CHECK_FALSE(heartbeat->ack);
  CHECK(heartbeat->notify);
}

TEST_CASE("of a member given badly and then well, or well and then badly, the last counts too") {
  struct Member {
    const char* name;
    const char* good;
    const char* bad;
    BadInput refused_as;
  };
  const Member members[] = {
      {"ip", R"("a")", R"("")", BadInput::IpInvalid},
      {"status", R"("alive")", R"("dead")", BadInput::StatusUnknown},
      {"pid", "1", "-1", BadInput::PidInvalid},
      {"id", R"("a")", R"("\n")", BadInput::IdInvalid},
      {"seq", "1", "{}", BadInput::SeqInvalid},
      {"ack", "true", "1", BadInput::AckInvalid},
      {"notify", "true", "[true]", BadInput::NotifyInvalid},
  };
  for (const Member& member : members) {
    CAPTURE(member.name);
    const std::string name = quoted(member.name) + ":";
    CHECK(refusal(with(name + member.bad + "," + name + member.good)) == kGood);
    CHECK(refusal(with(name + member.good + "," + name + member.bad)) == member.refused_as);
  }
}

TEST_CASE("unknown members are ignored whatever they are") {
  for (const char* value : {"null", "true", "-12.5e-3", R"("text")", "[]", R"([1, [2], {"ip": 3}])",
                            R"({"ip": 1, "status": {"pid": []}})", R"({"": ""})"}) {
    CAPTURE(value);
    CHECK(refusal(with(R"("later": )" + std::string{value})) == kGood);
    CHECK(refusal(with(R"("": )" + std::string{value})) == kGood);
  }
  HeartbeatParser parser;
  const auto heartbeat = parser.parse(with(R"("x": {"ip": "other", "ack": true}, "y": ["id", "z"])"));
  REQUIRE(heartbeat);
  CHECK(heartbeat->ip == "10.0.0.1");
  CHECK(heartbeat->id.empty());
  CHECK_FALSE(heartbeat->ack);
}

TEST_CASE("a member's name may be written with escapes") {
  CHECK(refusal(R"({"\u0069p": "a", "stat\u0075s": "\u0061live"})") == kGood);
}

TEST_CASE("objects and arrays may be nested 16 deep and no deeper") {
  CHECK(refusal(nested(16, '[', ']')) == kGood);
  CHECK(refusal(nested(17, '[', ']')) == BadInput::TooDeep);
  CHECK(refusal(nested_objects(16)) == kGood);
  CHECK(refusal(nested_objects(17)) == BadInput::TooDeep);
  CHECK(refusal(encoded_again(nested(16, '[', ']'))) == kGood);
  CHECK(refusal(encoded_again(nested(17, '[', ']'))) == BadInput::TooDeep);
  CHECK(refusal(R"({"x": )" + std::string(4000, '[')) == BadInput::TooDeep);
}

TEST_CASE("white space around the value is fine") {
  const std::string body = R"({"ip":"a","status":"alive"})";
  CHECK(refusal(" \t\r\n" + body + " \t\r\n") == kGood);
  CHECK(refusal(" " + encoded_again(" " + body + " ") + " ") == kGood);
  CHECK(refusal("\v" + body) == BadInput::NotJson);
  CHECK(refusal("\xC2\xA0" + body) == BadInput::NotJson);
}

TEST_CASE("anything else around the value is refused") {
  const std::string body = R"({"ip":"a","status":"alive"})";
  for (const std::string& more : {std::string{"x"}, std::string{"{}"}, std::string{","}, std::string{"]"},
                                  body, with_nul("\0"), with_nul("\0 "), with_nul(" \0garbage")}) {
    CAPTURE(more);
    CHECK(refusal(body + more) == BadInput::NotJson);
    CHECK(refusal(encoded_again(body) + more) == BadInput::NotJson);
  }
  CHECK(refusal(encoded_again(body + "x")) == BadInput::NotJson);
  CHECK(refusal(R"("{\"ip\":\"a\",\"status\":\"alive\"}\u0000")") == BadInput::NotJson);
  CHECK(refusal("\xEF\xBB\xBF" + body) == BadInput::NotJson);  // a byte order mark
}

TEST_CASE("a NUL byte inside the value is refused") {
  CHECK(refusal(with_nul("\0")) == BadInput::NotJson);
  CHECK(refusal(with_nul("{\0}")) == BadInput::NotJson);
  CHECK(refusal(with_nul("{\"ip\":\"a\0b\",\"status\":\"alive\"}")) == BadInput::NotJson);
  CHECK(refusal(with_nul("{\"ip\":\"a\",\0\"status\":\"alive\"}")) == BadInput::NotJson);
}

TEST_CASE("what is not JSON is refused as that") {
  for (const char* body : {"",
                           " ",
                           "hello",
                           "{",
                           "}",
                           R"({"ip")",
                           R"({"ip":})",
                           R"({"ip":"a",})",
                           "{'ip':'a'}",
                           R"({ip:"a"})",
                           R"({"x":01})",
                           R"({"x":+1})",
                           R"({"x":.5})",
                           R"({"x":1.})",
                           R"({"x":NaN})",
                           R"({"x":Infinity})",
                           R"({"x":-Infinity})",
                           R"({"x":nan})",
                           R"({"x":True})",
                           R"({"x":"\x"})",
                           R"({"x":"a)",
                           "{/* */}",
                           "GET / HTTP/1.1\r\n"}) {
    CAPTURE(body);
    CHECK(refusal(body) == BadInput::NotJson);
  }
  CHECK(refusal("{\"x\":\"a\tb\"}") == BadInput::NotJson);  // a bare control character in a string
}

TEST_CASE("a heartbeat cut off anywhere is not JSON") {
  for (const std::string& body : {with(R"("x": [1, {"y": "z"}], "pid": 12)"),
                                  encoded_again(with(R"("x": [1, {"y": "z"}], "pid": 12)"))}) {
    for (std::size_t length = 0; length < body.size(); ++length) {
      CAPTURE(length);
      CHECK(refusal(body.substr(0, length)) == BadInput::NotJson);
    }
  }
}

TEST_CASE("a number beyond the range of a double is refused, wherever it stands") {
  CHECK(refusal(with(R"("x": 1e308)")) == kGood);
  CHECK(refusal(with(R"("x": 1e-999)")) == kGood);
  CHECK(refusal(with(R"("x": 1e309)")) == BadInput::NotJson);
  CHECK(refusal(with(R"("x": 1)" + std::string(400, '0'))) == BadInput::NotJson);
}

TEST_CASE("a value that is neither an object nor a string with one is refused as that") {
  for (const char* body : {"null", "true", "0", "-1.5", "[]", R"([{"ip":"a","status":"alive"}])", R"("[]")",
                           R"("null")", R"("1")", R"("\"text\"")"}) {
    CAPTURE(body);
    CHECK(refusal(body) == BadInput::NotAnObject);
  }
}

TEST_CASE("an empty string holds no JSON") {
  CHECK(refusal(R"("")") == BadInput::NotJson);
  CHECK(refusal(R"(" ")") == BadInput::NotJson);
  CHECK(refusal(R"("hello")") == BadInput::NotJson);
}

TEST_CASE("an object encoded three times is refused") {
  const std::string body = R"({"ip":"a","status":"alive"})";
  CHECK(refusal(encoded_again(body)) == kGood);
  CHECK(refusal(encoded_again(encoded_again(body))) == BadInput::NotAnObject);
}

TEST_CASE("bytes that are not UTF-8 are refused wherever they stand") {
  for (const char* bytes : {"\xC0\xAF", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xF0\x80\x80\x80",
                            "\xF0\x8F\xBF\xBF",                      // longer than need be
                            "\xED\xA0\x80", "\xED\xB0\x80",          // halves of a surrogate pair
                            "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",  // beyond U+10FFFF
                            "\x80", "\xC3", "\xF0\x9F\x92", "\xFE", "\xFF"}) {
    CAPTURE(bytes);
    const std::string text = bytes;
    CHECK(refusal(R"({"status":"alive","ip":")" + text + "\"}") == BadInput::NotUtf8);
    CHECK(refusal(with(R"("x":")" + text + "\"")) == BadInput::NotUtf8);
    CHECK(refusal(with(quoted(text) + ":1")) == BadInput::NotUtf8);
    CHECK(refusal(R"({"ip":"a","status":"alive"})" + text) == BadInput::NotUtf8);
    CHECK(refusal(text) == BadInput::NotUtf8);
  }
}

TEST_CASE("half of a surrogate pair is refused where it would be read") {
  const auto ip = [](const std::string& text) { return R"({"status":"alive","ip":")" + text + "\"}"; };
  CHECK(refusal(ip(R"(\ud83d\ude00)")) == kGood);
  CHECK(refusal(ip(R"(\ud83d)")) == BadInput::NotJson);
  CHECK(refusal(ip(R"(\ud83dx)")) == BadInput::NotJson);
  CHECK(refusal(ip(R"(\ud83d\ud83d)")) == BadInput::NotJson);
  CHECK(refusal(ip(R"(\ude00)")) == BadInput::IpInvalid);
  CHECK(refusal(with(R"("id":"\ude00")")) == BadInput::IdInvalid);
  CHECK(refusal(R"("{\"ip\":\"\ude00\",\"status\":\"alive\"}")") == BadInput::NotUtf8);
}

TEST_CASE("whatever a body is, it is read or refused") {
  const std::string seed_body = with(R"("pid": 12, "x": [1, {"y": "z"}], "id": "pump", "ack": true)");
  check_property(5000, [&] {
    std::string body = *rc::gen::element(seed_body, encoded_again(seed_body));
    for (int damage = *between(1, 4); damage > 0; --damage) {
      body[*between<std::size_t>(0, body.size() - 1)] = *between<char>(-128, 126);
    }
    HeartbeatParser parser;
    const auto heartbeat = parser.parse(body);
    if (!heartbeat) return;
    RC_ASSERT(heartbeat->ip.size() >= 1U);
    RC_ASSERT(heartbeat->ip.size() <= limits::kClaimedIpMax);
    RC_ASSERT(heartbeat->id.size() <= limits::kIdMax);
  });
}

TEST_CASE("a heartbeat is encoded with the members that it has") {
  CHECK(encode({.ip = "10.0.0.1"}) == R"({"ip":"10.0.0.1","status":"alive"})");
  CHECK(
      encode({.ip = "::1",
              .status = Status::Close,
              .id = "a\"b",
              .pid = 7,
              .seq = std::numeric_limits<std::uint64_t>::max(),
              .ack = true,
              .notify = true}) ==
      R"({"ip":"::1","status":"close","pid":7,"id":"a\"b","seq":18446744073709551615,"ack":true,"notify":true})");
  CHECK(encode_twice({.ip = "a", .status = Status::Leave}) == R"("{\"ip\":\"a\",\"status\":\"leave\"}")");
}

TEST_CASE("what is encoded, once or twice, is read back the same") {
  check_property(1000, [] {
    const auto text = [] {
      return *rc::gen::container<std::string>(rc::gen::element('a', '7', '"', '\\', '/', ' ', '{'));
    };
    const std::string ip = "i" + text().substr(0, 63);
    const std::string id = text().substr(0, 64);
    Heartbeat sent{.ip = ip, .id = id};
    sent.status = *rc::gen::element(Status::Alive, Status::Leave, Status::Close);
    if (*rc::gen::arbitrary<bool>()) sent.pid = *rc::gen::arbitrary<std::uint32_t>();
    if (*rc::gen::arbitrary<bool>()) sent.seq = *rc::gen::arbitrary<std::uint64_t>();
    sent.ack = *rc::gen::arbitrary<bool>();
    sent.notify = *rc::gen::arbitrary<bool>();

    HeartbeatParser parser;
    for (const std::string& body : {encode(sent), encode_twice(sent)}) {
      const auto read = parser.parse(body);
      RC_ASSERT(read.has_value());
      RC_ASSERT(read->ip == sent.ip);
      RC_ASSERT(read->status == sent.status);
      RC_ASSERT(read->id == sent.id);
      RC_ASSERT(read->pid == sent.pid);
      RC_ASSERT(read->seq == sent.seq);
      RC_ASSERT(read->ack == sent.ack);
      RC_ASSERT(read->notify == sent.notify);
    }
  });
}

TEST_CASE("an ordinary heartbeat is read without allocating, once the parser is warm") {
  const std::string once = with(R"("id": "pump-7", "pid": 26464, "seq": 12345678901, "later": [1, "x"])");
  const std::string twice = encoded_again(once);
  HeartbeatParser parser;
  REQUIRE(parser.parse(once));
  REQUIRE(parser.parse(twice));
  const auto before = allocations_made();
  for (int round = 0; round < 100; ++round) {
    REQUIRE(parser.parse(once));
    REQUIRE(parser.parse(twice));
  }
  const auto made = allocations_made() - before;
  CHECK(made == 0);
}

TEST_CASE("an ack repeats the number and tells the status") {
  std::string out;
  append_ack(out, 7, Status::Alive);
  CHECK(out == framed(R"({"type":"ack","seq":7,"status":"alive"})"));
  out.clear();
  append_ack(out, {}, Status::Leave);
  CHECK(out == framed(R"({"type":"ack","status":"leave"})"));
}

TEST_CASE("a welcome tells the settings in force") {
  std::string out;
  append_welcome(
      out,
      {.tick = 10s, .threshold = 5, .cursor = 3, .recover = 5, .leave_timeout = 30min, .frame_max = 4096});
  CHECK(out == framed(R"({"type":"welcome","tick_ms":10000,"threshold":5,"cursor":3,"recover":5,)"
                      R"("leave_timeout_ms":1800000,"max_frame":4096})"));
}

TEST_CASE("a status tells its reason, and a detail where there is one") {
  std::string out;
  append_status(out, Status::Leave, "silent");
  CHECK(out == framed(R"({"type":"status","status":"leave","reason":"silent"})"));
  out.clear();
  append_status(out, Status::Close, "bad_frame", "a \"quoted\" word");
  CHECK(out ==
        framed(R"({"type":"status","status":"close","reason":"bad_frame","detail":"a \"quoted\" word"})"));
}

TEST_CASE("frames are appended to what there is") {
  std::string out;
  append_ack(out, {}, Status::Alive);
  append_status(out, Status::Alive, "steady");
  CHECK(out == framed(R"({"type":"ack","status":"alive"})") +
                   framed(R"({"type":"status","status":"alive","reason":"steady"})"));
}

TEST_CASE("a client reads what the daemon sends") {
  const auto body = [](const std::string& frame) { return frame.substr(limits::kFramePrefixSize); };
  std::string out;

  append_ack(out, std::numeric_limits<std::uint64_t>::max(), Status::Leave);
  auto frame = parse_server_frame(body(out));
  REQUIRE(frame);
  CHECK(frame->type == "ack");
  CHECK(frame->status == "leave");
  CHECK(frame->seq == std::numeric_limits<std::uint64_t>::max());
  CHECK_FALSE(frame->welcome);

  out.clear();
  append_welcome(out, {.tick = 10ms,
                       .threshold = 1,
                       .cursor = 2,
                       .recover = 3,
                       .leave_timeout = 366 * 24h,
                       .frame_max = 100});
  frame = parse_server_frame(body(out));
  REQUIRE(frame);
  CHECK(frame->type == "welcome");
  REQUIRE(frame->welcome);
  CHECK(frame->welcome->tick == 10ms);
  CHECK(frame->welcome->threshold == 1);
  CHECK(frame->welcome->cursor == 2);
  CHECK(frame->welcome->recover == 3);
  CHECK(frame->welcome->leave_timeout == 366 * 24h);
  CHECK(frame->welcome->frame_max == 100);

  out.clear();
  append_status(out, Status::Close, "kicked", "by\nhand");
  frame = parse_server_frame(body(out));
  REQUIRE(frame);
  CHECK(frame->type == "status");
  CHECK(frame->status == "close");
  CHECK(frame->reason == "kicked");
  CHECK(frame->detail == "by\nhand");
  CHECK_FALSE(frame->seq);
}

TEST_CASE("a client ignores what a later daemon adds") {
  const auto frame = parse_server_frame(R"({"type":"news","seq":"text","status":5,"more":[{}]})");
  REQUIRE(frame);
  CHECK(frame->type == "news");
  CHECK_FALSE(frame->seq);
  CHECK(frame->status.empty());
}

TEST_CASE("a client names what it cannot read") {
  CHECK(parse_server_frame("hello").error() == "not a JSON object: hello");
  CHECK(parse_server_frame("[]").error() == "not a JSON object: []");
  CHECK(parse_server_frame("{}").error() == "no 'type' in {}");
  CHECK(parse_server_frame(R"({"type":1})").error() == R"(no 'type' in {\"type\":1})");
  CHECK(parse_server_frame("\n" + std::string(100, 'x')).error() ==
        "not a JSON object: \\n" + std::string(47, 'x') + "…");
  CHECK_FALSE(parse_server_frame(std::string(4096, '[')));
}

TEST_CASE("a token is read as it stands, and what cannot be one is a token that is wrong") {
  HeartbeatParser parser;
  const auto token_in = [&](const std::string& member) {
    return parser.parse("{\"ip\":\"a\",\"status\":\"alive\"" + member + "}")->token;
  };
  const std::string longest(limits::kTokenMax, 't');
  CHECK_FALSE(token_in(""));
  CHECK(token_in(",\"token\":\"" + longest + "\"") == longest);
  CHECK(token_in(",\"token\":\"" + longest + "t\"") == "");
  CHECK(token_in(",\"token\":5") == "");
  CHECK(token_in(",\"token\":[\"" + longest + "\"]") == "");
  CHECK(token_in(",\"token\":5,\"token\":\"" + longest + "\"") == longest);
  const Heartbeat heartbeat{.ip = "a", .token = longest};
  CHECK(parser.parse(encode(heartbeat))->token == longest);
  CHECK(parser.parse(encode_twice(heartbeat))->token == longest);
}
