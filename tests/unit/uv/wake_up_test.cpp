#include "common/uv/wake_up.h"

#include <doctest/doctest.h>

#include "tests/unit/support/loopback.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

// A loop with one other timer, far off: a poll that sleeps although it must not ends with that timer.
class Polls {
 public:
  Polls()
      : wake_up(new uv::WakeUp{loop}),
        far_off_(uv::Timer::create(loop, [this] { slept_ = true; })),
        after_poll_(uv::AfterPoll::create(loop, [this] { ++count_; })) {
    far_off_->arm(1s);
  }
  ~Polls() {
    wake_up.reset();
    far_off_.reset();
    after_poll_.reset();
    CHECK(loop.drain(20s) == std::vector<std::string>{});
  }
  Polls(const Polls&) = delete;
  Polls& operator=(const Polls&) = delete;
  Polls(Polls&&) = delete;
  Polls& operator=(Polls&&) = delete;

  // One poll.
  void turn() { uv_run(loop.get(), UV_RUN_ONCE); }
  // Keeps the loop from turning until this instant of the machine's clock, and from noticing that it came.
  void be_busy_until(MonoTime instant) {
    while (MonoTime{std::chrono::floor<Millis>(uv::Loop::fine_now())} < instant) {
    }
  }
  [[nodiscard]] int count() const { return count_; }
  [[nodiscard]] bool has_slept() const { return slept_; }

  uv::Loop loop;
  std::unique_ptr<uv::WakeUp> wake_up;

 private:
  int count_ = 0;
  bool slept_ = false;
  uv::Owned<uv::Timer> far_off_;
  uv::Owned<uv::AfterPoll> after_poll_;
};

}  // namespace

TEST_CASE("an instant that comes before the poll begins wakes the loop nevertheless") {
  Polls polls;
  const MonoTime instant = polls.loop.now() + 1ms;
  polls.wake_up->at(instant);
  polls.be_busy_until(instant + 1ms);  // so that libuv runs the timer, and then polls
  polls.turn();
  CHECK(polls.count() == 1);
  CHECK_FALSE(polls.has_slept());
}

TEST_CASE("an instant that comes in the poll ends it") {
  Polls polls;
  const MonoTime instant = polls.loop.now() + 20ms;
  polls.wake_up->at(instant);
  polls.turn();
  CHECK(polls.count() == 1);
  CHECK(polls.loop.now() >= instant);
  CHECK_FALSE(polls.has_slept());
}

TEST_CASE("an instant that has come keeps one poll from sleeping, and the next one may sleep again") {
  Polls polls;
  for (const Millis ago : {0ms, 1ms, 1000ms}) {
    CAPTURE(ago);
    polls.wake_up->at(polls.loop.now() - ago);
    CHECK(polls.loop.next_sleep() == 0ms);
    polls.turn();
    CHECK_FALSE(polls.has_slept());
    polls.wake_up->at(polls.loop.now() + 500ms);
    CHECK(polls.loop.next_sleep() > 0ms);
  }
  CHECK(polls.count() == 3);
  polls.wake_up->at(MonoTime::never());
  polls.turn();
  CHECK(polls.count() == 4);
  CHECK(polls.has_slept());
}

TEST_CASE("a later instant does not take back that the next poll must not sleep") {
  Polls polls;
  polls.wake_up->at(polls.loop.now());
  polls.wake_up->at(polls.loop.now() + 900ms);
  CHECK(polls.loop.next_sleep() == 0ms);
  polls.turn();
  CHECK(polls.count() == 1);
  CHECK_FALSE(polls.has_slept());
}

TEST_CASE("another instant takes the place of an instant that has not come") {
  Polls polls;
  const MonoTime later = polls.loop.now() + 30ms;
  polls.wake_up->at(polls.loop.now() + 1ms);
  polls.wake_up->at(later);
  while (polls.loop.now() < later && !polls.has_slept()) polls.turn();
  CHECK(polls.count() == 1);
  // That instant is over: it can be asked for no more, and another one can.
  const MonoTime again = polls.loop.now() + 5ms;
  polls.wake_up->at(again);
  while (polls.loop.now() < again && !polls.has_slept()) polls.turn();
  CHECK_FALSE(polls.has_slept());
}
