#include "daemon/io/anteroom.h"

#include <array>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <sys/socket.h>

#include "tests/unit/support/loopback.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

// `hello` and a full stop; anything that does not begin like that is bad.
class Greeting final : public Preamble {
  Result read(std::string_view received, Endpoint&) override {
    constexpr std::string_view kWhole = "hello.";
    if (received.starts_with(kWhole)) return {.state = State::Done, .length = kWhole.size()};
    return {.state = kWhole.starts_with(received) ? State::NeedMore : State::Bad, .length = 0};
  }
};

// Is never whole.
class Endless final : public Preamble {
  Result read(std::string_view, Endpoint&) override { return {}; }
};

// An anteroom, and the far ends of the connections in it.  Checks at its end that no handle is left open.
class Hall {
 public:
  Hall() {
    const auto on_done = [this](Descriptor& socket, const Endpoint&, const Endpoint&, std::string_view more) {
      if (fails) throw std::bad_alloc{};
      taken.push_back(std::move(socket));
      first_bytes += more;
    };
    room = std::make_unique<Anteroom>(loop, on_done);
  }
  ~Hall() {
    room.reset();
    CHECK(loop.drain(20s) == std::vector<std::string>{});
  }
  Hall(const Hall&) = delete;
  Hall& operator=(const Hall&) = delete;
  Hall(Hall&&) = delete;
  Hall& operator=(Hall&&) = delete;

  // The far end of a connection that comes in.
  template <class Owed = Greeting>
  Descriptor enter() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
    Descriptor near{ends[0]};
    room->receive(near, {}, {}, std::make_unique<Owed>());
    CHECK(near.get() == -1);
    return Descriptor{ends[1]};
  }
  static void send(const Descriptor& from, std::string_view bytes) {
    REQUIRE(::send(from.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  static bool has_ended(const Descriptor& far) {
    char byte = 0;
    return ::recv(far.get(), &byte, 1, MSG_DONTWAIT) == 0;
  }

  uv::Loop loop;
  std::vector<Descriptor> taken;
  std::string first_bytes;
  bool fails = false;
  std::unique_ptr<Anteroom> room;
};

}  // namespace

TEST_CASE("a preamble may come in pieces, and what is behind it goes on with the connection") {
  Hall hall;
  const Descriptor peer = hall.enter();
  for (const char* const piece : {"h", "el", "lo"}) {
    Hall::send(peer, piece);
    uv_run(hall.loop.get(), UV_RUN_NOWAIT);
    CHECK(hall.taken.empty());
  }
  Hall::send(peer, ".and more");
  REQUIRE(turn_until(hall.loop, [&] { return hall.taken.size() == 1; }));
  CHECK(hall.first_bytes == "and more");
  CHECK(hall.room->size() == 0);
  CHECK_FALSE(Hall::has_ended(peer));
}

TEST_CASE("a connection that has taken too long is closed, and one that came later is not closed with it") {
  Hall hall;
  const Descriptor silent = hall.enter();
  const Descriptor dribbles = hall.enter();
  Hall::send(dribbles, "hel");
  Descriptor later{-1};
  auto half_time = uv::Timer::create(hall.loop, [&] { later = hall.enter(); });
  half_time->arm(Anteroom::kTimeMax / 2);
  REQUIRE(turn_until(hall.loop, [&] { return hall.room->figures().timed_out == 2; }));
  CHECK(Hall::has_ended(silent));
  CHECK(Hall::has_ended(dribbles));
  CHECK(hall.room->size() == 1);
  CHECK_FALSE(Hall::has_ended(later));
  CHECK(turn_until(hall.loop, [&] { return hall.room->figures().timed_out == 3; }));
}

TEST_CASE("as many wait as may; one more takes the place of the one that has waited longest") {
  Hall hall;
  std::vector<Descriptor> peers;
  while (peers.size() < Anteroom::kGuestsMax) peers.push_back(hall.enter());
  CHECK(hall.room->size() == Anteroom::kGuestsMax);
  CHECK(hall.room->figures().displaced == 0);
  const Descriptor one_more = hall.enter();
  CHECK(hall.room->size() == Anteroom::kGuestsMax);
  CHECK(hall.room->figures().displaced == 1);
  CHECK(Hall::has_ended(peers[0]));
  CHECK_FALSE(Hall::has_ended(peers[1]));
  Hall::send(one_more, "hello.");
  CHECK(turn_until(hall.loop, [&] { return hall.taken.size() == 1; }));
}

TEST_CASE("what is no preamble closes the connection, and so does one that is too long") {
  Hall hall;
  const Descriptor rude = hall.enter();
  Hall::send(rude, "hullo.");
  REQUIRE(turn_until(hall.loop, [&] { return hall.room->figures().bad == 1; }));
  CHECK(Hall::has_ended(rude));

  const Descriptor endless = hall.enter<Endless>();
  Hall::send(endless, std::string(Anteroom::kPreambleMax - 1, 'x'));
  uv_run(hall.loop.get(), UV_RUN_NOWAIT);
  CHECK(hall.room->size() == 1);
  Hall::send(endless, "x");
  REQUIRE(turn_until(hall.loop, [&] { return hall.room->figures().bad == 2; }));
  CHECK(Hall::has_ended(endless));
  CHECK(hall.taken.empty());
}

TEST_CASE("a peer that goes away leaves nothing behind") {
  Hall hall;
  static_cast<void>(hall.enter());  // closed at once
  CHECK(turn_until(hall.loop, [&] { return hall.room->figures().ended == 1; }));
  CHECK(hall.room->size() == 0);
}

TEST_CASE("a connection that there is no memory for behind its preamble is closed") {
  Hall hall;
  hall.fails = true;
  const Descriptor peer = hall.enter();
  Hall::send(peer, "hello.");
  REQUIRE(turn_until(hall.loop, [&] { return hall.room->figures().no_memory == 1; }));
  CHECK(Hall::has_ended(peer));
  CHECK(hall.room->size() == 0);
}
