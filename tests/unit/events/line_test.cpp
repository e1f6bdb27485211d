#include "common/events/line.h"

#include <doctest/doctest.h>

#include "common/events/crc32c.h"

namespace heartbeat::events {
namespace {

std::string sealed(std::string object) {
  seal_line(object, 0);
  object.pop_back();
  return object;
}

TEST_CASE("the checksum is CRC-32C: the check value, and the vectors of RFC 3720") {
  CHECK(crc32c("123456789") == 0xe3069283);
  CHECK(crc32c("") == 0);
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
}

TEST_CASE("a sealed line is true; cut off at any byte, or with any byte changed, it is not") {
  const std::string line = sealed(R"({"type":"event","seq":17,"client":"pump-7"})");
  REQUIRE(is_true_line(line));
  for (std::size_t size = 0; size < line.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(is_true_line(std::string_view{line}.substr(0, size)));
    std::string changed = line;
    changed[size] = static_cast<char>(changed[size] ^ 1);
    CHECK_FALSE(is_true_line(changed));
  }
}

TEST_CASE("a member is found by its name, and never inside a text of a client") {
  const std::string line =
      sealed(R"({"type":"event","client":"a\"seq\":9,\"boot\":\"x\"","boot":"b1","seq":17})");
  CHECK(number_in(line, "seq") == 17);
  CHECK(text_in(line, "boot") == "b1");
  CHECK_FALSE(number_in(line, "count"));
  CHECK_FALSE(number_in(line, "boot"));
  CHECK(text_in(line, "seq").empty());
}

TEST_CASE("the end of the last true line is found behind a torn one, a damaged one and none") {
  const std::string one = sealed(R"({"seq":1})") + "\n";
  const std::string two = sealed(R"({"seq":2})") + "\n";
  CHECK(end_of_last_true_line("") == 0);
  CHECK(end_of_last_true_line("\n") == 0);
  CHECK(end_of_last_true_line("torn") == 0);
  CHECK(end_of_last_true_line(one) == one.size());
  CHECK(end_of_last_true_line(one + two) == one.size() + two.size());
  CHECK(end_of_last_true_line(one + "{}\n\n") == one.size());
  CHECK(last_line(one + two) == two.substr(0, two.size() - 1));
  CHECK(last_line("").empty());
}

}  // namespace
}  // namespace heartbeat::events
