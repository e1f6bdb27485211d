#include "tools/sim/behaviour.h"

#include <doctest/doctest.h>

#include "common/frame.h"
#include "common/message.h"
#include "tools/sim/bad_frames.h"

namespace heartbeat::sim {
namespace {

std::uint32_t share(const Mix& mix, Behaviour behaviour) {
  return mix.at(static_cast<std::size_t>(behaviour));
}

TEST_CASE("a mix is read by name; what it does not name has no share") {
  const auto mix = parse_mix("steady=8,silent=1,takeover=2");
  REQUIRE(mix.has_value());
  CHECK(share(*mix, Behaviour::Steady) == 8);
  CHECK(share(*mix, Behaviour::Silent) == 1);
  CHECK(share(*mix, Behaviour::Takeover) == 2);
  CHECK(share(*mix, Behaviour::Flaky) == 0);
}

TEST_CASE("a mix that cannot be meant is refused") {
  for (const char* text : {"", "steady", "steady=", "steady=x", "steady=-1", "steady=1,", "asleep=1", "=1",
                           "steady=1000001", "steady=1 ", "steady=0", "steady=0,silent=0"}) {
    CHECK_MESSAGE(!parse_mix(text).has_value(), text);
  }
  CHECK(parse_mix("steady=1000000").has_value());
}

TEST_CASE("each round deals every behaviour as often as its share, evenly mixed") {
  Dealer dealer{*parse_mix("steady=6,silent=2,late=1")};
  for (int round = 0; round < 3; ++round) {
    Mix dealt{};
    for (int turn = 0; turn < 9; ++turn) {
      const Behaviour behaviour = dealer.next();
      if (turn == 0) CHECK(behaviour == Behaviour::Steady);
      ++dealt.at(static_cast<std::size_t>(behaviour));
    }
    CHECK(dealt == *parse_mix("steady=6,silent=2,late=1"));
  }
}

TEST_CASE("each kind of bad input is refused by the parser for the reason that it is said to deserve") {
  for (std::size_t kind = 0; kind < kBadFrameCount; ++kind) {
    const BadFrame bad = bad_frame(kind, 4096);
    CAPTURE(bad.name);
    std::string_view rest = bad.bytes;
    FrameDecoder decoder;
    const auto frame = decoder.next(rest, 4096);
    if (bad.reason == Reason::BadFrame) {
      CHECK(frame.state == FrameDecoder::State::Bad);
    } else {
      REQUIRE(frame.state == FrameDecoder::State::Frame);
      CHECK(!HeartbeatParser{}.parse(frame.body).has_value());
    }
  }
  CHECK(bad_frame(kBadFrameCount, 4096).name == bad_frame(0, 4096).name);
}

}  // namespace
}  // namespace heartbeat::sim
