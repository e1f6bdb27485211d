#include "common/uv/rest.h"

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <pthread.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/uv/loop.h"

using namespace heartbeat;
using namespace std::chrono_literals;

namespace {

// Long enough that a test which waits it out is seen to hang, not to fail by a busy machine.
constexpr auto kNeverReached = 1h;

struct Pipe {
  Pipe() { REQUIRE(pipe(ends.data()) == 0); }
  ~Pipe() {
    close(ends[0]);
    close(ends[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  Pipe(Pipe&&) = delete;
  Pipe& operator=(Pipe&&) = delete;

  void fill() const { REQUIRE(write(ends[1], "x", 1) == 1); }

  std::array<int, 2> ends{};
};

}  // namespace

TEST_CASE("a rest lasts as long as it was to") {
  const auto begun = uv::Loop::fine_now();
  uv::rest(2ms, {});
  CHECK(uv::Loop::fine_now() - begun >= 2ms);
}

TEST_CASE("a rest of no length does not sleep") {
  uv::rest(0ms, {});
  uv::rest(-kNeverReached, {});
}

TEST_CASE("a descriptor that can be read ends the rest") {
  const Pipe idle;
  const Pipe ready;
  ready.fill();
  const std::array descriptors{idle.ends[0], ready.ends[0]};
  uv::rest(kNeverReached, descriptors);
}

TEST_CASE("all descriptors up to the bound are watched, and those beyond are not") {
  const Pipe idle;
  const Pipe ready;
  ready.fill();
  std::vector<int> descriptors(limits::kUrgentDescriptorsMax, idle.ends[0]);
  descriptors.back() = ready.ends[0];
  uv::rest(kNeverReached, descriptors);

  descriptors.back() = idle.ends[0];
  descriptors.push_back(ready.ends[0]);
  const auto begun = uv::Loop::fine_now();
  uv::rest(2ms, descriptors);
  CHECK(uv::Loop::fine_now() - begun >= 2ms);
}

TEST_CASE("a signal ends the rest") {
  std::signal(SIGUSR1, [](int) {});
  const pthread_t resting = pthread_self();
  // Again and again: the first may come before the rest has begun.
  std::atomic<bool> over{false};
  std::thread sender{[&] {
    while (!over) {
      pthread_kill(resting, SIGUSR1);
      std::this_thread::sleep_for(1ms);
    }
  }};
  uv::rest(kNeverReached, {});
  over = true;
  sender.join();
  std::signal(SIGUSR1, SIG_DFL);
}
