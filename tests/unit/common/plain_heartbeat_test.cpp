// The short way for the plain spelling reads exactly what the JSON library reads, or leaves it to that.
#include "common/plain_heartbeat.h"

#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/unit/support/property.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

std::string encoded_again(std::string_view json) {
  std::string text = "\"";
  for (const char c : json) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

// Bodies that are plain, by what stands in them.
std::vector<std::string> plain_bodies() {
  std::vector<std::string> bodies{
      R"({"ip": "192.168.1.105", "status": "alive", "pid": 26464})",
      R"({"ip":"a","status":"live"})",
      R"({"ip":"a","status":"live","id":"p"})",
      R"({"notify":true,"ack":false,"seq":9223372036854775807,"id":"pump-7 in hall B","pid":0,"status":"close","ip":"::1"})",
      R"({"ip":"a","status":"live","group":"sensors","interval_ms":60000,"quiet_ms":0})",
      R"({ "ip": "10.0.0.1" , "status": "leave" })",  // a blank before the colon would not be plain
      R"({"status": "alive", "ip": ")" + std::string(limits::kClaimedIpMax, '~') + R"(", "pid": 4294967295})",
      R"({"status": "alive", "ip": "{,}:", "id": ")" + std::string(limits::kIdMax, ' ') + R"("})",
  };
  for (std::size_t count = bodies.size(), index = 0; index < count; ++index) {
    bodies.push_back(encoded_again(bodies[index]));
  }
  return bodies;
}

bool same(const Heartbeat& a, const Heartbeat& b) {
  return a.ip == b.ip && a.status == b.status && a.id == b.id && a.pid == b.pid && a.seq == b.seq &&
         a.group == b.group && a.interval_ms == b.interval_ms && a.quiet_ms == b.quiet_ms && a.ack == b.ack &&
         a.notify == b.notify;
}

// Whether the short way reads it; what it reads must be what the JSON library does.
bool is_read_rightly(HeartbeatParser& library, std::string_view body, bool& right) {
  // Where the bytes end the memory ends, so that a sanitizer sees a step too far.
  const std::vector<char> exact{body.begin(), body.end()};
  Heartbeat plain;
  if (!read_plain_heartbeat({exact.data(), exact.size()}, plain)) return false;
  const auto full = library.parse_in_full(body);
  right = full && same(plain, *full);
  return true;
}

// How many of the bodies the short way reads, all of them rightly.
std::size_t count_read(HeartbeatParser& library, const std::vector<std::string>& bodies) {
  std::size_t read = 0;
  for (const std::string& body : bodies) {
    bool right = true;
    read += is_read_rightly(library, body, right) ? 1 : 0;
    if (right) continue;
    CAPTURE(body);
    CHECK_MESSAGE(right, "read otherwise than by the JSON library");
  }
  return read;
}

// Every body that one byte makes of this one: another in its place, one more, one less, and each beginning.
std::vector<std::string> neighbours(const std::string& body) {
  std::vector<std::string> found;
  for (std::size_t at = 0; at <= body.size(); ++at) {
    found.push_back(body.substr(0, at));
    if (at < body.size()) found.push_back(body.substr(0, at) + body.substr(at + 1));
    for (int byte = -128; byte < 128; ++byte) {
      const std::string one(1, static_cast<char>(byte));
      found.push_back(body.substr(0, at) + one + body.substr(at));
      if (at < body.size()) found.push_back(body.substr(0, at) + one + body.substr(at + 1));
    }
  }
  return found;
}

}  // namespace

TEST_CASE("a plain heartbeat is read the short way, in each of its spellings") {
  HeartbeatParser library;
  for (const std::string& body : plain_bodies()) {
    CAPTURE(body);
    bool right = false;
    CHECK(is_read_rightly(library, body, right));
    CHECK(right);
  }
}

TEST_CASE("what is not plain is left to the JSON library, which reads it") {
  HeartbeatParser library;
  Heartbeat plain;
  for (const char* body : {
           R"({"ip": "a", "status": "alive", "x": 1})",       // a member that is not known
           R"({"ip": "a", "status": "alive", "ip": "b"})",    // one given twice: the last counts
           R"({"ip": "a", "status": "alive", "ipid": "x"})",  // two that are known, in a row: not known
           R"({"ip": "a", "status": "alive", "statusseq": 7})",
           R"({"ip": "a", "status": "alive", "pid": 26464 , "seq":18446744073709551615})",
           R"({"ip": "\u0061", "status": "alive"})",  // an escape
           R"({"ip": "Grüße", "status": "alive"})",   // not ASCII
           R"({"ip":  "a", "status": "alive"})",      // two blanks
           R"({"ip" : "a", "status": "alive"})",
           "{\"ip\":\t\"a\", \"status\": \"alive\"}\n",
           R"(  {"ip": "a", "status": "alive"})",
           R"("{\"ip\": \"a\", \"status\": \"alive\"}" )",
           "{\"ip\": \"a\x7F\", \"status\": \"alive\"}",
       }) {
    CAPTURE(body);
    CHECK_FALSE(read_plain_heartbeat(body, plain));
    CHECK(library.parse_in_full(body).has_value());
  }
}

TEST_CASE("a key that begins with the name of a member is another key") {
  HeartbeatParser library;
  constexpr std::array kNames{"ip", "status", "pid", "id", "seq", "ack", "notify"};
  constexpr std::array kValues{R"("dd")", R"("leave")", "7", "true"};
  std::vector<std::string> bodies;
  for (const std::string first : kNames) {
    for (const std::string second : kNames) {
      for (const std::string between : {"", "\"", "\"\"", " "}) {
        for (const std::string value : kValues) {
          const std::string member = '"' + first + between + second + "\":" + value;
          bodies.push_back(R"({"ip":"i","status":"alive",)" + member + '}');
          bodies.push_back('{' + member + R"(,"ip":"i","status":"alive"})");
          bodies.push_back(encoded_again(bodies.back()));
        }
      }
    }
  }
  CHECK(count_read(library, bodies) == 0);
}

TEST_CASE("what is wrong is never read the short way") {
  HeartbeatParser library;
  Heartbeat plain;
  const std::string too_long(129, 'x');
  for (const std::string& body : {
           std::string{},
           std::string{"{"},
           std::string{"}"},
           std::string{"{}"},
           std::string{"\"\""},
           std::string{"\"}\""},
           std::string{R"({"ip": "a"})"},
           std::string{R"({"status": "alive"})"},
           std::string{R"({"ip": "a", "status": "alive", "id": "10.0.0.7:4711"})"},
           std::string{R"({"ip": "a", "status": "alive", "id": "::1"})"},
           R"({"ip": "a", "status": "alive", "id": ")" + too_long + R"("})",
           std::string{R"({"ip": "", "status": "alive"})"},
           std::string{R"({"ip": "a", "status": "alive", "id": ""})"},
           std::string{R"({"ip": "a", "status": "Alive"})"},
           std::string{R"({"ip": "a", "status": "aliveness"})"},
           std::string{R"({"ip": "a", "status": "alive", "pid": 4294967296})"},
           std::string{R"({"ip": "a", "status": "alive", "pid": 01})"},
           std::string{R"({"ip": "a", "status": "alive", "pid": -1})"},
           std::string{R"({"ip": "a", "status": "alive", "pid": 1.0})"},
           std::string{R"({"ip": "a", "status": "alive", "pid": })"},
           std::string{R"({"ip": "a", "status": "alive", "seq": 18446744073709551616})"},
           std::string{R"({"ip": "a", "status": "alive", "seq": 99999999999999999999999999999999999999999})"},
           std::string{R"({"ip": "a", "status": "alive", "ack": 1})"},
           std::string{R"({"ip": "a", "status": "alive",})"},
           std::string{R"({"ip": "a", "status": "alive"}})"},
           std::string{R"({"ip": "a", "status": "alive"}x)"},
           std::string{R"({"ip": "a, "status": "alive"})"},
       }) {
    CAPTURE(body);
    CHECK_FALSE(read_plain_heartbeat(body, plain));
    CHECK_FALSE(library.parse_in_full(body).has_value());
  }
}

TEST_CASE("one byte more, less or other: what the short way still reads, the JSON library reads the same") {
  HeartbeatParser library;
  for (const std::string& body : plain_bodies()) {
    if (body.size() > 100) continue;  // those of greatest length add time and no case
    CAPTURE(body);
    const auto bodies = neighbours(body);
    const std::size_t read = count_read(library, bodies);
    // Other letters in the texts are plain, broken structure is not.
    CHECK(read > bodies.size() / 100);
    CHECK(read < bodies.size() * 9 / 10);
  }
}

TEST_CASE("members in any order, with any values: read the same both ways") {
  const std::vector<std::string> members{
      R"("ip": "10.0.0.1")", R"("ip":"")",          R"("status": "alive")",   R"("status":"close")",
      R"("status": "no")",   R"("pid": 0)",         R"("pid":4294967296)",    R"("id": "pump")",
      R"("id": "p\"p")",     R"("seq":12345)",      R"("seq": -1)",           R"("ack": true)",
      R"("ack":null)",       R"("notify": false)",  R"("x": [1,{"ip":"b"}])", R"("i": "c")",
      R"("ipp": "d")",       R"("statu": "alive")", R"("pid": 1e2)",          R"("notify":true)"};
  const std::vector<std::string> between_members{",", ", ", " , ", ",  ", " ", ",,"};
  std::size_t read = 0;
  check_property(20'000, [&] {
    HeartbeatParser library;
    std::string body = "{" + *rc::gen::elementOf(members);
    for (int more = *between(0, 4); more > 0; --more) {
      // Mostly as it should be.
      const bool odd = *between(0, 9) == 0;
      body += odd ? *rc::gen::elementOf(between_members) : std::string{", "};
      body += *rc::gen::elementOf(members);
    }
    body += '}';
    if (*between(0, 1) == 1) body = encoded_again(body);
    bool right = true;
    read += is_read_rightly(library, body, right) ? 1 : 0;
    RC_ASSERT(right);
  });
  CHECK(read > 0);
}
