#include "common/uv/watchers.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <new>
#include <utility>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/support/loopback.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

std::uint64_t due_in_ms(uv::Timer& timer) {
  return uv_timer_get_due_in(reinterpret_cast<uv_timer_t*>(timer.handle()));
}

}  // namespace

TEST_CASE("a timer is never armed below a millisecond") {
  uv::Loop loop;
  auto timer = uv::Timer::create(loop, [] {});
  for (const Millis wait : {Millis{-1000}, Millis{0}, Millis{1}}) {
    CAPTURE(wait);
    timer->arm(wait);
    CHECK(due_in_ms(*timer) == 1);
  }
  timer->arm(2ms);
  CHECK(due_in_ms(*timer) == 2);
  timer.reset();
  CHECK(loop.drain(20s) == std::vector<std::string>{});
}

TEST_CASE("a timer that arms itself at nothing, again and again, leaves the loop its polls") {
  uv::Loop loop;
  int fired = 0;
  int polls = 0;
  uv::Owned<uv::Timer> timer;
  timer = uv::Timer::create(loop, [&] {
    // Where the timer starves the loop, nothing but the timer itself can end this.
    if (++fired < 100'000) timer->arm(0ms);
  });
  timer->arm(0ms);
  auto after = uv::AfterPoll::create(loop, [&] { ++polls; });
  CHECK(turn_until(loop, [&] { return polls >= 20; }));
  CHECK(fired <= polls + 1);
  timer.reset();
  after.reset();
  CHECK(loop.drain(20s) == std::vector<std::string>{});
}

TEST_CASE("a timer fires once when armed, and not when disarmed") {
  uv::Loop loop;
  int once = 0;
  int never = 0;
  bool later = false;
  auto first = uv::Timer::create(loop, [&] { ++once; });
  auto second = uv::Timer::create(loop, [&] { ++never; });
  auto third = uv::Timer::create(loop, [&] { later = true; });
  first->arm(1ms);
  second->arm(1ms);
  second->disarm();
  third->arm(10ms);
  CHECK(turn_until(loop, [&] { return later; }));
  CHECK(once == 1);
  CHECK(never == 0);
  first.reset();
  second.reset();
  third.reset();
  CHECK(loop.drain(20s) == std::vector<std::string>{});
}

TEST_CASE("bytes that had arrived are read before what is to happen after the poll") {
  Loopback pair;
  REQUIRE(pair.server->start_reading() == 0);
  bool read_first = false;
  bool polled = false;
  auto after = uv::AfterPoll::create(pair.loop, [&] {
    if (!polled) read_first = !pair.server->bytes.empty();
    polled = true;
  });
  CHECK(pair.client->write("hello") == 0);
  CHECK(turn_until(pair.loop, [&] { return polled; }));
  CHECK(read_first);
  after.reset();
}

TEST_CASE("a poll that must not sleep returns at once, and only that one") {
  uv::Loop loop;
  auto far_off = uv::Timer::create(loop, [] {});
  far_off->arm(20s);
  auto no_sleep = uv::NoSleep::create(loop);
  for (int turns = 0; turns < 10; ++turns) {
    no_sleep->next_poll();
    no_sleep->off();  // nothing: the poll is still to be made
    CHECK(loop.next_sleep() == 0ms);
    uv_run(loop.get(), UV_RUN_ONCE);
  }
  no_sleep->off();
  CHECK(uv_is_active(no_sleep->handle()) == 0);
  CHECK(loop.next_sleep() > 0ms);
  no_sleep.reset();
  far_off.reset();
  CHECK(loop.drain(20s) == std::vector<std::string>{});
}

TEST_CASE("a borrowed descriptor calls back while there is something to read, and stays its owner's") {
  uv::Loop loop;
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  int calls = 0;
  auto made = uv::Readable::create(loop, ends[0], [&] {
    ++calls;
    char byte = 0;
    CHECK(read(ends[0], &byte, 1) == 1);
  });
  REQUIRE(made);
  uv::Owned<uv::Readable> readable = std::move(*made);
  REQUIRE(write(ends[1], "ab", 2) == 2);
  CHECK(turn_until(loop, [&] { return calls == 2; }));
  readable.reset();
  CHECK(loop.drain(20s) == std::vector<std::string>{});
  CHECK(write(ends[1], "c", 1) == 1);
  char byte = 0;
  CHECK(read(ends[0], &byte, 1) == 1);
  close(ends[0]);
  close(ends[1]);
}

TEST_CASE("a connection that was reset is called back, and the read finds the reset") {
  uv::Loop loop;
  std::array<int, 2> ends{};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0);
  bool is_reset = false;
  auto made = uv::Readable::create(loop, ends[0], [&] {
    char byte = 0;
    if (read(ends[0], &byte, 1) < 0 && errno == ECONNRESET) is_reset = true;
  });
  REQUIRE(made);
  uv::Owned<uv::Readable> readable = std::move(*made);
  REQUIRE(write(ends[0], "x", 1) == 1);
  close(ends[1]);  // with a byte unread: the kernel resets
  CHECK(turn_until(loop, [&] { return is_reset; }));
  readable.reset();
  CHECK(loop.drain(20s) == std::vector<std::string>{});
  close(ends[0]);
}

TEST_CASE("a connection that was reset is read to its end, however little each callback reads") {
  uv::Loop loop;
  std::array<int, 2> ends{};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0);
  std::string got;
  bool is_reset = false;
  auto made = uv::Readable::create(loop, ends[0], [&] {
    char byte = 0;
    const ssize_t count = read(ends[0], &byte, 1);
    if (count == 1) got += byte;
    if (count < 0 && errno == ECONNRESET) is_reset = true;
  });
  REQUIRE(made);
  uv::Owned<uv::Readable> readable = std::move(*made);
  REQUIRE(write(ends[0], "x", 1) == 1);
  REQUIRE(write(ends[1], "ab", 2) == 2);
  close(ends[1]);
  CHECK(turn_until(loop, [&] { return is_reset; }));
  CHECK(got == "ab");
  readable.reset();
  CHECK(loop.drain(20s) == std::vector<std::string>{});
  close(ends[0]);
}

TEST_CASE("a descriptor that cannot be polled is an error, and nothing is left of the attempt") {
  uv::Loop loop;
  const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);  // epoll takes no such file
  REQUIRE(file >= 0);
  const auto readable = uv::Readable::create(loop, file, [] {});
  REQUIRE_FALSE(readable);
  CHECK(readable.error() == UV_EPERM);
  CHECK(loop.drain(20s) == std::vector<std::string>{});
  ::close(file);
}

TEST_CASE("a callback that runs out of memory ends there, and the loop goes on") {
  uv::Loop loop;
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  int calls = 0;
  const auto fail = [&calls] {
    ++calls;
    throw std::bad_alloc{};
  };
  auto timer = uv::Timer::create(loop, fail);
  auto signal = uv::Signal::create(loop, SIGUSR2, fail);
  auto after = uv::AfterPoll::create(loop, fail);
  auto readable = uv::Readable::create(loop, ends[0], fail);
  REQUIRE(readable);
  timer->arm(1ms);
  REQUIRE(raise(SIGUSR2) == 0);
  REQUIRE(write(ends[1], "a", 1) == 1);
  CHECK(turn_until(loop, [&] { return calls >= 20; }));  // AfterPoll and Readable are called again and again
  timer.reset();
  signal.reset();
  after.reset();
  readable->reset();
  CHECK(loop.drain(20s) == std::vector<std::string>{});
  close(ends[0]);
  close(ends[1]);
}

TEST_CASE("a signal is called back on the loop") {
  uv::Loop loop;
  int signals = 0;
  auto signal = uv::Signal::create(loop, SIGUSR2, [&] { ++signals; });
  REQUIRE(raise(SIGUSR2) == 0);
  CHECK(signals == 0);
  CHECK(turn_until(loop, [&] { return signals == 1; }));
  signal.reset();
  CHECK(loop.drain(20s) == std::vector<std::string>{});
}
