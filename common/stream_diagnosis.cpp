#include "common/stream_diagnosis.h"

#include <algorithm>
#include <array>

#include "common/frame.h"
#include "common/json_diagnosis.h"
#include "common/limits.h"
#include "common/text.h"

namespace heartbeat {
namespace {

using namespace std::string_view_literals;

using limits::kFramePrefixSize;

// A protocol that is recognised by how its stream begins.
struct Opening {
  std::string_view bytes;
  std::string_view name;
};

constexpr std::string_view kHttp = "an HTTP request";

// Longer openings stand before shorter ones that they begin with.
constexpr std::array kOpenings{
    Opening{"PRI * HTTP/2", "an HTTP/2 connection (gRPC, for example)"},
    Opening{"GET ", kHttp},
    Opening{"HEAD ", kHttp},
    Opening{"POST ", kHttp},
    Opening{"PUT ", kHttp},
    Opening{"DELETE ", kHttp},
    Opening{"PATCH ", kHttp},
    Opening{"OPTIONS ", kHttp},
    Opening{"TRACE ", kHttp},
    Opening{"CONNECT ", kHttp},
    Opening{"CONNECT\n", "STOMP"},
    Opening{"STOMP\n", "STOMP"},
    Opening{"SSH-", "SSH"},
    Opening{"\x16\x03", "a TLS handshake (0x16 0x03), and this listener speaks plain TCP"},
    Opening{"PROXY ", "a PROXY protocol v1 header, and it came from an address that is not in proxy_from"},
    Opening{"\r\n\r\n\0\r\nQUIT\n"sv,
            "a PROXY protocol v2 header, and it came from an address that is not in proxy_from"},
    Opening{"AMQP", "AMQP"},
    Opening{"EHLO ", "SMTP"},
    Opening{"HELO ", "SMTP"},
    Opening{"USER ", "FTP"},
    Opening{"REGISTER sip:", "SIP"},
    Opening{"INVITE sip:", "SIP"},
    Opening{"PING\r\n", "a Redis command"},
    Opening{"INFO\r\n", "a Redis command"},
    Opening{"AUTH ", "a Redis command"},
    Opening{"HELLO ", "a Redis command"},
    Opening{"stats\r\n", "a memcached command"},
    Opening{"version\r\n", "a memcached command"},
    Opening{"\0\0\0\x08\x04\xd2\x16\x2f"sv, "PostgreSQL"},
    Opening{"\x03\0\0"sv, "a remote desktop connection (RDP)"},
    Opening{"\x05\x01\0"sv, "SOCKS5"},
    Opening{"\x05\x02\0"sv, "SOCKS5"},
    Opening{"\x04\x01", "SOCKS4"},
    Opening{"\xff\xfb", "telnet"},
    Opening{"\xff\xfd", "telnet"},
    Opening{"\xffSMB", "SMB"},
    Opening{"\x1f\x8b", "gzip"},
    Opening{"<?xml", "XML"},
};

bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

// The unsigned number in the first `count` bytes.
std::uint64_t big_endian(std::string_view bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t at = 0; at < count; ++at) value = value << 8U | byte_at(bytes, at);
  return value;
}

std::uint64_t little_endian(std::string_view bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t at = count; at > 0; --at) value = value << 8U | byte_at(bytes, at - 1);
  return value;
}

// Whether a body of ours may begin here: an object, or a string that holds one.
bool begins_json(std::string_view bytes) {
  return bytes.starts_with('{') || bytes.starts_with("\"{") || bytes.starts_with(R"("\")") || bytes == "\"";
}

// MQTT's first packet: type 1, its length in one byte or two, then the protocol's name.
bool is_mqtt(std::string_view bytes) {
  if (!bytes.starts_with('\x10')) return false;
  for (const std::size_t at : {std::size_t{2}, std::size_t{3}}) {
    const std::string_view name = bytes.size() > at ? bytes.substr(at) : std::string_view{};
    if (name.starts_with("\0\x04MQTT"sv) || name.starts_with("\0\x06MQIsdp"sv)) return true;
  }
  return bytes.size() == 4 && (bytes.ends_with("\0\x04"sv) || bytes.ends_with("\0\x06"sv));
}

// A command of Redis as its libraries send it: `*1\r\n$4\r\nPING`.
bool is_redis_array(std::string_view bytes) {
  if (!bytes.starts_with('*') || bytes.size() < 4) return false;
  std::size_t at = 1;
  while (at < bytes.size() && is_digit(bytes[at])) ++at;
  return at > 1 && bytes.substr(at).starts_with("\r\n");
}

bool is_websocket_upgrade(std::string_view bytes) {
  std::string lower{bytes};
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char byte) {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte | 0x20) : byte;
  });
  return lower.find("upgrade: websocket") != std::string::npos;
}

std::string length_of(std::uint64_t length, std::string_view how) {
  return "it reads as " + std::to_string(length) + ' ' + std::string{how};
}

// The length as decimal text: `51{`, `51\n{`, `51:{`, `0051{`.  A single digit right before the body is more
// likely the byte 51, which is the digit 3.
std::string decimal_length(std::string_view bytes) {
  std::size_t digits = 0;
  while (digits < bytes.size() && is_digit(bytes[digits])) ++digits;
  if (digits == 0 || (digits < kFramePrefixSize && digits == bytes.size())) return {};
  std::string_view rest = bytes.substr(digits);
  if (digits == 1 && begins_json(rest)) return {};
  rest.remove_prefix(std::min(rest.find_first_not_of(" :;,|\r\n\t"), rest.size()));
  if (!rest.empty() && !begins_json(rest)) return {};
  return "it reads as the length " + std::string{bytes.substr(0, std::min<std::size_t>(digits, 20))} +
         " in decimal text: the length must be four bytes, big-endian";
}

// A length of another size or byte order than ours, known by the body that begins right behind it.
std::string other_integer(std::string_view bytes, std::size_t frame_max) {
  struct Form {
    std::size_t size;
    bool big;
    std::string_view how;
  };
  constexpr std::array kForms{
      Form{4, false, "in the other byte order: the length must be big-endian"},
      Form{1, true, "in one byte: the length must be four bytes, big-endian"},
      Form{2, true, "in two bytes: the length must be four bytes, big-endian"},
      Form{2, false, "in two bytes, in the other byte order: the length must be four bytes, big-endian"},
      Form{3, true, "in three bytes: the length must be four bytes, big-endian"},
      Form{8, true, "in eight bytes: the length must be four bytes, big-endian"},
      Form{8, false, "in eight bytes, in the other byte order: the length must be four bytes, big-endian"},
  };
  for (const Form& form : kForms) {
    if (bytes.size() <= form.size || !begins_json(bytes.substr(form.size))) continue;
    const std::uint64_t length = form.big ? big_endian(bytes, form.size) : little_endian(bytes, form.size);
    if (length >= 1 && length <= frame_max) return length_of(length, form.how);
  }
  // Nothing came behind it yet: only the usual mistake is named.
  if (bytes.size() != kFramePrefixSize) return {};
  const std::uint64_t length = little_endian(bytes, kFramePrefixSize);
  return length >= 1 && length <= frame_max ? length_of(length, kForms[0].how) : std::string{};
}

// What the bytes are, as a clause; empty where that is not known.
std::string what_it_is(std::string_view bytes, std::size_t frame_max) {
  if (bytes.starts_with("{\0"sv) || bytes.starts_with("\xff\xfe{\0"sv) ||
      bytes.starts_with("\xfe\xff\0{"sv)) {
    return "this is UTF-16, without a length: the body must be UTF-8";
  }
  if (begins_json(bytes) || bytes.starts_with('[')) {
    return "this is JSON without a length: each body needs its length before it, four bytes, big-endian";
  }
  if (bytes.starts_with("\xef\xbb\xbf{")) return "this is JSON without a length, behind a byte order mark";
  if (const std::string_view name = known_protocol(bytes); !name.empty()) {
    return "this is " + std::string{name};
  }
  if (std::string text = decimal_length(bytes); !text.empty()) return text;
  return other_integer(bytes, frame_max);
}

std::string quoted_bytes(std::string_view bytes) {
  return "the bytes are \"" + escaped(bytes, limits::kExcerptMax) + '"';
}

std::string with(std::string text, const std::string& clause) {
  if (!clause.empty()) text += "; " + clause;
  return text;
}

}  // namespace

std::string_view known_protocol(std::string_view bytes) {
  if (is_mqtt(bytes)) return "an MQTT connection";
  if (is_redis_array(bytes)) return "a Redis command";
  for (const Opening& opening : kOpenings) {
    // Four bytes are enough to know a text by, where no more has come.
    const bool cut = bytes.size() >= kFramePrefixSize && opening.bytes.starts_with(bytes);
    if (!cut && !bytes.starts_with(opening.bytes)) continue;
    if (opening.name == kHttp && is_websocket_upgrade(bytes)) return "a WebSocket upgrade (HTTP)";
    return opening.name;
  }
  return {};
}

std::string diagnose_length(std::string_view bytes, std::size_t frame_max) {
  const auto length =
      static_cast<std::int32_t>(static_cast<std::uint32_t>(big_endian(bytes, kFramePrefixSize)));
  std::string text = "frame length " + std::to_string(length);
  text += length > 0 ? " is over the limit of " + std::to_string(frame_max) + " bytes" : " is not positive";
  return with(with(std::move(text), what_it_is(bytes, frame_max)), quoted_bytes(bytes));
}

std::string diagnose_unfinished(std::string_view bytes) {
  if (bytes.size() < kFramePrefixSize) {
    std::string text = "only " + std::to_string(bytes.size()) + " of the 4 bytes of a frame's length came";
    if (begins_json(bytes) || bytes == "[]") text += "; this is JSON without a length";
    return with(std::move(text), quoted_bytes(bytes));
  }
  const std::uint64_t announced = big_endian(bytes, kFramePrefixSize);
  const std::string_view body = bytes.substr(kFramePrefixSize);
  std::string text = "the frame was not finished: " + std::to_string(announced) + " bytes announced, " +
                     std::to_string(body.size()) + " came";
  if (const std::string_view name = known_protocol(bytes); !name.empty()) {
    text += "; this is " + std::string{name};
  } else if (is_json(body)) {
    const std::uint64_t too_many = announced - body.size();
    text += "; what came is whole JSON: ";
    if (too_many == kFramePrefixSize) {
      text += "the length must not count its own four bytes";
    } else if (too_many == 1) {
      text += "does the length count a NUL byte or a line feed that was not sent?";
    } else {
      text += "the length is " + std::to_string(too_many) + " too high";
    }
  }
  return with(std::move(text), quoted_bytes(bytes));
}

}  // namespace heartbeat
