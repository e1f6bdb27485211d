#include "common/frame.h"

#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "common/limits.h"
#include "tests/unit/support/allocations.h"
#include "tests/unit/support/bytes.h"
#include "tests/unit/support/print.h"
#include "tests/unit/support/property.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

using State = FrameDecoder::State;
using Bodies = std::vector<std::string>;

constexpr std::size_t kMax = limits::kFrameMax;

// The bodies of all the frames that end in these bytes, which must all be good.
Bodies take_all(FrameDecoder& decoder, std::string_view bytes) {
  Bodies bodies;
  for (;;) {
    const auto result = decoder.next(bytes, kMax);
    REQUIRE(result.state != State::Bad);
    if (result.state == State::NeedMore) break;
    bodies.emplace_back(result.body);
  }
  CHECK(bytes.empty());
  return bodies;
}

// What the decoder says of a frame's length, its prefix arriving whole or byte by byte.
void check_refused(std::int32_t length, BadInput expected) {
  CAPTURE(length);
  const std::string bytes = prefix(length);
  SUBCASE("whole") {
    FrameDecoder decoder;
    std::string_view input = bytes;
    const auto result = decoder.next(input, kMax);
    CHECK(result.state == State::Bad);
    CHECK(result.error == expected);
    CHECK(result.length == length);
  }
  SUBCASE("byte by byte") {
    FrameDecoder decoder;
    for (std::size_t at = 0; at < 3; ++at) {
      std::string_view input = std::string_view{bytes}.substr(at, 1);
      REQUIRE(decoder.next(input, kMax).state == State::NeedMore);
    }
    std::string_view input = std::string_view{bytes}.substr(3);
    const auto result = decoder.next(input, kMax);
    CHECK(result.state == State::Bad);
    CHECK(result.error == expected);
    CHECK(result.length == length);
  }
}

}  // namespace

TEST_CASE("a frame that arrives whole is one body") {
  FrameDecoder decoder;
  CHECK(take_all(decoder, framed("hello")) == Bodies{"hello"});
  CHECK_FALSE(decoder.in_frame());
}

TEST_CASE("frames glued together come out one by one") {
  FrameDecoder decoder;
  CHECK(take_all(decoder, framed("one") + framed("two") + framed("three")) == Bodies{"one", "two", "three"});
}

TEST_CASE("a frame may arrive one byte at a time") {
  FrameDecoder decoder;
  const std::string bytes = framed("hello") + framed("x");
  Bodies bodies;
  for (const char byte : bytes) {
    for (const std::string& body : take_all(decoder, {&byte, 1})) bodies.push_back(body);
  }
  CHECK(bodies == Bodies{"hello", "x"});
}

TEST_CASE("two glued frames may be split at every position") {
  const std::string bytes = framed("hello") + framed("world");
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    CAPTURE(cut);
    FrameDecoder decoder;
    Bodies bodies = take_all(decoder, bytes.substr(0, cut));
    for (const std::string& body : take_all(decoder, bytes.substr(cut))) bodies.push_back(body);
    CHECK(bodies == Bodies{"hello", "world"});
  }
}

TEST_CASE("a frame cut off at any length gives nothing and is waited for") {
  const std::string bytes = framed("hello");
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CAPTURE(length);
    FrameDecoder decoder;
    CHECK(take_all(decoder, bytes.substr(0, length)).empty());
    CHECK(decoder.in_frame() == (length > 0));
  }
}

TEST_CASE("a length of zero is refused") {
  check_refused(0, BadInput::LengthZero);
}

TEST_CASE("a negative length is refused") {
  SUBCASE("-1") {
    check_refused(-1, BadInput::LengthNegative);
  }
  SUBCASE("the smallest") {
    check_refused(std::numeric_limits<std::int32_t>::min(), BadInput::LengthNegative);
  }
}

TEST_CASE("a length one past the maximum is refused") {
  SUBCASE("max + 1") {
    check_refused(static_cast<std::int32_t>(kMax) + 1, BadInput::LengthOverMax);
  }
  SUBCASE("2^31 - 1") {
    check_refused(std::numeric_limits<std::int32_t>::max(), BadInput::LengthOverMax);
  }
}

TEST_CASE("a body of the maximum length is a frame") {
  const std::string longest(kMax, 'x');
  FrameDecoder whole;
  CHECK(take_all(whole, framed(longest)) == Bodies{longest});
  FrameDecoder split;
  CHECK(take_all(split, framed(longest).substr(0, 100)).empty());
  CHECK(take_all(split, framed(longest).substr(100)) == Bodies{longest});
}

TEST_CASE("the maximum is the caller's") {
  FrameDecoder decoder;
  const std::string bytes = framed("sixsix");
  std::string_view input = bytes;
  CHECK(decoder.next(input, 5).state == State::Bad);
  FrameDecoder wider;
  input = bytes;
  CHECK(wider.next(input, 6).state == State::Frame);
}

TEST_CASE("frames before a bad one still come out") {
  FrameDecoder decoder;
  const std::string bytes = framed("good") + prefix(0) + "more";
  std::string_view input = bytes;
  CHECK(decoder.next(input, kMax).body == "good");
  CHECK(decoder.next(input, kMax).state == State::Bad);
}

TEST_CASE("nothing is allocated from a length that was not checked") {
  FrameDecoder decoder;
  const std::string bytes = prefix(std::numeric_limits<std::int32_t>::max()) + "x";
  std::string_view input = bytes;
  const auto before = allocations_made();
  const auto result = decoder.next(input, kMax);
  CHECK(allocations_made() == before);
  CHECK(result.state == State::Bad);
}

TEST_CASE("a frame that lies whole in the input is neither copied nor held") {
  FrameDecoder decoder;
  const std::string bytes = framed("hello");
  std::string_view input = bytes;
  const auto before = allocations_made();
  const auto result = decoder.next(input, kMax);
  CHECK(allocations_made() == before);
  CHECK(result.body.data() == bytes.data() + limits::kFramePrefixSize);
  CHECK_FALSE(decoder.in_frame());
}

TEST_CASE("memory is held only while a frame is unfinished") {
  FrameDecoder decoder;
  const std::string bytes = framed(std::string(1000, 'x'));
  const auto before = allocations_live();

  std::string_view input = std::string_view{bytes}.substr(0, 500);
  CHECK(decoder.next(input, kMax).state == State::NeedMore);
  CHECK(decoder.in_frame());
  CHECK(allocations_live() > before);

  input = std::string_view{bytes}.substr(500);
  CHECK(decoder.next(input, kMax).state == State::Frame);
  CHECK_FALSE(decoder.in_frame());
  CHECK(decoder.next(input, kMax).state == State::NeedMore);
  CHECK_FALSE(decoder.in_frame());
  CHECK(allocations_live() == before);
}

TEST_CASE("an unfinished frame is held in two blocks, however it is dribbled") {
  FrameDecoder decoder;
  const std::string bytes = framed(std::string(kMax, 'x'));
  const auto before = allocations_made();
  for (const char byte : std::string_view{bytes}.substr(0, bytes.size() - 1)) {
    std::string_view input{&byte, 1};
    REQUIRE(decoder.next(input, kMax).state == State::NeedMore);
  }
  CHECK(allocations_made() - before == 2);
}

TEST_CASE("the body of a frame that was held stays until the next call, though its input is gone") {
  FrameDecoder decoder;
  std::string bytes = framed("hello");
  std::string_view input = std::string_view{bytes}.substr(0, 7);
  CHECK(decoder.next(input, kMax).state == State::NeedMore);
  input = std::string_view{bytes}.substr(7);
  const auto result = decoder.next(input, kMax);
  bytes.assign(bytes.size(), '?');
  CHECK(result.body == "hello");
}

TEST_CASE("a frame is written as its length, big-endian, and its body") {
  std::string out = "before";
  append_frame(out, "hi");
  CHECK(out == with_nul("before\0\0\0\2hi"));
  std::string longer;
  append_frame(longer, std::string(0x0102, 'x'));
  CHECK(longer.substr(0, 4) == with_nul("\0\0\1\2"));
}

TEST_CASE("any frames, chopped in any way, come out the same") {
  check_property(2000, [] {
    const auto size = rc::gen::oneOf(between<std::size_t>(1, 12), between<std::size_t>(1, 300));
    const auto sizes = *rc::gen::container<std::vector<std::size_t>>(size);
    const auto chunks = *rc::gen::nonEmpty(
        rc::gen::container<std::vector<std::size_t>>(rc::gen::oneOf(between<std::size_t>(1, 6), size)));

    Bodies bodies;
    std::string stream;
    for (const std::size_t body_size : sizes) {
      bodies.emplace_back(body_size, static_cast<char>('a' + bodies.size() % 26));
      append_frame(stream, bodies.back());
    }
    FrameDecoder decoder;
    Bodies decoded;
    std::size_t at = 0;
    for (std::size_t chunk = 0; at < stream.size(); at += chunks[chunk++ % chunks.size()]) {
      // A copy of its own, so that a look past its end is seen by the sanitizer.
      const std::string bytes = stream.substr(at, chunks[chunk % chunks.size()]);
      for (const std::string& body : take_all(decoder, bytes)) decoded.push_back(body);
    }
    RC_ASSERT(decoded == bodies);
    RC_ASSERT_FALSE(decoder.in_frame());
  });
}
