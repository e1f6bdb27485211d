// Numbers and bytes as a sequence of tagged fields: a form of data that programs of other versions can read.
//
// A field is a tag (2 bytes), the length of its value (4 bytes) and the value.  A number is as many bytes as
// it needs, none for 0 and 8 at most.  All numbers are little-endian.  A reader skips a field whose tag it
// does not know, and a field that is absent has its default: so either side may be the newer one.  A record
// is a value that is itself such a sequence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace heartbeat {

class FieldWriter {
 public:
  // Appends to `out`, which outlives this.
  explicit FieldWriter(std::string& out) : out_(out) {}

  void number(std::uint16_t tag, std::uint64_t value);
  // At most 4 GiB - 1.
  void bytes(std::uint16_t tag, std::string_view value);

  // A record: `write(FieldWriter&)` writes its fields.
  template <class Write>
  void record(std::uint16_t tag, Write write) {
    const std::size_t begin = begin_record(tag);
    write(*this);
    end_record(begin);
  }

 private:
  [[nodiscard]] std::size_t begin_record(std::uint16_t tag);
  void end_record(std::size_t begin);

  std::string& out_;
};

struct Field {
  std::uint16_t tag = 0;
  std::string_view value;  // of the bytes that are read

  // The value as a number; nothing if it is longer than 8 bytes.
  [[nodiscard]] std::optional<std::uint64_t> number() const;
};

class FieldReader {
 public:
  // `bytes` outlive this.
  explicit FieldReader(std::string_view bytes) : rest_(bytes) {}

  // The next field; nothing at the end, and nothing from the first field on that is cut off.
  [[nodiscard]] std::optional<Field> next();

  // Whether the end was reached with every field whole.
  [[nodiscard]] bool is_whole() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

// An envelope around such a sequence, so that a reader can refuse one that is damaged, or that was written by
// a program of a version that it cannot follow.
struct Envelope {
  std::uint32_t written_by = 0;   // the format's number at the writer
  std::uint32_t readable_by = 0;  // the lowest format's number that can read it
  std::string_view content;
};

// `magic` is 4 bytes long and says what the content is.
[[nodiscard]] std::string in_envelope(std::string_view magic, const Envelope& envelope);

// The envelope that starts with `magic`; nothing if the bytes are another thing, too short or too long, or
// not the fields that were written.
[[nodiscard]] std::optional<Envelope> open_envelope(std::string_view magic, std::string_view bytes);

}  // namespace heartbeat
