#include "common/uv/handle.h"

#include <doctest/doctest.h>

#include "tests/unit/support/loopback.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

// A handle that says when it is gone.
class Witness {
 public:
  Witness(uv::Loop& loop, bool& gone) : gone_(gone) {
    uv_idle_init(loop.get(), &idle_);
    idle_.data = this;
  }
  ~Witness() { gone_ = true; }
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;
  Witness(Witness&&) = delete;
  Witness& operator=(Witness&&) = delete;

  [[nodiscard]] uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&idle_); }

 private:
  uv_idle_t idle_;
  bool& gone_;
};

}  // namespace

TEST_CASE("an object that was let go lives until the loop has closed it, and no longer") {
  uv::Loop loop;
  bool gone = false;
  uv::Owned<Witness> owned{new Witness{loop, gone}};
  owned.reset();
  CHECK_FALSE(gone);
  CHECK(loop.drain(20s) == std::vector<std::string>{});
  CHECK(gone);
}

TEST_CASE("a stream may be let go in its own callback") {
  Loopback pair;
  REQUIRE(pair.server->start_reading() == 0);
  REQUIRE(pair.client->start_reading() == 0);
  SUBCASE("with bytes") {
    pair.server->then = [&] { pair.server.reset(); };
    CHECK(pair.client->write("hello") == 0);
    CHECK(turn_until(pair.loop, [&] { return pair.server == nullptr && !pair.client->ended.empty(); }));
  }
  SUBCASE("with the end") {
    pair.server->then = [&] { pair.server.reset(); };
    pair.client->finish();
    CHECK(turn_until(pair.loop, [&] { return pair.server == nullptr && !pair.client->ended.empty(); }));
  }
}

TEST_CASE("a timer may be let go in its own callback") {
  uv::Loop loop;
  uv::Owned<uv::Timer> timer;
  timer = uv::Timer::create(loop, [&] { timer.reset(); });
  timer->arm(1ms);
  CHECK(turn_until(loop, [&] { return timer == nullptr; }));
  CHECK(loop.drain(20s) == std::vector<std::string>{});
}
