#include "common/duration.h"

#include <doctest/doctest.h>

#include "tests/unit/support/print.h"
#include "tests/unit/support/property.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

std::string error_of(std::string_view text) {
  const auto parsed = parse_duration(text);
  return parsed ? "no error" : parsed.error();
}

}  // namespace

TEST_CASE("a duration is a whole number and its unit") {
  CHECK(parse_duration("250ms") == 250ms);
  CHECK(parse_duration("10s") == 10s);
  CHECK(parse_duration("30min") == 30min);
  CHECK(parse_duration("1h") == 1h);
  CHECK(parse_duration("2d") == 48h);
  CHECK(parse_duration("0s") == 0ms);
}

TEST_CASE("a bare number is refused with what was probably meant") {
  CHECK(error_of("10") == "'10' has no unit (did you mean 10s or 10ms?)");
}

TEST_CASE("what is not a duration moves no terminal by being repeated") {
  CHECK(error_of("\x1b[2J").starts_with(R"('\x1b[2J' is not a duration)"));
  CHECK(error_of("1\n").starts_with(R"('1\n' has an unknown unit '\n')"));
  CHECK(error_of("1\xFF").starts_with(R"('1\xff' has an unknown unit '\xff')"));
}

TEST_CASE("what is not a duration is refused by name") {
  for (const char* text : {"", "s", "ten seconds", "-1s", "-0s", "+1s", " 1s", ".5s"}) {
    CAPTURE(text);
    CHECK(error_of(text) ==
          "'" + std::string{text} + "' is not a duration (write it like 250ms, 10s, 30min or 1h)");
  }
  CHECK(error_of("1 s") == "'1 s' has an unknown unit ' s' (use ms, s, min, h or d)");
  CHECK(error_of("1s ") == "'1s ' has an unknown unit 's ' (use ms, s, min, h or d)");
  CHECK(error_of("1.5s") == "'1.5s' has an unknown unit '.5s' (use ms, s, min, h or d)");
  CHECK(error_of("1m") == "'1m' has an unknown unit 'm' (use ms, s, min, h or d)");
  CHECK(error_of("10S") == "'10S' has an unknown unit 'S' (use ms, s, min, h or d)");
}

TEST_CASE("a duration may be as long as can be counted in milliseconds and no longer") {
  CHECK(parse_duration("9223372036854775807ms") == Millis::max());
  CHECK(error_of("9223372036854775808ms") == "'9223372036854775808ms' is too long a duration");
  CHECK(parse_duration("9223372036854775s") == Millis{9'223'372'036'854'775'000});
  CHECK(error_of("9223372036854776s") == "'9223372036854776s' is too long a duration");
}

TEST_CASE("a duration is written in its largest whole unit") {
  CHECK(format_duration(0ms) == "0ms");
  CHECK(format_duration(1500ms) == "1500ms");
  CHECK(format_duration(90s) == "90s");
  CHECK(format_duration(1800s) == "30min");
  CHECK(format_duration(3600s) == "1h");
  CHECK(format_duration(48h) == "2d");
}

TEST_CASE("every duration is read back from how it is written") {
  check_property(1000, [] {
    const Millis duration{*rc::gen::positive<std::int64_t>()};
    RC_ASSERT(parse_duration(format_duration(duration)) == duration);
  });
}
