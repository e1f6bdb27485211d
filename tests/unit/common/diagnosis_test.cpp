#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "common/frame.h"
#include "common/json_diagnosis.h"
#include "common/limits.h"
#include "common/message.h"
#include "common/stream_diagnosis.h"

using namespace heartbeat;
using namespace std::literals;

namespace {

constexpr std::size_t kFrameMax = 4096;
constexpr std::string_view kBody = R"({"ip":"192.168.1.105","status":"alive","pid":26464})";
static_assert(kBody.size() == 51);

std::string with_body(std::string_view before) {
  return std::string{before} + std::string{kBody};
}

struct Case {
  std::string bytes;
  std::string_view says;  // part of the sentence
};

// What the daemon says of bytes that it refuses by their length.
std::string of_length(std::string_view bytes) {
  FrameDecoder decoder;
  std::string_view input = bytes;
  CHECK(decoder.next(input, kFrameMax).state == FrameDecoder::State::Bad);
  return diagnose_length(bytes, kFrameMax);
}

// What it says of one frame whose body is refused.
std::string of_body(std::string_view body) {
  HeartbeatParser parser;
  const auto heartbeat = parser.parse(body);
  CHECK_FALSE(heartbeat);
  return heartbeat ? "" : diagnose_body(heartbeat.error(), body);
}

void check_all(const std::vector<Case>& cases, std::string (*diagnose)(std::string_view)) {
  for (const Case& each : cases) {
    const std::string sentence = diagnose(each.bytes);
    CAPTURE(sentence);
    CAPTURE(each.says);
    CHECK(sentence.find(each.says) != std::string::npos);
    CHECK(sentence.find('\n') == std::string::npos);
  }
}

}  // namespace

TEST_CASE("another protocol is named, with its first bytes") {
  check_all(
      {
          {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "this is an HTTP request; the bytes are \"GET / HTTP/1.1"},
          {"GET /ws HTTP/1.1\r\nUpgrade: WebSocket\r\n\r\n", "this is a WebSocket upgrade (HTTP)"},
          {"OPTIONS / HTTP/1.1\r\n", "this is an HTTP request"},
          {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "this is an HTTP/2 connection"},
          {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"s, "this is a TLS handshake"},
          {"SSH-2.0-OpenSSH_9.2\r\n", "this is SSH"},
          {"\x10\x0e\0\x04MQTT\x04\x02\0\x3c\0\x02id"s, "this is an MQTT connection"},
          {"\x10\x85\x01\0\x06MQIsdp\x03"s, "this is an MQTT connection"},
          {"*1\r\n$4\r\nPING\r\n", "this is a Redis command"},
          {"PING\r\n", "this is a Redis or NATS command"},
          {"CONNECT {\"verbose\":false}\r\n", "this is NATS"},
          {"CONNECT a:443 HTTP/1.1\r\n", "this is an HTTP request"},
          {"OPTIONS rtsp://a/ RTSP/1.0\r\n", "this is RTSP"},
          {"OPTIONS sip:a@b SIP/2.0\r\n", "this is SIP"},
          {"get foo\r\n", "this is a memcached command"},
          {"Content-Length: 51\r\n\r\n{}", "this is a Content-Length header"},
          {"\x81\x85\x01\x02\x03\x04"s, "this is a WebSocket frame"},
          {"PROXY TCP4 192.0.2.1 192.0.2.2 5 6\r\n", "this is a PROXY protocol v1 header"},
          {"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"s, "this is a PROXY protocol v2 header"},
          {"AMQP\0\0\x09\x01"s, "this is AMQP"},
          {"EHLO there\r\n", "this is SMTP"},
          {"\x05\x02\0\x02"s, "this is SOCKS5"},
      },
      of_length);
}

TEST_CASE("each protocol that is known by its first bytes is named") {
  check_all({{"HEAD / HTTP/1.1\r\n", "this is an HTTP request"},
             {"POST / HTTP/1.1\r\n", "this is an HTTP request"},
             {"PUT / HTTP/1.1\r\n", "this is an HTTP request"},
             {"DELETE / HTTP/1.1\r\n", "this is an HTTP request"},
             {"PATCH / HTTP/1.1\r\n", "this is an HTTP request"},
             {"TRACE / HTTP/1.1\r\n", "this is an HTTP request"},
             {"CONNECT\naccept-version:1.2\n", "this is STOMP"},
             {"STOMP\naccept-version:1.2\n", "this is STOMP"},
             {"ehlo there\r\n", "this is SMTP"},
             {"HELO there\r\n", "this is SMTP"},
             {"helo there\r\n", "this is SMTP"},
             {"USER anonymous\r\n", "this is FTP"},
             {"REGISTER sip:b SIP/2.0\r\n", "this is SIP"},
             {"INVITE sip:b SIP/2.0\r\n", "this is SIP"},
             {"DESCRIBE rtsp://a/ RTSP/1.0\r\n", "this is RTSP"},
             {"INFO\r\n", "this is a Redis command"},
             {"AUTH secret\r\n", "this is a Redis command"},
             {"HELLO 3\r\n", "this is a Redis command"},
             {"set foo 0 0 3\r\n", "this is a memcached command"},
             {"stats\r\n", "this is a memcached command"},
             {"version\r\n", "this is a memcached command"},
             {"\x03\0\0\x13\x0e"s, "this is a remote desktop connection (RDP)"},
             {"\x05\x01\0\x05"s, "this is SOCKS5"},
             {"\x04\x01\x1f\x90", "this is SOCKS4"},
             {"\xff\xfb\x18\xff", "this is telnet"},
             {"\xff\xfd\x18\xff", "this is telnet"},
             {"\xffSMB", "this is SMB"},
             {"ZBXD\x01\x0a", "this is Zabbix"},
             {"<?xml version", "this is XML"}},
            of_length);
  const std::string ssl_request = diagnose_unfinished("\0\0\0\x08\x04\xd2\x16\x2f"sv);
  CHECK(ssl_request.find("this is PostgreSQL") != std::string::npos);
}

TEST_CASE("the first four bytes alone are enough for a text protocol") {
  for (const std::string_view start : {"GET ", "POST", "SSH-", "PROX", "PRI ", "OPTI"}) {
    CAPTURE(start);
    CHECK(of_length(start).find("this is ") != std::string::npos);
  }
}

TEST_CASE("what is written in another format is named") {
  check_all({{"\x83\xa2ip\xa1x\xa6status"s, "this is MessagePack"},
             {"\xa3\x62ip\x61x\x66status"s, "this is CBOR"},
             {"\x1f\x8b\x08\0"s, "this is compressed data (gzip)"},
             {"x\x9c\xab\x56"s, "this is compressed data (zlib)"},
             {"x\x01\xab\x56"s, "this is compressed data (zlib)"},
             {"x\x5e\xab\x56"s, "this is compressed data (zlib)"},
             {"x\xda\xab\x56"s, "this is compressed data (zlib)"},
             {"\x04\x22\x4d\x18"s, "this is compressed data (LZ4)"},
             {"\xac\xed\0\x05"s, "this is Java serialization"},
             {"\x80\x01\0\x01"s, "this is Thrift"},
             {"\x80\x04\x95\x0d"s, "this is a Python pickle"},
             {"eyJpcCI6IjEwLjAuMC4xIn0=\n", "this is JSON in base64"}},
            of_length);
  check_all({{"\x83\xa2ip\xa1x\xa6status"s, "it is MessagePack, and must be plain JSON"},
             {"\xa3\x62ip\x61x\x66status"s, "it is CBOR, and must be plain JSON"},
             {"\x1f\x8b\x08\0"s, "it is compressed data (gzip), and must be plain JSON"},
             {"\x28\xb5\x2f\xfd\x04"s, "it is compressed data (Zstandard)"},
             {"eyJpcCI6IjEwLjAuMC4xIn0=", "it is JSON in base64, and must be plain JSON"},
             {"\n\x08"
              "10.0.0.1\x12\x05"
              "alive\x18\xe0\xce\x01",
              "is it a binary format, protobuf for example?"},
             {"\0\x12\0\x03\0\0"s, "is it a binary format, protobuf for example?"}},
            of_body);
}

TEST_CASE("a frame that was not finished is known by another protocol's first message") {
  const std::string_view startup = "\0\0\0\x21\0\x03\0\0user\0postgres\0\0"sv;
  CHECK(diagnose_unfinished(startup).find("this is PostgreSQL") != std::string::npos);
  CHECK(diagnose_unfinished("\0\0\0\x06\x01\x02"sv).find("does the length count its own four bytes?") !=
        std::string::npos);
}

TEST_CASE("JSON without a length is named, in either encoding") {
  check_all({{std::string{kBody}, "this is JSON without a length"},
             {R"("{\"ip\":\"a\",\"status\":\"alive\"}")", "this is JSON without a length"},
             {"\xef\xbb\xbf{\"ip\":", "behind a byte order mark"},
             {"{\0\"\0i\0p\0"s, "this is UTF-16, without a length"},
             {"{\0\0\0\"\0\0\0"s, "this is UTF-32, without a length"},
             {with_body("\n"), "this is JSON without a length"},
             {with_body("  "), "this is JSON without a length"}},
            of_length);
}

TEST_CASE("a length in another form is named, with what it reads as") {
  check_all(
      {{with_body("\x33\0\0\0"sv), "it reads as 51 in the other byte order: the length must be big-endian"},
       {"\x33\0\0\0"s, "it reads as 51 in the other byte order"},
       {with_body("\0\x33"sv), "it reads as 51 in two bytes: the length must be four bytes, big-endian"},
       {with_body("\x33\0"sv), "it reads as 51 in two bytes, in the other byte order"},
       {with_body("\x33"sv), "it reads as 51 in one byte"},
       {with_body("\0\0\0\0\0\0\0\x33"sv), "it reads as 51 in eight bytes: the length must be four bytes"},
       {with_body("\x33\0\0\0\0\0\0\0"sv), "it reads as 51 in eight bytes, in the other byte order"},
       {with_body("51"), "it reads as the length 51 in decimal text"},
       {with_body("51\n"), "it reads as the length 51 in decimal text"},
       {with_body("51:"), "it reads as the length 51 in decimal text"},
       {with_body("00000051"), "it reads as the length 00000051 in decimal text"},
       {with_body("  51"), "it reads as the length 51 in decimal text"},
       {with_body("00000033"), "in decimal text"},
       {with_body("0000003b"), "it reads as the length 0000003b in hexadecimal text"},
       {with_body("0x33 "), "it reads as the length 0x33 in hexadecimal text"},
       {with_body("3b\r\n"), "it reads as the length 3b in hexadecimal text"},
       {with_body("\x33\0\0"sv), "it reads as 51 in three bytes, in the other byte order"},
       {"\xc4\x01{\"note\":\"" + std::string(185, 'x') + "\"}",
        "it reads as 196 in a varint of two bytes: the length must be four bytes, big-endian"}},
      of_length);
}

TEST_CASE("what stands before the length, or between it and the body, is named by its place") {
  check_all(
      {{with_body("\x01\0\0\0\x33"sv), "begins only at byte 1: nothing may stand before the length"},
       {with_body("\n\0\0\0\x33"sv), "begins only at byte 1: nothing may stand before the length"},
       {with_body("HB\x01\0\0\0\0\x33"sv), "begins only at byte 4: nothing may stand before the length"},
       {with_body("\x02"sv), "JSON begins at byte 1: only its length may stand before it, four bytes"},
       {with_body("\0\0\0\0\0\0"sv), "JSON begins at byte 6: only its length may stand before it"}},
      of_length);
  check_all({{with_body("\x01"sv), "JSON begins only at byte 1, behind \"\\x01\": is that a second length"},
             {with_body("HBT1"), "JSON begins only at byte 4, behind \"HBT1\""},
             {with_body("\0\0\0\x33"sv), "JSON begins only at byte 4, behind \"\\x00\\x00\\x003\""}},
            of_body);
}

TEST_CASE("text that is neither JSON nor a known protocol is named as text") {
  for (const std::string_view text : {"alive\n", "heartbeat:1|c\n", "NICK a\r\n", "10.0.0.1;alive"}) {
    CAPTURE(text);
    CHECK(of_length(text).find("this is text, and no length") != std::string::npos);
  }
}

TEST_CASE("of a length that is only wrong nothing is guessed") {
  CHECK(diagnose_length("\0\0\0\0"sv, kFrameMax) ==
        R"(frame length 0 is not positive; the bytes are "\x00\x00\x00\x00")");
  CHECK(diagnose_length("\xff\xff\xff\xfb"sv, kFrameMax) ==
        R"(frame length -5 is not positive; the bytes are "\xff\xff\xff\xfb")");
  CHECK(diagnose_length("\0\0\x10\x01"sv, kFrameMax) ==
        R"(frame length 4097 is over the limit of 4096 bytes; the bytes are "\x00\x00\x10\x01")");
  CHECK(diagnose_length("\0\0\x10\x01{\"ip\""sv, kFrameMax).find("reads as") == std::string::npos);
}

TEST_CASE("a frame that was not finished says how much came, and whether it was whole") {
  check_all(
      {
          {with_body("\0\0\0\x37"sv),
           "55 bytes announced, 51 came; what came is whole JSON: the length must not count its own four "
           "bytes"},
          {with_body("\0\0\0\x34"sv),
           "52 bytes announced, 51 came; what came is whole JSON: does the length count"},
          {with_body("\0\0\0\x3c"sv),
           "60 bytes announced, 51 came; what came is whole JSON: the length is 9 too high"},
          {"\0\0\0\x33{\"ip\""s, "51 bytes announced, 5 came; the bytes are"},
          {"\0\0\0\x33"s, "51 bytes announced, 0 came"},
          {"\0\0\0\x08\x04\xd2\x16\x2f"s.substr(0, 7), "8 bytes announced, 3 came"},
          {"{}", "only 2 of the 4 bytes of a frame's length came; this is JSON without a length"},
          {"\0"s, "only 1 of the 4 bytes of a frame's length came"},
      },
      diagnose_unfinished);
}

TEST_CASE("of bad JSON the place is named, and what stands there") {
  check_all(
      {
          {R"({"ip":"10.0.0.1","status":"alive")",
           "it ends in the middle at byte 33: is the length too small?"},
          {"{\"ip\":\"caf\xc3\xa9\",\"status\":\"ali", "at byte 27: is the length in characters?"},
          {R"({"ip":"10.0.0.1","stat)", "it ends in the middle at byte 22"},
          {R"({"ip":"10.0.0.1","status":"\u00)", "it ends in the middle at byte 31"},
          {R"({'ip':'10.0.0.1'})", "but at byte 1 stands \"'ip':'10.0.0.1'}\": JSON has double quotes"},
          {R"({"ip":"10.0.0.1","status":"alive",})", "at byte 34 stands \"}\": is there a comma too many?"},
          {R"({"ip":"10.0.0.1","ack":True})",
           "at byte 23 stands \"True}\": JSON writes null, true and false"},
          {R"({"ip":"a","pid":NaN})", "at byte 16 stands \"NaN}\": JSON has no such value"},
          {R"({ip:"a"})", "at byte 1 stands \"ip:\\\"a\\\"}\": a name must stand in double quotes"},
          {R"({"ip":"a", status:"alive"})", ": a name must stand in double quotes"},
          {R"({/* it */"ip":"a"})", "JSON has no comments"},
          {"\xef\xbb\xbf" + std::string{kBody}, "it begins with a byte order mark"},
          {"{\0\"\0i\0p\0\"\0"s, "it is UTF-16, and must be UTF-8"},
          {std::string{kBody} + '\0', "follows, a NUL byte: is it the end of a C string, or is the length 1"},
          {std::string{kBody} + "\0\0"s, "is it the end of a C string, or is the length 2 too high?"},
          {std::string{kBody} + "\0\0\0\0\0"s, "is a whole buffer sent"},
          {std::string{kBody} + "\0\0\0\x37"s,
           "which is the next length: the length must not count its own four bytes"},
          {std::string{kBody} + std::string{kBody}, "a second object: each needs a length of its own"},
          {"ip=10.0.0.1&status=alive", "at byte 0 stands \"ip=10.0.0.1&status=alive\": is it JSON at all?"},
          {"   ", "nothing but white space"},
          {R"("{'ip':'10.0.0.1'}")",
           "JSON has double quotes, not single ones (in the string that the body holds)"},
      },
      of_body);
}

TEST_CASE("bytes that are not UTF-8 are named with their place") {
  check_all({{"{\"ip\":\"caf\xe9\",\"status\":\"alive\"}", "at byte 10 stands \"\\xe9\\\",\\\"status\\\""},
             {"{\"ip\":\"caf\xc3", "where the body ends: is the length in characters?"},
             {"\xff\xfe{\0\"\0"s, "it is UTF-16"},
             {std::string{kBody} + "\xff\xff"s, "the JSON is whole after 51 bytes"}},
            of_body);
}

TEST_CASE("of a wrong member its value is quoted") {
  check_all(
      {
          {R"({"ip":"a","status":"Alive"})", "but it is \"Alive\": statuses are written in lower case"},
          {R"({"ip":"a","status":"up"})",
           "'status' must be one of alive, live, leave, close, but it is \"up\""},
          {R"({"ip":"a","status":1})", "but it is the number 1"},
          {R"({"ip":"a","status":null})", "but it is null"},
          {R"({"ip":"","status":"alive"})", "'ip' must be a string, and not an empty one, but it is empty"},
          {R"({"ip":["a"],"status":"alive"})", "but it is an array"},
          {R"({"ip":{"v4":"a"},"status":"alive"})", "but it is an object"},
          {R"({"IP":"a","status":"alive"})",
           "'ip' is required, and there is 'IP': names are written in lower case"},
          {R"({"addr":"a","status":"alive"})", "and there is only 'addr', 'status'"},
          {"{}", "and the object is empty"},
          {R"({"type":"beat","data":{"ip":"a","status":"alive"}})",
           "there is only 'type', 'data': is it inside 'data'? It must stand in the outermost object"},
          {R"({"ip":"a"})", "the member 'status' is required, and there is only 'ip'"},
          {R"({"ip":"a","status":"alive","pid":-1})", "but it is the number -1"},
          {R"({"ip":"a","status":"alive","pid":"7"})", "but it is the text \"7\""},
          {R"({"ip":"a","status":"alive","pid":4294967296})", "but it is the number 4294967296"},
          {R"({"ip":"a","status":"alive","seq":1.5})", "but it is the number 1.5"},
          {R"({"ip":"a","status":"alive","ack":1})", "'ack' must be true or false, but it is the number 1"},
          {R"({"ip":"a","status":"alive","notify":"yes"})", "but it is the text \"yes\""},
          {R"({"ip":"a","status":"alive","id":"a\nb"})",
           "but it has characters that cannot be seen: \"a\\nb\""},
          {R"({"ip":"a","status":"alive","id":"10.0.0.7:4711"})",
           "but it reads as an address, and only a client without an id is named by one: \"10.0.0.7:4711\""},
          {R"({"ip":"a","status":"alive","id":7})", "but it is the number 7"},
          {R"({"ip":"a","status":"x","status":"up"})", "but it is \"up\""},
          {"[1, 2]", "but it is an array: \"[1, 2]\""},
          {"7", "but it is \"7\""},
          {R"("hello")", "stands \"hello\": is it JSON at all? (in the string"},
          {R"("{\"ip\":\"a\",\"status\":\"up\"}")", "but it is \"up\" (in the string that the body holds)"},
      },
      of_body);
  const std::string id(129, 'x');
  CHECK(of_body(R"({"ip":"a","status":"alive","id":")" + id + "\"}").find("but it has 129 bytes: \"xxx") !=
        std::string::npos);
}

TEST_CASE("a diagnosis quotes at most an excerpt, and is short whatever came") {
  const std::string long_text(limits::kFrameMax - 40, '\x01');
  constexpr std::size_t kShort = 600;
  CHECK(of_length(long_text).size() < kShort);
  CHECK(of_body(R"({"ip":"a","status":")" + std::string(3000, 'y') + "\"}").size() < kShort);
  CHECK(of_body('{' + long_text).size() < kShort);
  CHECK(of_body(std::string(3000, '[')).size() < kShort);
  std::string names = "{";
  for (int at = 0; at < 200; ++at) names += '"' + std::to_string(at) + "\":0,";
  CHECK(of_body(names + R"("x":1})").size() < kShort);
}

TEST_CASE("a diagnosis of any cut of any body says something") {
  for (std::size_t size = 1; size <= kBody.size(); ++size) {
    const std::string_view cut = kBody.substr(0, size);
    CHECK(!diagnose_body(BadInput::NotJson, cut).empty());
    std::string frame;
    append_frame(frame, kBody);
    CHECK(!diagnose_unfinished(std::string_view{frame}.substr(0, size)).empty());
  }
}
