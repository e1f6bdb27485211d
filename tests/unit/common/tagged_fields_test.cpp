#include "common/tagged_fields.h"

#include <string>

#include <doctest/doctest.h>

using namespace heartbeat;

namespace {

std::string some_fields() {
  std::string out;
  FieldWriter fields{out};
  fields.number(1, 0xfedcba9876543210);
  fields.bytes(2, "pump-7 in the cellar");
  fields.record(3, [](FieldWriter& record) {
    record.number(1, 7);
    record.bytes(2, {});
  });
  return out;
}

}  // namespace

TEST_CASE("fields are read as they were written") {
  const std::string written = some_fields();
  FieldReader fields{written};
  const auto number = fields.next();
  REQUIRE(number);
  CHECK(number->tag == 1);
  CHECK(number->number() == 0xfedcba9876543210);
  const auto bytes = fields.next();
  REQUIRE(bytes);
  CHECK(bytes->tag == 2);
  CHECK(bytes->value == "pump-7 in the cellar");
  CHECK_FALSE(bytes->number());
  const auto record = fields.next();
  REQUIRE(record);
  FieldReader inside{record->value};
  CHECK(inside.next()->number() == 7);
  CHECK(inside.next()->value.empty());
  CHECK_FALSE(inside.next());
  CHECK(inside.is_whole());
  CHECK_FALSE(fields.next());
  CHECK(fields.is_whole());
}

TEST_CASE("a number takes the bytes that it needs, and none for 0") {
  const auto bytes_of = [](std::uint64_t value) {
    std::string out;
    FieldWriter{out}.number(1, value);
    return FieldReader{out}.next()->value.size();
  };
  CHECK(bytes_of(0) == 0);
  CHECK(bytes_of(255) == 1);
  CHECK(bytes_of(256) == 2);
  CHECK(bytes_of(~std::uint64_t{0}) == 8);
  for (const std::uint64_t value :
       {std::uint64_t{0}, std::uint64_t{255}, std::uint64_t{256}, ~std::uint64_t{0}}) {
    std::string out;
    FieldWriter{out}.number(1, value);
    CHECK(FieldReader{out}.next()->number() == value);
  }
}

TEST_CASE("fields that are cut off anywhere are noticed") {
  const std::string written = some_fields();
  for (std::size_t length = 1; length < written.size(); ++length) {
    FieldReader fields{std::string_view{written}.substr(0, length)};
    std::size_t read = 0;
    while (const auto field = fields.next()) read += 6 + field->value.size();
    CHECK(fields.is_whole() == (read == length));
    CHECK(read <= length);
  }
}

TEST_CASE("an envelope gives back what was put in") {
  const std::string sealed =
      in_envelope("TEST", {.written_by = 3, .readable_by = 2, .content = "some content"});
  const auto envelope = open_envelope("TEST", sealed);
  REQUIRE(envelope);
  CHECK(envelope->written_by == 3);
  CHECK(envelope->readable_by == 2);
  CHECK(envelope->content == "some content");
  CHECK_FALSE(open_envelope("MINE", sealed));
}

TEST_CASE("an envelope of which a byte is missing, added or changed is refused") {
  const std::string sealed =
      in_envelope("TEST", {.written_by = 3, .readable_by = 2, .content = "0123456789"});
  for (std::size_t length = 0; length < sealed.size(); ++length) {
    CHECK_FALSE(open_envelope("TEST", std::string_view{sealed}.substr(0, length)));
  }
  CHECK_FALSE(open_envelope("TEST", sealed + '.'));
  constexpr std::size_t kVersionsBegin = 4;
  constexpr std::size_t kVersionsEnd = 12;
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    if (at >= kVersionsBegin && at < kVersionsEnd) continue;  // the two numbers are judged by the reader
    std::string damaged = sealed;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    CAPTURE(at);
    CHECK_FALSE(open_envelope("TEST", damaged));
  }
}
