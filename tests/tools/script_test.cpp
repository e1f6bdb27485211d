#include "tools/sim/script.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "sim_support.h"

namespace heartbeat::sim {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a steady client beats at once and then at each interval") {
  const std::vector<Step> expected{
      {kStart, Act::Beat}, {kStart + 10s, Act::Beat}, {kStart + 20s, Act::Beat}, {kStart + 30s, Act::Beat}};
  CHECK(play(Behaviour::Steady, default_pace(), 39s) == expected);
}

TEST_CASE("a step that was done late does not shift those after it, and none is made up for") {
  Script script{Behaviour::Steady, 1};
  const Pace pace = default_pace();
  static_cast<void>(script.begin(kStart));
  CHECK(script.next(pace, 50, kStart + 3ms).at == kStart + 10s);
  CHECK(script.next(pace, 50, kStart + 19'999ms).at == kStart + 20s);
  CHECK(script.next(pace, 50, kStart + 57s).at == kStart + 60s);
}

TEST_CASE("a flaky client loses three beats in ten, the same ones for the same seed") {
  const Pace pace = default_pace();
  const auto steps = play(Behaviour::Flaky, pace, 100'000s);
  CHECK(steps.size() > 6'700);
  CHECK(steps.size() < 7'300);
  CHECK(std::all_of(steps.begin(), steps.end(),
                    [&](const Step& step) { return (step.at - kStart) % 10s == 0ms; }));
  CHECK(play(Behaviour::Flaky, pace, 1'000s) == play(Behaviour::Flaky, pace, 1'000s));
  CHECK(play(Behaviour::Flaky, pace, 1'000s, 50, 1) != play(Behaviour::Flaky, pace, 1'000s, 50, 2));
}

TEST_CASE("a dribbled heartbeat is a step for each byte, and is whole within half an interval") {
  Pace pace = default_pace();
  pace.interval = 1s;
  const auto steps = play(Behaviour::Dribble, pace, 1'999ms, 50);
  REQUIRE(steps.size() == 100);
  CHECK(std::all_of(steps.begin(), steps.end(), [](const Step& step) { return step.act == Act::Byte; }));
  CHECK(steps[49].at < kStart + 500ms);
  CHECK(steps[50].at == kStart + 1s);
}

TEST_CASE("a late client is quiet until two ticks after it was led to leave, and then beats on") {
  Script script{Behaviour::Late, 1};
  const Pace pace = default_pace();
  CHECK(script.begin(kStart) == Step{kStart, Act::Beat});
  CHECK(script.next(pace, 50, kStart) == Step{kStart + 10s, Act::Beat});
  CHECK_FALSE(script.led_to_leave(pace, kStart + 15s));  // not of its silence
  CHECK(script.next(pace, 50, kStart + 10s) == Step{kStart + 20s, Act::Beat});
  CHECK(script.next(pace, 50, kStart + 20s).at == MonoTime::never());
  CHECK(script.led_to_leave(pace, kStart + 175s) == Step{kStart + 195s, Act::Resume});
  CHECK(script.next(pace, 50, kStart + 195s) == Step{kStart + 205s, Act::Beat});
  CHECK_FALSE(script.led_to_leave(pace, kStart + 400s));  // once
}

TEST_CASE("no other client waits for its leave") {
  Script script{Behaviour::Steady, 1};
  const Pace pace = default_pace();
  Step step = script.begin(kStart);
  for (int beats = 0; beats < 3; ++beats) step = script.next(pace, 50, step.at);
  CHECK_FALSE(script.led_to_leave(pace, step.at));
}

TEST_CASE("a client with one last thing to say says it, and nothing more") {
  const auto last = [](Behaviour behaviour) { return play(behaviour, default_pace(), 10'000s); };
  CHECK(last(Behaviour::Silent) == std::vector<Step>{{kStart, Act::Beat}});
  for (const auto& [behaviour, act] :
       {std::pair{Behaviour::Declared, Act::Declare}, std::pair{Behaviour::Goodbye, Act::SayGoodbye},
        std::pair{Behaviour::Illegal, Act::Misbehave}, std::pair{Behaviour::Takeover, Act::TakeOver}}) {
    const auto steps = last(behaviour);
    REQUIRE(steps.size() == 4);
    CHECK(steps[2].act == Act::Beat);
    CHECK(steps[3] == Step{kStart + 30s, act});
  }
}

TEST_CASE("after a takeover the second connection is a steady client") {
  Script script{Behaviour::Takeover, 1};
  const Pace pace = default_pace();
  Step step = script.begin(kStart);
  while (step.at != MonoTime::never()) step = script.next(pace, 50, step.at);

  const MonoTime again = kStart + 30'004ms;
  CHECK(script.begin(again) == Step{again, Act::Beat});
  CHECK(script.next(pace, 50, again) == Step{again + 10s, Act::Beat});
  CHECK(script.next(pace, 50, again + 10s) == Step{again + 20s, Act::Beat});
}

}  // namespace
}  // namespace heartbeat::sim
