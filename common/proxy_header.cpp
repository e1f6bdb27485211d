#include "common/proxy_header.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <arpa/inet.h>

#include "common/limits.h"
#include "common/text.h"

namespace heartbeat {
namespace {

using namespace std::string_view_literals;

using State = ProxyHeader::State;

constexpr std::string_view kSignature1 = "PROXY ";
constexpr std::string_view kSignature2 = "\r\n\r\n\0\r\nQUIT\n"sv;

// Version 1: the longest line, as the protocol states it, with its end.
constexpr std::size_t kLineMax = 107;

// Version 2: the signature, version and command, family and protocol, two bytes of length.
constexpr std::size_t kFixedSize = 16;
constexpr std::size_t kCommandAt = 12;
constexpr std::size_t kFamilyAt = 13;
constexpr std::size_t kLengthAt = 14;

constexpr unsigned kVersion2 = 2;
constexpr unsigned kLocal = 0;
constexpr unsigned kProxy = 1;
constexpr unsigned kStream = 1;
constexpr unsigned kProtocolMax = 2;
enum Family : std::uint8_t { kUnspecified, kInet, kInet6, kUnix };
constexpr std::array<std::size_t, 4> kAddressesSize{0, 12, 36, 216};  // by family

// Extensions: a type, two bytes of length, a value.
constexpr std::size_t kExtensionHead = 3;
constexpr std::uint8_t kCrc32c = 0x03;
constexpr std::uint8_t kTls = 0x20;
constexpr std::uint8_t kTlsCommonName = 0x22;
// The value of kTls: a byte of flags, four bytes that are 0 where the certificate was verified, extensions.
constexpr std::size_t kTlsFixedSize = 5;
constexpr unsigned kClientUsedTls = 1;
constexpr unsigned kClientSentCertificate = 2 | 4;  // in this connection, or in this TLS session

std::uint8_t byte_of(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_of(bytes, at) << 8U | byte_of(bytes, at + 1));
}

// An IPv4 address in the form of IPv6, ::ffff:10.0.0.1, becomes that IPv4 address: a proxy that listens on
// both families sends it, and limits by address must not be evaded by the spelling.
Endpoint without_mapping(Endpoint endpoint) {
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (!std::equal(kMapped.begin(), kMapped.end(), endpoint.address.begin())) return endpoint;
  Endpoint plain{.port = endpoint.port, .family = Endpoint::Family::V4};
  std::copy(endpoint.address.begin() + kMapped.size(), endpoint.address.end(), plain.address.begin());
  return plain;
}

std::optional<Endpoint> parse_address(std::string_view text, Endpoint::Family family) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return {};
  std::copy(text.begin(), text.end(), terminated.begin());
  Endpoint endpoint{.family = family};
  const int af = family == Endpoint::Family::V4 ? AF_INET : AF_INET6;
  if (inet_pton(af, terminated.data(), endpoint.address.data()) != 1) return {};
  return endpoint;
}

// Decimal, 0 to 65535, without leading zeros.
std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || rest != text.data() + text.size()) return {};
  if (text.size() > 1 && text.front() == '0') return {};
  return port;
}

std::string_view take_word(std::string_view& line) {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(word.size() + 1, line.size()));
  return word;
}

// CRC-32C (RFC 3720, appendix B.4), one byte at a time by a table.
constexpr std::array<std::uint32_t, 256> kCrcTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1U ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
    table.at(byte) = crc;
  }
  return table;
}();

std::uint32_t crc32c(std::uint32_t crc, std::string_view bytes) {
  for (const char byte : bytes)
    crc = crc >> 8U ^ kCrcTable.at((crc ^ static_cast<std::uint8_t>(byte)) & 0xFFU);
  return crc;
}

// Whether the header's checksum, the four bytes at `at`, is that of the header with these bytes as 0.
bool has_checksum(std::string_view header, std::size_t at) {
  constexpr std::string_view kZeros = "\0\0\0\0"sv;
  std::uint32_t crc = crc32c(0xFFFFFFFFU, header.substr(0, at));
  crc = crc32c(crc, kZeros);
  crc = crc32c(crc, header.substr(at + kZeros.size())) ^ 0xFFFFFFFFU;
  return crc == (std::uint32_t{number_at(header, at)} << 16U | number_at(header, at + 2));
}

struct Extension {
  std::uint8_t type;
  std::string_view value;
};

// Takes the next extension off the front.  Nothing where it is longer than what is there.
std::optional<Extension> take_extension(std::string_view& bytes) {
  if (bytes.size() < kExtensionHead) return {};
  const std::size_t length = number_at(bytes, 1);
  if (bytes.size() - kExtensionHead < length) return {};
  const Extension extension{byte_of(bytes, 0), bytes.substr(kExtensionHead, length)};
  bytes.remove_prefix(kExtensionHead + length);
  return extension;
}

bool may_become(std::string_view bytes, std::string_view signature) {
  return bytes.size() < signature.size() ? signature.starts_with(bytes) : bytes.starts_with(signature);
}

}  // namespace

State ProxyHeader::read(std::string_view& input) {
  State state = read_signature(input);
  if (state == State::NeedMore && bytes_.starts_with(kSignature1)) state = read_line(input);
  if (state == State::NeedMore && bytes_.starts_with(kSignature2)) state = read_binary(input);
  if (state != State::NeedMore) bytes_ = {};
  return state;
}

// Byte by byte, so that a stream which is no header is known by its first byte that differs.
State ProxyHeader::read_signature(std::string_view& input) {
  while (!input.empty() && !bytes_.starts_with(kSignature1) && !bytes_.starts_with(kSignature2)) {
    bytes_ += input.front();
    if (!may_become(bytes_, kSignature1) && !may_become(bytes_, kSignature2)) {
      return refuse(BadInput::ProxyMissing, "the first bytes are \"" + escaped(bytes_) + '"');
    }
    input.remove_prefix(1);
  }
  return State::NeedMore;
}

// --- version 1 --------------------------------------------------------------------------------------------

State ProxyHeader::read_line(std::string_view& input) {
  const std::size_t room = kLineMax - bytes_.size();
  const std::size_t end = input.substr(0, room).find('\n');
  const std::size_t taken = end == std::string_view::npos ? std::min(input.size(), room) : end + 1;
  bytes_ += input.substr(0, taken);
  input.remove_prefix(taken);
  if (bytes_.ends_with("\r\n")) return parse_line(std::string_view{bytes_}.substr(0, bytes_.size() - 2));
  if (bytes_.ends_with('\n')) return invalid("the line of version 1 ends without a carriage return");
  if (bytes_.size() < kLineMax) return State::NeedMore;
  return invalid("the line of version 1 is longer than " + std::to_string(kLineMax) + " bytes");
}

State ProxyHeader::parse_line(std::string_view line) {
  const std::string quoted = "\"" + escaped(line) + '"';
  line.remove_prefix(kSignature1.size());
  const std::string_view protocol = take_word(line);
  if (protocol == "UNKNOWN") return State::Whole;  // whatever follows
  if (protocol != "TCP4" && protocol != "TCP6") return invalid("version 1 of no known protocol: " + quoted);

  const auto family = protocol == "TCP4" ? Endpoint::Family::V4 : Endpoint::Family::V6;
  auto source = parse_address(take_word(line), family);
  const auto destination = parse_address(take_word(line), family);
  const auto source_port = parse_port(take_word(line));
  const auto destination_port = parse_port(line);
  if (!source || !destination || !source_port || !destination_port) {
    return invalid("version 1 without two addresses and two ports: " + quoted);
  }
  source->port = *source_port;
  peer_.source = without_mapping(*source);
  return State::Whole;
}

// --- version 2 --------------------------------------------------------------------------------------------

State ProxyHeader::read_binary(std::string_view& input) {
  const auto take_up_to = [&](std::size_t size) {
    const std::string_view taken = input.substr(0, size - bytes_.size());
    bytes_ += taken;
    input.remove_prefix(taken.size());
    return bytes_.size() == size;
  };
  if (size_ == 0) {
    if (!take_up_to(kFixedSize)) return State::NeedMore;
    if (const State state = check_announcement(); state == State::Bad) return state;
  }
  return take_up_to(size_) ? parse_binary() : State::NeedMore;
}

// The first 16 bytes are there.  Nothing is allocated for the rest before its length has been checked.
State ProxyHeader::check_announcement() {
  const unsigned version = byte_of(bytes_, kCommandAt) >> 4U;
  const unsigned command = byte_of(bytes_, kCommandAt) & 0xFU;
  const unsigned family = byte_of(bytes_, kFamilyAt) >> 4U;
  const unsigned protocol = byte_of(bytes_, kFamilyAt) & 0xFU;
  const std::size_t length = number_at(bytes_, kLengthAt);
  if (version != kVersion2) return invalid("the version is " + std::to_string(version) + ", and not 2");
  if (command != kLocal && command != kProxy) {
    return invalid("the command is " + std::to_string(command) + ", and neither LOCAL nor PROXY");
  }
  if (length > limits::kProxyHeaderMax) {
    return invalid("the length is " + std::to_string(length) + ", and at most " +
                   std::to_string(limits::kProxyHeaderMax) + " bytes are read");
  }
  if (command == kProxy) {
    if (family > kUnix || protocol > kProtocolMax) {
      return invalid("the family is " + std::to_string(family) + " and the protocol " +
                     std::to_string(protocol) + ", which are not defined");
    }
    if (length < kAddressesSize.at(family)) {
      return invalid("the length is " + std::to_string(length) + ", and the addresses take " +
                     std::to_string(kAddressesSize.at(family)) + " bytes");
    }
  }
  size_ = kFixedSize + length;
  bytes_.reserve(size_);
  return State::NeedMore;
}

// LOCAL is skipped whatever its family is: a load balancer of AWS announces addresses there and sends none.
State ProxyHeader::parse_binary() {
  const std::string_view header = bytes_;
  const unsigned command = byte_of(header, kCommandAt) & 0xFU;
  const unsigned family = byte_of(header, kFamilyAt) >> 4U;
  const unsigned protocol = byte_of(header, kFamilyAt) & 0xFU;
  if (command == kLocal || family == kUnspecified) return State::Whole;

  const std::string_view addresses = header.substr(kFixedSize, kAddressesSize.at(family));
  if (protocol == kStream && family != kUnix) {
    const bool is_v4 = family == kInet;
    const std::size_t address_size = is_v4 ? 4 : 16;
    Endpoint source{.port = number_at(addresses, 2 * address_size),
                    .family = is_v4 ? Endpoint::Family::V4 : Endpoint::Family::V6};
    std::copy_n(addresses.begin(), address_size, source.address.begin());
    peer_.source = is_v4 ? source : without_mapping(source);
  }
  return parse_extensions(header.substr(kFixedSize + addresses.size()));
}

State ProxyHeader::parse_extensions(std::string_view extensions) {
  bool has_crc = false;
  bool has_tls = false;
  while (!extensions.empty()) {
    const auto extension = take_extension(extensions);
    if (!extension) return invalid("an extension is longer than the header");
    if (extension->type == kCrc32c) {
      if (std::exchange(has_crc, true)) return invalid("there are two checksums");
      const auto at = static_cast<std::size_t>(extension->value.data() - bytes_.data());
      if (extension->value.size() != 4 || !has_checksum(bytes_, at)) {
        return invalid("the checksum (CRC-32C) is wrong");
      }
    } else if (extension->type == kTls) {
      if (std::exchange(has_tls, true)) return invalid("there are two extensions about TLS");
      if (const State state = parse_tls(extension->value); state == State::Bad) return state;
    }
  }
  return State::Whole;
}

State ProxyHeader::parse_tls(std::string_view value) {
  if (value.size() < kTlsFixedSize) return invalid("the extension about TLS is cut short");
  const unsigned flags = byte_of(value, 0);
  const bool is_verified = number_at(value, 1) == 0 && number_at(value, 3) == 0;
  const bool has_certificate = (flags & kClientUsedTls) != 0 && (flags & kClientSentCertificate) != 0;
  value.remove_prefix(kTlsFixedSize);
  bool has_name = false;
  while (!value.empty()) {
    const auto extension = take_extension(value);
    if (!extension) return invalid("an extension about TLS is longer than what holds it");
    if (extension->type != kTlsCommonName || !has_certificate || !is_verified) continue;
    const std::string_view name = extension->value;
    if (std::exchange(has_name, true)) return invalid("there are two common names of one certificate");
    if (name.size() <= limits::kCertificateNameMax && is_printable(name)) peer_.certificate_name = name;
  }
  return State::NeedMore;  // of the header, which may go on
}

State ProxyHeader::refuse(BadInput kind, std::string why) {
  kind_ = kind;
  why_ = std::move(why);
  return State::Bad;
}

bool begins_as_proxy_header(std::string_view bytes) {
  constexpr std::size_t kDistinct1 = 4;
  constexpr std::size_t kDistinct2 = 5;
  return (bytes.size() >= kDistinct1 && may_become(bytes, kSignature1)) ||
         (bytes.size() >= kDistinct2 && may_become(bytes, kSignature2));
}

}  // namespace heartbeat
