#include "common/proxy_header.h"

#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "common/limits.h"
#include "tests/unit/support/bytes.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;
using namespace std::string_literals;

namespace {

// Bytes as hexadecimal digits, with spaces between as one likes.
std::string hex(std::string_view digits) {
  std::string bytes;
  std::string pair;
  for (const char digit : digits) {
    if (digit != ' ') pair += digit;
    if (pair.size() < 2) continue;
    bytes += static_cast<char>(std::strtol(pair.c_str(), nullptr, 16));
    pair.clear();
  }
  return bytes;
}

const std::string kSignature = hex("0d0a0d0a000d0a515549540a");

// Version 2 with this command, family and content.
std::string header(std::uint8_t command, std::uint8_t family, std::string_view content) {
  std::string bytes = kSignature;
  bytes += static_cast<char>(command);
  bytes += static_cast<char>(family);
  bytes += static_cast<char>(content.size() >> 8U);
  bytes += static_cast<char>(content.size() & 0xFFU);
  return bytes.append(content);
}

std::string extension(std::uint8_t type, std::string_view value) {
  return std::string{static_cast<char>(type), static_cast<char>(value.size() >> 8U),
                     static_cast<char>(value.size() & 0xFFU)}
      .append(value);
}

const std::string kTcp4 = hex("0a000007 0a000001 8538 36b0");  // 10.0.0.7:34104 -> 10.0.0.1:14000
const std::string kFrame = framed(R"({"ip":"10.0.0.9","status":"alive","pid":7,"id":"pump-7"})");

// What HAProxy 2.6 was seen to send.
const std::string kSeenTcp4 = kSignature + hex("21 11 000c 7f000001 7f000001 8538 5aab");
const std::string kSeenTcp6 = kSignature + hex("21 21 0024 00000000000000000000000000000001"
                                               "00000000000000000000000000000001 e1ca 5ab0");
const std::string kSeenLocal = kSignature + hex("20 00 0000");
const std::string kSeenCertificate =
    kSignature + hex("21 11 0027 7f000001 7f000001 e7f2 5aad"
                     "20 0018 07 00000000 21 0007 544c5376312e33 22 0006 70756d702d37");
const std::string kSeenChecksum =
    kSignature + hex("21 11 003a 7f000001 7f000001 af9a 5aaf 03 0004 3acff20f 05 0024 3530383266"
                     "3662362d313731372d346538612d386631392d303238316566626261353933");
const std::string kSeenLine = "PROXY TCP4 127.0.0.1 127.0.0.1 38334 23212\r\n";
// A health check of a load balancer of AWS: LOCAL of TCP4, with extensions where the addresses would be.
const std::string kSeenCheckOfAws =
    kSignature + hex("20 11 0054 03 0004 bce5951f 04 004a") + std::string(0x4a, '\0');

struct Reading {
  ProxyHeader header;
  ProxyHeader::State state = ProxyHeader::State::NeedMore;
  std::string rest;  // behind the header
};

// In pieces of this many bytes, each a copy of its own.
Reading read(const std::string& bytes, std::size_t piece) {
  Reading reading;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const std::string copy = bytes.substr(at, piece);
    std::string_view input = copy;
    if (reading.state == ProxyHeader::State::NeedMore) reading.state = reading.header.read(input);
    reading.rest += input;
  }
  return reading;
}

std::string source_of(const std::string& bytes) {
  const Reading reading = read(bytes, bytes.size());
  if (reading.state != ProxyHeader::State::Whole) return "not whole: " + reading.header.why();
  const auto& source = reading.header.peer().source;
  return source ? to_string(*source) : "none";
}

std::string name_in(const std::string& bytes) {
  const Reading reading = read(bytes, bytes.size());
  return reading.state == ProxyHeader::State::Whole ? reading.header.peer().certificate_name
                                                    : "not whole: " + reading.header.why();
}

void check_bad(const std::string& bytes, BadInput kind, std::string_view why) {
  CAPTURE(bytes);
  for (const std::size_t piece : {bytes.size(), std::size_t{1}}) {
    const Reading reading = read(bytes, piece);
    CHECK(reading.state == ProxyHeader::State::Bad);
    CHECK(reading.header.kind() == kind);
    CHECK(reading.header.why().find(why) != std::string::npos);
    CAPTURE(reading.header.why());
  }
}

}  // namespace

TEST_CASE("headers as proxies send them give the address that the connection came from") {
  CHECK(source_of(kSeenTcp4) == "127.0.0.1:34104");
  CHECK(source_of(kSeenTcp6) == "[::1]:57802");
  CHECK(source_of(kSeenCertificate) == "127.0.0.1:59378");
  CHECK(source_of(kSeenChecksum) == "127.0.0.1:44954");
  CHECK(source_of(kSeenLine) == "127.0.0.1:38334");
  CHECK(source_of(kSeenLocal) == "none");
  CHECK(source_of(kSeenCheckOfAws) == "none");
}

TEST_CASE("a header may be split anywhere, and what follows it is left in the input") {
  for (const std::string& seen :
       {kSeenTcp4, kSeenTcp6, kSeenLocal, kSeenCertificate, kSeenChecksum, kSeenLine, kSeenCheckOfAws}) {
    const std::string bytes = seen + kFrame;
    const std::string expected = source_of(seen);
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
      CAPTURE(piece);
      const Reading reading = read(bytes, piece);
      REQUIRE(reading.state == ProxyHeader::State::Whole);
      CHECK(reading.rest == kFrame);
      const auto& source = reading.header.peer().source;
      CHECK((source ? to_string(*source) : "none") == expected);
    }
    for (std::size_t size = 0; size < seen.size(); ++size) {
      CAPTURE(size);
      CHECK(read(seen.substr(0, size), seen.size()).state == ProxyHeader::State::NeedMore);
    }
  }
}

TEST_CASE("a stream that does not begin as a header does is known by the first byte that differs") {
  check_bad(kFrame, BadInput::ProxyMissing, R"(the first bytes are "\x00")");
  check_bad("GET / HTTP/1.1\r\n\r\n", BadInput::ProxyMissing, R"(the first bytes are "G")");
  check_bad("PROFIT", BadInput::ProxyMissing, R"(the first bytes are "PROF")");
  check_bad("\r\n\r\n\r\n", BadInput::ProxyMissing, R"(\n\x0d")");
}

TEST_CASE("version 1 keeps the connection's own address for a protocol that is unknown to the proxy") {
  CHECK(source_of("PROXY UNKNOWN\r\n") == "none");
  CHECK(source_of("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n") == "none");
}

TEST_CASE("version 1 of IPv6 gives the address, and that of IPv4 where it stands in one of IPv6") {
  CHECK(source_of("PROXY TCP6 2001:db8::7 2001:db8::1 65535 0\r\n") == "[2001:db8::7]:65535");
  CHECK(source_of("PROXY TCP6 ::ffff:192.0.2.7 ::ffff:192.0.2.1 5 6\r\n") == "192.0.2.7:5");
}

TEST_CASE("a line that is no header of version 1 is refused") {
  for (const char* const line :
       {"PROXY \r\n", "PROXY UDP4 192.0.2.1 192.0.2.2 5 6\r\n", "PROXY  TCP4 192.0.2.1 192.0.2.2 5 6\r\n"}) {
    check_bad(line, BadInput::ProxyInvalid, "no known protocol");
  }
  for (const char* const line :
       {"PROXY TCP4\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 5\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 5 65536\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 05 6\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 -5 6\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 5 6 7\r\n",
        "PROXY TCP4 192.0.2.1  192.0.2.2 5 6\r\n", "PROXY TCP4 ::1 ::1 5 6\r\n",
        "PROXY TCP6 192.0.2.1 192.0.2.2 5 6\r\n", "PROXY TCP4 192.0.2.256 192.0.2.2 5 6\r\n"}) {
    check_bad(line, BadInput::ProxyInvalid, "two addresses and two ports");
  }
  check_bad("PROXY TCP4 192.0.2.1 192.0.2.2 5 6\n", BadInput::ProxyInvalid, "without a carriage return");
  check_bad("PROXY TCP4 192.0.2.1\0 192.0.2.2 5 6\r\n"s, BadInput::ProxyInvalid, "two addresses");
}

TEST_CASE("a line of version 1 may have 107 bytes, and not one more") {
  const std::string line = "PROXY UNKNOWN " + std::string(91, 'x') + "\r\n";
  REQUIRE(line.size() == 107);
  CHECK(source_of(line) == "none");
  CHECK(read(line + kFrame, line.size() + kFrame.size()).rest == kFrame);
  check_bad("PROXY UNKNOWN " + std::string(92, 'x') + "\r\n", BadInput::ProxyInvalid, "longer than 107");
}

TEST_CASE("version 2 keeps the connection's own address where it names none over TCP") {
  CHECK(source_of(header(0x21, 0x00, "")) == "none");
  CHECK(source_of(header(0x21, 0x00, "whatever follows")) == "none");
  CHECK(source_of(header(0x21, 0x12, kTcp4)) == "none");                      // UDP
  CHECK(source_of(header(0x21, 0x31, std::string(216, '/'))) == "none");      // a Unix socket
  CHECK(source_of(header(0x20, 0x11, kTcp4)) == "none");                      // LOCAL, with addresses
  CHECK(source_of(header(0x20, 0xFF, "no family that there is")) == "none");  // LOCAL, of any family
}

TEST_CASE("version 2 gives the address of IPv4 that stands in one of IPv6") {
  const std::string mapped =
      hex("00000000000000000000ffffc0000207 00000000000000000000ffffc0000201 0005 0006");
  CHECK(source_of(header(0x21, 0x21, mapped)) == "192.0.2.7:5");
}

TEST_CASE("another version, command, family or protocol is refused, and addresses that are cut short") {
  check_bad(header(0x11, 0x11, kTcp4), BadInput::ProxyInvalid, "the version is 1");
  check_bad(header(0x22, 0x11, kTcp4), BadInput::ProxyInvalid, "the command is 2");
  check_bad(header(0x21, 0x41, kTcp4), BadInput::ProxyInvalid, "the family is 4");
  check_bad(header(0x21, 0x13, kTcp4), BadInput::ProxyInvalid, "the protocol 3");
  check_bad(header(0x21, 0x11, kTcp4.substr(1)), BadInput::ProxyInvalid, "the addresses take 12 bytes");
  check_bad(header(0x21, 0x21, std::string(35, 'x')), BadInput::ProxyInvalid, "the addresses take 36");
  check_bad(header(0x21, 0x31, std::string(215, 'x')), BadInput::ProxyInvalid, "the addresses take 216");
}

TEST_CASE("a header of version 2 may be as long as the maximum, and one more is refused before it has come") {
  const std::string filler = extension(0x04, std::string(limits::kProxyHeaderMax - kTcp4.size() - 3, '\0'));
  CHECK(source_of(header(0x21, 0x11, kTcp4 + filler)) == "10.0.0.7:34104");
  const std::string too_long = header(0x21, 0x11, kTcp4 + filler + 'x');
  const std::string announcement = too_long.substr(0, 16);
  check_bad(announcement, BadInput::ProxyInvalid, "the length is 4097");
  check_bad(kSignature + hex("20 00 ffff"), BadInput::ProxyInvalid, "the length is 65535");
}

TEST_CASE("unknown extensions are skipped, and an extension that is longer than the header is refused") {
  CHECK(source_of(header(0x21, 0x11, kTcp4 + extension(0xEA, "\1vpce-08d2") + extension(0x77, ""))) ==
        "10.0.0.7:34104");
  check_bad(header(0x21, 0x11, kTcp4 + hex("04 0005 00000000")), BadInput::ProxyInvalid, "an extension");
  check_bad(header(0x21, 0x11, kTcp4 + hex("04 00")), BadInput::ProxyInvalid, "an extension");
}

TEST_CASE("a checksum must be right where there is one") {
  std::string wrong = kSeenChecksum;
  wrong.back() = 'x';  // in the unique id
  check_bad(wrong, BadInput::ProxyInvalid, "the checksum");
  check_bad(header(0x21, 0x11, kTcp4 + extension(0x03, "abc")), BadInput::ProxyInvalid, "the checksum");
  check_bad(header(0x21, 0x11, kTcp4 + extension(0x03, "")), BadInput::ProxyInvalid, "the checksum");
}

TEST_CASE("the name of a certificate is taken only where the proxy says that it verified the certificate") {
  const auto with = [](std::string_view flags_and_result, std::string_view more) {
    return header(0x21, 0x11, kTcp4 + extension(0x20, hex(flags_and_result).append(more)));
  };
  const std::string name = extension(0x22, "pump-7");
  CHECK(name_in(kSeenCertificate) == "pump-7");
  CHECK(name_in(with("07 00000000", name)) == "pump-7");
  CHECK(name_in(with("03 00000000", name)) == "pump-7");  // in this connection
  CHECK(name_in(with("05 00000000", name)) == "pump-7");  // in a session that is resumed
  CHECK(name_in(with("07 00000001", name)).empty());      // not verified
  CHECK(name_in(with("07 01000000", name)).empty());
  CHECK(name_in(with("06 00000000", name)).empty());  // no TLS
  CHECK(name_in(with("01 00000000", name)).empty());  // no certificate
  CHECK(name_in(with("07 00000000", "")).empty());
  CHECK(name_in(with("07 00000000", extension(0x22, "pump\n7"))).empty());
  CHECK(name_in(with("07 00000000", extension(0x22, std::string(255, 'n')))) == std::string(255, 'n'));
  CHECK(name_in(with("07 00000000", extension(0x22, std::string(256, 'n')))).empty());
}

TEST_CASE("an extension about TLS that contradicts itself is refused") {
  const std::string tls = extension(0x20, hex("07 00000000") + extension(0x22, "pump-7"));
  check_bad(header(0x21, 0x11, kTcp4 + tls + tls), BadInput::ProxyInvalid, "two extensions about TLS");
  check_bad(header(0x21, 0x11, kTcp4 + extension(0x20, hex("07 0000"))), BadInput::ProxyInvalid, "cut short");
  check_bad(header(0x21, 0x11, kTcp4 + extension(0x20, hex("07 00000000 22 0009 7075"))),
            BadInput::ProxyInvalid, "longer than what holds it");
  check_bad(header(0x21, 0x11,
                   kTcp4 + extension(0x20, hex("07 00000000") + extension(0x22, "a") + extension(0x22, "b"))),
            BadInput::ProxyInvalid, "two common names");
}

TEST_CASE("the beginning of a header is recognised where no header is expected") {
  CHECK(begins_as_proxy_header("PROX"));
  CHECK(begins_as_proxy_header(kSeenLine + kFrame));
  CHECK(begins_as_proxy_header(kSignature.substr(0, 5)));
  CHECK(begins_as_proxy_header(kSeenTcp4));
  CHECK_FALSE(begins_as_proxy_header("PRO"));
  CHECK_FALSE(begins_as_proxy_header("\r\n\r\n"));
  CHECK_FALSE(begins_as_proxy_header("\r\n\r\nx"));
  CHECK_FALSE(begins_as_proxy_header(kFrame));
  CHECK_FALSE(begins_as_proxy_header(""));
}
