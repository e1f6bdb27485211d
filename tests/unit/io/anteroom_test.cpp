#include "daemon/io/anteroom.h"

#include <array>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <sys/socket.h>

#include "common/limits.h"
#include "tests/unit/support/loopback.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

// `hello` and a full stop; anything that does not begin like that is bad.  Names the peer 10.0.0.1.
class Greeting final : public Preamble {
  State read(std::string_view& input, Introduction& introduction, std::string&) override {
    constexpr std::string_view kWhole = "hello.";
    while (!input.empty() && said_ < kWhole.size()) {
      if (input.front() != kWhole[said_]) {
        introduction.fault = BadInput::ProxyInvalid;
        return State::Bad;
      }
      input.remove_prefix(1);
      ++said_;
    }
    if (said_ < kWhole.size()) return State::NeedMore;
    introduction.peer = Endpoint{.address = {10, 0, 0, 1}};
    return State::Done;
  }

  std::size_t said_ = 0;
};

// Has no memory for what it reads.
class Breathless final : public Preamble {
  State read(std::string_view&, Introduction&, std::string&) override { throw std::bad_alloc{}; }
};

// A handshake of two bytes; both answers are `ok`.
class Costly final : public Preamble {
  State read(std::string_view& input, Introduction&, std::string& output) override {
    begun_ = true;
    said_ += input.size();
    input = {};
    output += "ok";
    return said_ < 2 ? State::NeedMore : State::Done;
  }
  [[nodiscard]] Cost cost() const override { return begun_ ? Cost::GoOn : Cost::Begin; }

  bool begun_ = false;
  std::size_t said_ = 0;
};

// An anteroom, and the far ends of the connections in it.  Checks at its end that no handle is left open.
class Hall final : public Anteroom::Host {
 public:
  Hall() { room = std::make_unique<Anteroom>(loop, *this); }
  ~Hall() override {
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
    Preambles owed;
    owed.push_back(std::make_unique<Owed>());
    room->receive(near, {}, std::move(owed));
    CHECK(near.get() == -1);
    return Descriptor{ends[1]};
  }
  static void send(const Descriptor& from, std::string_view bytes) {
    REQUIRE(::send(from.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  // How many of them have an answer that they have not read.
  static std::size_t count_answered(const std::vector<Descriptor>& peers) {
    std::array<char, 8> bytes{};
    std::size_t count = 0;
    for (const Descriptor& peer : peers) {
      if (::recv(peer.get(), bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) ++count;
    }
    return count;
  }
  std::size_t count_answered_in_a_turn(const std::vector<Descriptor>& peers) {
    room->begin_turn();
    for (int poll = 0; poll < 3; ++poll) uv_run(loop.get(), UV_RUN_NOWAIT);
    return count_answered(peers);
  }
  static bool has_ended(const Descriptor& far) {
    char byte = 0;
    return ::recv(far.get(), &byte, 1, MSG_DONTWAIT) == 0;
  }

  uv::Loop loop;
  std::vector<Descriptor> taken;
  std::vector<Introduction> introductions;
  std::string first_bytes;
  bool fails = false;
  Millis timeout{0};
  std::size_t room_for = 8;
  int times_work_waited = 0;
  std::unique_ptr<Anteroom> room;

 private:
  void arrived(Descriptor& socket, Introduction& introduction, std::string_view more) override {
    if (fails) throw std::bad_alloc{};
    taken.push_back(std::move(socket));
    introductions.push_back(std::move(introduction));
    first_bytes += more;
  }
  void work_waits() override { ++times_work_waited; }
  MonoTime instant() override { return loop.now(); }
  [[nodiscard]] Millis hello_timeout() const override { return timeout; }
  [[nodiscard]] std::size_t places() const override { return room_for; }
};

}  // namespace

TEST_CASE("a preamble may come in pieces, and what is behind it goes on with the connection") {
  Hall hall;
  const Descriptor peer = hall.enter();
  const MonoTime accepted = hall.loop.now();
  for (const char* const piece : {"h", "el", "lo"}) {
    Hall::send(peer, piece);
    uv_run(hall.loop.get(), UV_RUN_NOWAIT);
    CHECK(hall.taken.empty());
  }
  Hall::send(peer, ".and more");
  REQUIRE(turn_until(hall.loop, [&] { return hall.taken.size() == 1; }));
  CHECK(hall.first_bytes == "and more");
  CHECK(hall.introductions[0].peer == Endpoint{.address = {10, 0, 0, 1}});
  CHECK(hall.introductions[0].arrival.accepted == accepted);
  CHECK(hall.room->size() == 0);
  CHECK_FALSE(Hall::has_ended(peer));
}

TEST_CASE("a connection waits behind its preamble until its first byte") {
  Hall hall;
  const Descriptor peer = hall.enter();
  Hall::send(peer, "hello.");
  for (int turn = 0; turn < 3; ++turn) uv_run(hall.loop.get(), UV_RUN_NOWAIT);
  CHECK(hall.taken.empty());
  Hall::send(peer, "x");
  REQUIRE(turn_until(hall.loop, [&] { return hall.taken.size() == 1; }));
  CHECK(hall.first_bytes == "x");
}

TEST_CASE("a connection that its peer ends is handed over as far as it is known") {
  Hall hall;
  static_cast<void>(hall.enter());  // closed at once
  REQUIRE(turn_until(hall.loop, [&] { return hall.taken.size() == 1; }));
  CHECK(hall.introductions[0].peer == Endpoint{});
  {
    const Descriptor check = hall.enter();
    Hall::send(check, "hello.");
  }
  REQUIRE(turn_until(hall.loop, [&] { return hall.taken.size() == 2; }));
  CHECK(hall.introductions[1].peer == Endpoint{.address = {10, 0, 0, 1}});
  CHECK(hall.first_bytes.empty());
  CHECK(hall.room->size() == 0);
}

TEST_CASE("a connection whose time is up is handed over as it is, and one that came later is not with it") {
  Hall hall;
  hall.timeout = 2000ms;
  const Descriptor silent = hall.enter();
  const Descriptor dribbles = hall.enter();
  Hall::send(dribbles, "hel");
  Descriptor later{-1};
  auto half_time = uv::Timer::create(hall.loop, [&] { later = hall.enter(); });
  half_time->arm(1000ms);
  REQUIRE(turn_until(hall.loop, [&] { return hall.taken.size() == 2; }));
  CHECK(hall.room->size() == 1);
  CHECK_FALSE(hall.introductions[0].fault);
  CHECK(turn_until(hall.loop, [&] { return hall.taken.size() == 3; }));
}

TEST_CASE("what has come in time is read before the time is found to be up") {
  Hall hall;
  hall.timeout = 300ms;
  const Descriptor peer = hall.enter();
  Hall::send(peer, "hello.x");
  std::this_thread::sleep_for(400ms);  // as a stall of the daemon: the timer runs before the poll
  REQUIRE(turn_until(hall.loop, [&] { return hall.taken.size() == 1; }));
  CHECK(hall.first_bytes == "x");
}

TEST_CASE("a timeout that becomes shorter holds for those that wait already") {
  Hall hall;
  const Descriptor peer = hall.enter();
  for (int turn = 0; turn < 3; ++turn) uv_run(hall.loop.get(), UV_RUN_NOWAIT);
  hall.timeout = 10ms;
  hall.room->set_timer();
  CHECK(turn_until(hall.loop, [&] { return hall.taken.size() == 1; }));
}

TEST_CASE("as many wait as there are places; one more takes that of the one that has waited longest") {
  Hall hall;
  std::vector<Descriptor> peers;
  while (peers.size() < hall.room_for) peers.push_back(hall.enter());
  CHECK(hall.room->size() == hall.room_for);
  CHECK(hall.room->figures().displaced == 0);
  const Descriptor one_more = hall.enter();
  CHECK(hall.room->size() == hall.room_for);
  CHECK(hall.room->figures().displaced == 1);
  CHECK(Hall::has_ended(peers[0]));
  CHECK_FALSE(Hall::has_ended(peers[1]));

  hall.room_for = 2;
  hall.room->make_room();
  CHECK(hall.room->size() == 2);
  CHECK(hall.room->figures().displaced == 7);
  Hall::send(one_more, "hello.x");
  CHECK(turn_until(hall.loop, [&] { return hall.taken.size() == 1; }));
}

TEST_CASE("a connection whose preamble is wrong is handed over with the fault, and no byte") {
  Hall hall;
  const Descriptor rude = hall.enter();
  Hall::send(rude, "hullo.and more");
  REQUIRE(turn_until(hall.loop, [&] { return hall.taken.size() == 1; }));
  CHECK(hall.introductions[0].fault == BadInput::ProxyInvalid);
  CHECK(hall.first_bytes.empty());
}

TEST_CASE("a connection that ends, or is late, before its preamble is whole is handed over as cut short") {
  Hall hall;
  hall.timeout = 50ms;
  const Descriptor late = hall.enter();
  Hall::send(late, "hello");
  const Descriptor silent = hall.enter();
  Hall::send(silent, "hello.");
  { Hall::send(hall.enter(), "hel"); }
  REQUIRE(turn_until(hall.loop, [&] { return hall.taken.size() == 3; }));
  CHECK(hall.introductions[0].is_cut_short);
  CHECK(hall.introductions[1].is_cut_short);
  CHECK_FALSE(hall.introductions[2].is_cut_short);
}

TEST_CASE("two steps of handshakes are made in a turn, and the rest in the next ones, those begun first") {
  Hall hall;
  hall.room_for = 100;
  std::vector<Descriptor> begun;
  while (begun.size() < 5) begun.push_back(hall.enter<Costly>());
  for (const Descriptor& peer : begun) Hall::send(peer, "1");
  std::vector<std::size_t> answered;
  for (int turn = 0; turn < 4; ++turn) answered.push_back(hall.count_answered_in_a_turn(begun));
  CHECK(answered == std::vector<std::size_t>{2, 2, 1, 0});
  CHECK(hall.times_work_waited > 5);

  std::vector<Descriptor> fresh;
  while (fresh.size() < 5) fresh.push_back(hall.enter<Costly>());
  for (const Descriptor& peer : fresh) Hall::send(peer, "1");
  for (const Descriptor& peer : begun) Hall::send(peer, "2");
  // In the first turn it is not known yet that begun ones wait.
  std::size_t begun_answered = hall.count_answered_in_a_turn(begun);
  static_cast<void>(Hall::count_answered(fresh));
  while (begun_answered < 5) {
    begun_answered += hall.count_answered_in_a_turn(begun);
    if (begun_answered < 5) CHECK(Hall::count_answered(fresh) == 0);
  }
  // An end without a byte behind it is enough only for a session, which these have not.
  CHECK(hall.taken.empty());
}

TEST_CASE("of handshakes as many wait as may; one more takes the place of the one that has waited longest") {
  Hall hall;
  hall.room_for = limits::kHandshakesMax + 10;
  const Descriptor plain = hall.enter();
  std::vector<Descriptor> peers;
  while (peers.size() < limits::kHandshakesMax) peers.push_back(hall.enter<Costly>());
  CHECK(hall.room->figures().displaced == 0);
  peers.push_back(hall.enter<Costly>());
  CHECK(hall.room->figures().displaced == 1);
  CHECK_FALSE(Hall::has_ended(plain));
  CHECK(Hall::has_ended(peers[0]));
  CHECK_FALSE(Hall::has_ended(peers[1]));
  peers[1] = Descriptor{-1};  // the place of one that leaves is free again
  REQUIRE(turn_until(hall.loop, [&] {
    hall.room->begin_turn();
    return hall.taken.size() == 1;
  }));
  peers.push_back(hall.enter<Costly>());
  CHECK(hall.room->figures().displaced == 1);
}

TEST_CASE("a connection that there is no memory for is closed") {
  Hall hall;
  const Descriptor choked = hall.enter<Breathless>();
  Hall::send(choked, "x");
  REQUIRE(turn_until(hall.loop, [&] { return hall.room->figures().no_memory == 1; }));
  CHECK(Hall::has_ended(choked));

  hall.fails = true;
  const Descriptor peer = hall.enter();
  Hall::send(peer, "hello.x");
  REQUIRE(turn_until(hall.loop, [&] { return hall.room->figures().no_memory == 2; }));
  CHECK(Hall::has_ended(peer));
  CHECK(hall.room->size() == 0);
}
