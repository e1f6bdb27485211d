#include "common/tagged_fields.h"

#include <array>
#include <bit>

namespace heartbeat {
namespace {

constexpr std::size_t kTagSize = 2;
constexpr std::size_t kLengthSize = 4;
constexpr std::size_t kHeadSize = kTagSize + kLengthSize;
constexpr std::size_t kNumberSize = 8;
constexpr std::size_t kMagicSize = 4;
// Magic, two format numbers of 4 bytes, length and checksum of 8 bytes.
constexpr std::size_t kEnvelopeSize = kMagicSize + 4 + 4 + 8 + 8;

void append(std::string& out, std::uint64_t value, std::size_t size) {
  std::array<char, kNumberSize> bytes{};
  for (std::size_t i = 0; i < size; ++i) bytes.at(i) = static_cast<char>(value >> (8 * i));
  out.append(bytes.data(), size);
}

std::uint64_t read(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[at + i])) << (8 * i);
  }
  return value;
}

// FNV-1a of 64 bits, eight bytes at a step: it finds damage, and keeps out no forger.
std::uint64_t checksum(std::string_view bytes) {
  constexpr std::uint64_t kPrime = 0x100000001b3;
  std::uint64_t sum = 0xcbf29ce484222325;
  while (bytes.size() >= kNumberSize) {
    sum = (sum ^ read(bytes, 0, kNumberSize)) * kPrime;
    sum ^= sum >> 32;
    bytes.remove_prefix(kNumberSize);
  }
  for (const char byte : bytes) sum = (sum ^ static_cast<std::uint8_t>(byte)) * kPrime;
  return sum;
}

}  // namespace

void FieldWriter::number(std::uint16_t tag, std::uint64_t value) {
  const std::size_t width = (static_cast<std::size_t>(std::bit_width(value)) + 7) / 8;
  append(out_, tag, kTagSize);
  append(out_, width, kLengthSize);
  append(out_, value, width);
}

void FieldWriter::bytes(std::uint16_t tag, std::string_view value) {
  append(out_, tag, kTagSize);
  append(out_, value.size(), kLengthSize);
  out_.append(value);
}

std::size_t FieldWriter::begin_record(std::uint16_t tag) {
  bytes(tag, {});
  return out_.size();
}

void FieldWriter::end_record(std::size_t begin) {
  std::string length;
  append(length, out_.size() - begin, kLengthSize);
  out_.replace(begin - kLengthSize, kLengthSize, length);
}

std::optional<std::uint64_t> Field::number() const {
  if (value.size() > kNumberSize) return {};
  return read(value, 0, value.size());
}

std::optional<Field> FieldReader::next() {
  if (rest_.size() < kHeadSize) return {};
  const std::uint64_t length = read(rest_, kTagSize, kLengthSize);
  if (length > rest_.size() - kHeadSize) return {};
  const Field field{.tag = static_cast<std::uint16_t>(read(rest_, 0, kTagSize)),
                    .value = rest_.substr(kHeadSize, length)};
  rest_.remove_prefix(kHeadSize + length);
  return field;
}

std::string in_envelope(std::string_view magic, const Envelope& envelope) {
  std::string out;
  out.reserve(kEnvelopeSize + envelope.content.size());
  out.append(magic);
  append(out, envelope.written_by, 4);
  append(out, envelope.readable_by, 4);
  append(out, envelope.content.size(), 8);
  append(out, checksum(envelope.content), 8);
  out.append(envelope.content);
  return out;
}

std::optional<Envelope> open_envelope(std::string_view magic, std::string_view bytes) {
  if (bytes.size() < kEnvelopeSize || !bytes.starts_with(magic)) return {};
  const Envelope envelope{.written_by = static_cast<std::uint32_t>(read(bytes, 4, 4)),
                          .readable_by = static_cast<std::uint32_t>(read(bytes, 8, 4)),
                          .content = bytes.substr(kEnvelopeSize)};
  if (read(bytes, 12, 8) != envelope.content.size()) return {};
  if (read(bytes, 20, 8) != checksum(envelope.content)) return {};
  return envelope;
}

}  // namespace heartbeat
