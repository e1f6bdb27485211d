#include "common/stream_diagnosis.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

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
    Opening{"ehlo ", "SMTP"},
    Opening{"HELO ", "SMTP"},
    Opening{"helo ", "SMTP"},
    Opening{"USER ", "FTP"},
    Opening{"REGISTER sip:", "SIP"},
    Opening{"INVITE sip:", "SIP"},
    Opening{"DESCRIBE ", "RTSP"},
    Opening{"Content-Length:", "a Content-Length header (HTTP, or the Language Server Protocol)"},
    Opening{"PING\r\n", "a Redis or NATS command"},
    Opening{"INFO\r\n", "a Redis command"},
    Opening{"AUTH ", "a Redis command"},
    Opening{"HELLO ", "a Redis command"},
    Opening{"get ", "a memcached command"},
    Opening{"set ", "a memcached command"},
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
    Opening{"ZBXD\x01", "Zabbix"},
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

// The first message of PostgreSQL: its length, and protocol version 3.0.
bool is_postgresql(std::string_view bytes) {
  return bytes.size() >= 8 && bytes.substr(kFramePrefixSize).starts_with("\0\x03\0\0"sv);
}

// A last fragment of text, from a client, whose frames are masked.
bool is_websocket_frame(std::string_view bytes) {
  return bytes.size() >= 2 && bytes.starts_with('\x81') && byte_at(bytes, 1) >= 0x80;
}

// Protocols that have a method of HTTP's name, and say in the first line what they are.
std::string_view behind_http_method(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, bytes.find('\n'));
  if (line.find(" RTSP/") != std::string_view::npos) return "RTSP";
  if (line.find(" SIP/") != std::string_view::npos) return "SIP";
  if (line.starts_with("CONNECT {")) return "NATS";
  return {};
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

// The length as decimal text: `51{`, `51\n{`, `51:{`, `0051{`, `  51{`.  A single digit right before the body
// is more likely the byte 51, which is the digit 3.
std::string decimal_length(std::string_view bytes) {
  bytes.remove_prefix(std::min(bytes.find_first_not_of(' '), bytes.size()));
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

// The length as hexadecimal text: `0000002e{`, `0x2e {`, `2e\r\n{` (a chunk of HTTP).
std::string hexadecimal_length(std::string_view bytes) {
  std::string_view text = bytes;
  if (text.starts_with("0x")) text.remove_prefix(2);
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length, 16);
  if (error != std::errc{}) return {};
  const std::string_view digits = bytes.substr(0, static_cast<std::size_t>(end - bytes.data()));
  std::string_view rest = bytes.substr(digits.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(" :;,|\r\n\t"), rest.size()));
  if (digits.size() == 1 || !begins_json(rest)) return {};
  return "it reads as the length " + std::string{digits} +
         " in hexadecimal text: the length must be four bytes, big-endian";
}

// The number of seven bits a byte, the lowest first, as Protocol Buffers writes lengths.
std::uint64_t varint_of_two(std::string_view bytes) {
  const unsigned low = byte_at(bytes, 0);
  const unsigned high = byte_at(bytes, 1);
  return low >= 0x80 && high < 0x80 ? (low & 0x7FU) | high << 7U : 0;
}

// A length of another size or byte order than ours, known by the body that begins right behind it.  A form
// whose length fits the body comes before one that is only possible.
std::string other_integer(std::string_view bytes, std::size_t frame_max) {
  constexpr std::size_t kBodyMin = 20;  // no heartbeat is shorter
  struct Form {
    std::size_t size;
    enum class Order : std::uint8_t { Big, Little, Varint } order;
    std::string_view how;
  };
  using Order = Form::Order;
  constexpr std::array kForms{
      Form{4, Order::Little, "in the other byte order: the length must be big-endian"},
      Form{1, Order::Big, "in one byte: the length must be four bytes, big-endian"},
      Form{2, Order::Big, "in two bytes: the length must be four bytes, big-endian"},
      Form{2, Order::Little,
           "in two bytes, in the other byte order: the length must be four bytes, big-endian"},
      Form{2, Order::Varint, "in a varint of two bytes: the length must be four bytes, big-endian"},
      Form{3, Order::Big, "in three bytes: the length must be four bytes, big-endian"},
      Form{3, Order::Little,
           "in three bytes, in the other byte order: the length must be four bytes, big-endian"},
      Form{8, Order::Big, "in eight bytes: the length must be four bytes, big-endian"},
      Form{8, Order::Little,
           "in eight bytes, in the other byte order: the length must be four bytes, big-endian"},
  };
  std::string possible;
  for (const Form& form : kForms) {
    if (bytes.size() <= form.size || !begins_json(bytes.substr(form.size))) continue;
    const std::uint64_t length = form.order == Order::Big      ? big_endian(bytes, form.size)
                                 : form.order == Order::Little ? little_endian(bytes, form.size)
                                                               : varint_of_two(bytes);
    if (length < 1 || length > frame_max) continue;
    const std::string_view body = bytes.substr(form.size);
    if (body.size() >= length && is_json(body.substr(0, length))) return length_of(length, form.how);
    // Any byte may be a length of one byte, so there must be no more of the body than that.
    const bool may_be = length >= kBodyMin && (form.size > 1 || body.size() < length);
    if (possible.empty() && may_be) possible = length_of(length, form.how);
  }
  if (!possible.empty()) return possible;
  // Nothing came behind it yet: only the usual mistake is named.
  if (bytes.size() != kFramePrefixSize) return {};
  const std::uint64_t length = little_endian(bytes, kFramePrefixSize);
  return length >= 1 && length <= frame_max ? length_of(length, kForms[0].how) : std::string{};
}

// JSON that does not begin where a length could end: something else stands before it.
std::string behind_other_bytes(std::string_view bytes, std::size_t frame_max) {
  const auto at = find_object(bytes);
  if (!at || *at == kFramePrefixSize) return {};
  if (*at > kFramePrefixSize) {
    const std::size_t length_at = *at - kFramePrefixSize;
    const std::uint64_t length = big_endian(bytes.substr(length_at), kFramePrefixSize);
    if (length >= 1 && length <= frame_max) {
      return "a length with JSON behind it begins only at byte " + std::to_string(length_at) +
             ": nothing may stand before the length, or between two frames";
    }
  }
  return "JSON begins at byte " + std::to_string(*at) +
         ": only its length may stand before it, four bytes, big-endian";
}

bool is_text(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char byte) {
    return (byte >= ' ' && byte <= '~') || byte == '\r' || byte == '\n' || byte == '\t';
  });
}

// What the bytes are, as a clause; empty where that is not known.
std::string what_it_is(std::string_view bytes, std::size_t frame_max) {
  if (bytes.starts_with("{\0\0\0"sv) || bytes.starts_with("\0\0\0{"sv)) {
    return "this is UTF-32, without a length: the body must be UTF-8";
  }
  if (bytes.starts_with("{\0"sv) || bytes.starts_with("\xff\xfe{\0"sv) ||
      bytes.starts_with("\xfe\xff\0{"sv)) {
    return "this is UTF-16, without a length: the body must be UTF-8";
  }
  const std::string_view unspaced = bytes.substr(std::min(bytes.find_first_not_of(" \t\r\n"), bytes.size()));
  const bool has_length = !bytes.empty() && is_json(bytes.substr(1, byte_at(bytes, 0)));
  if (begins_json(bytes) || bytes.starts_with('[') || (find_object(unspaced) == 0 && !has_length)) {
    return "this is JSON without a length: each body needs its length before it, four bytes, big-endian";
  }
  if (bytes.starts_with("\xef\xbb\xbf{")) return "this is JSON without a length, behind a byte order mark";
  if (const std::string_view name = known_protocol(bytes); !name.empty()) {
    return "this is " + std::string{name};
  }
  for (std::string text : {decimal_length(bytes), hexadecimal_length(bytes), other_integer(bytes, frame_max),
                           behind_other_bytes(bytes, frame_max)}) {
    if (!text.empty()) return text;
  }
  if (is_text(bytes))
    return "this is text, and no length: each body needs its length, four bytes, big-endian";
  return {};
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
  if (is_postgresql(bytes)) return "PostgreSQL";
  if (is_websocket_frame(bytes)) return "a WebSocket frame";
  if (const std::string_view name = known_encoding(bytes); !name.empty()) return name;
  for (const Opening& opening : kOpenings) {
    // Four bytes are enough to know a text by, where no more has come.
    const bool cut = bytes.size() >= kFramePrefixSize && opening.bytes.starts_with(bytes);
    if (!cut && !bytes.starts_with(opening.bytes)) continue;
    if (opening.name != kHttp) return opening.name;
    if (is_websocket_upgrade(bytes)) return "a WebSocket upgrade (HTTP)";
    if (const std::string_view other = behind_http_method(bytes); !other.empty()) return other;
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
  } else if (!body.empty() && announced - body.size() == kFramePrefixSize) {
    text += "; four bytes are missing: does the length count its own four bytes?";
  }
  return with(std::move(text), quoted_bytes(bytes));
}

}  // namespace heartbeat
