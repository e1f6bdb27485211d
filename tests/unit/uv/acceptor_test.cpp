#include "common/uv/acceptor.h"

#include <new>
#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/uv/machine.h"
#include "tests/unit/support/loopback.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

// While it lives, this process can open no descriptor more.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit used = before_;
    // The lowest free number is the first that must not be had.
    const int free = ::dup(0);
    ::close(free);
    used.rlim_cur = static_cast<rlim_t>(free);
    setrlimit(RLIMIT_NOFILE, &used);
  }
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  NoDescriptors(NoDescriptors&&) = delete;
  NoDescriptors& operator=(NoDescriptors&&) = delete;

 private:
  rlimit before_{};
};

// An acceptor on 127.0.0.1 that keeps what it accepts.  Checks at its end that no handle is left open.
class Desk {
 public:
  Desk() {
    door.on_accepted = [this](uv::Acceptor::Accepted& accepted) { taken.push_back(std::move(accepted)); };
    acceptor = accept_anywhere(loop, door);
  }
  ~Desk() {
    acceptor.reset();
    clients.clear();
    CHECK(loop.drain(20s) == std::vector<std::string>{});
  }
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;
  Desk(Desk&&) = delete;
  Desk& operator=(Desk&&) = delete;

  // A client whose connection the kernel has made, whether it is accepted or not.
  Endpoint connect() {
    clients.emplace_back(new Recorder{loop});
    REQUIRE(clients.back()->connect(uv::local_endpoint(acceptor->descriptor())) == 0);
    REQUIRE(turn_until(loop, [this] { return !clients.back()->connected.empty(); }));
    return clients.back()->local().value();
  }
  // Turns the loop for that long.
  void turn_for(Millis length) {
    bool over = false;
    const auto end = uv::Timer::create(loop, [&] { over = true; });
    end->arm(length);
    while (!over) uv_run(loop.get(), UV_RUN_ONCE);
  }

  uv::Loop loop;
  AnyDoor door;
  std::vector<uv::Acceptor::Accepted> taken;
  std::unique_ptr<uv::Acceptor> acceptor;
  std::vector<uv::Owned<Recorder>> clients;
};

}  // namespace

TEST_CASE("connections are taken in their order, with their addresses, and do not block") {
  Desk desk;
  desk.acceptor->pause();
  std::vector<Endpoint> peers;
  for (int number = 0; number < 3; ++number) peers.push_back(desk.connect());
  desk.acceptor->go_on();
  REQUIRE(turn_until(desk.loop, [&] { return desk.taken.size() == 3; }));
  for (std::size_t number = 0; number < 3; ++number) {
    CHECK(desk.taken[number].peer == peers[number]);
    CHECK((::fcntl(desk.taken[number].socket.get(), F_GETFL) & O_NONBLOCK) != 0);
    CHECK((::fcntl(desk.taken[number].socket.get(), F_GETFD) & FD_CLOEXEC) != 0);
  }
  CHECK(desk.acceptor->shortages() == 0);
}

TEST_CASE("one poll takes all that wait") {
  Desk desk;
  desk.acceptor->pause();
  for (int number = 0; number < 20; ++number) desk.connect();
  desk.acceptor->go_on();
  uv_run(desk.loop.get(), UV_RUN_NOWAIT);
  CHECK(desk.taken.size() == 20);
}

TEST_CASE("a paused acceptor takes nothing until it goes on") {
  Desk desk;
  desk.acceptor->pause();
  CHECK_FALSE(desk.acceptor->is_watching());
  desk.connect();
  desk.turn_for(20ms);
  CHECK(desk.taken.empty());
  desk.acceptor->go_on();
  CHECK(desk.acceptor->is_watching());
  CHECK(turn_until(desk.loop, [&] { return desk.taken.size() == 1; }));
}

TEST_CASE("where the door is not open for another one, the next poll asks again") {
  Desk desk;
  desk.door.is_open = false;
  desk.connect();
  desk.turn_for(20ms);
  CHECK(desk.taken.empty());
  CHECK(desk.acceptor->is_watching());
  desk.door.is_open = true;
  CHECK(turn_until(desk.loop, [&] { return desk.taken.size() == 1; }));
}

TEST_CASE("a connection of a Unix socket is taken without an address") {
  uv::Loop loop;
  {
    AnyDoor door;
    std::vector<Endpoint> peers;
    door.on_accepted = [&](uv::Acceptor::Accepted& accepted) { peers.push_back(accepted.peer); };
    Descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    // Bound to nothing but the family: Linux chooses a name of its own.
    REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&name), sizeof(sa_family_t)) == 0);
    socklen_t size = sizeof name;
    REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&name), &size) == 0);
    REQUIRE(::listen(socket.get(), 8) == 0);
    const auto acceptor = uv::Acceptor::create(loop, std::move(socket), door);
    REQUIRE(acceptor);
    const Descriptor client{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    REQUIRE(::connect(client.get(), reinterpret_cast<sockaddr*>(&name), size) == 0);
    REQUIRE(turn_until(loop, [&] { return !peers.empty(); }));
    CHECK(peers == std::vector<Endpoint>{Endpoint{}});
  }
  CHECK(loop.drain(20s) == std::vector<std::string>{});
}

TEST_CASE("without a descriptor connections wait, one report says why, and accepting goes on by itself") {
  Desk desk;
  desk.acceptor->pause();
  for (int number = 0; number < 3; ++number) desk.connect();
  {
    const NoDescriptors none;
    desk.acceptor->go_on();
    REQUIRE(turn_until(desk.loop, [&] { return desk.acceptor->shortages() == 1; }));
    CHECK_FALSE(desk.acceptor->is_watching());
    REQUIRE(turn_until(desk.loop, [&] { return desk.acceptor->shortages() == 3; }));
    CHECK(desk.taken.empty());
    REQUIRE(desk.door.shortages.size() == 1);
    CHECK(desk.door.shortages.front().find("too many open files (LimitNOFILE= of the unit, ulimit -n)") !=
          std::string::npos);
  }
  REQUIRE(turn_until(desk.loop, [&] { return desk.taken.size() == 3; }));
  CHECK(desk.acceptor->is_watching());
  CHECK(desk.door.shortages.size() == 1);
}

TEST_CASE("without a descriptor an acceptor tries again twenty times a second, and not more often") {
  Desk desk;
  desk.acceptor->pause();
  desk.connect();
  const NoDescriptors none;
  desk.acceptor->go_on();
  desk.turn_for(500ms);
  CHECK(desk.acceptor->shortages() >= 1);
  CHECK(desk.acceptor->shortages() <= 11);
}

TEST_CASE("without a descriptor and without a connection nothing is short") {
  Desk desk;
  desk.connect();
  REQUIRE(turn_until(desk.loop, [&] { return desk.taken.size() == 1; }));
  const NoDescriptors none;
  desk.turn_for(100ms);
  CHECK(desk.acceptor->shortages() == 0);
}

TEST_CASE("a connection that the door has no memory for is kept, and offered again until it is taken") {
  Desk desk;
  int fails = 3;
  desk.door.on_accepted = [&](uv::Acceptor::Accepted& accepted) {
    if (fails-- > 0) throw std::bad_alloc{};
    desk.taken.push_back(std::move(accepted));
  };
  const Endpoint first = desk.connect();
  const Endpoint second = desk.connect();
  REQUIRE(turn_until(desk.loop, [&] { return desk.taken.size() == 2; }));
  CHECK(desk.taken[0].peer == first);
  CHECK(desk.taken[1].peer == second);
  CHECK(desk.acceptor->shortages() == 3);
  REQUIRE(desk.door.shortages.size() == 1);
  CHECK(desk.door.shortages.front().find("not enough memory") != std::string::npos);
  CHECK(desk.clients[0]->ended.empty());
}

TEST_CASE("a connection that is kept for want of memory is taken also when no other one comes") {
  Desk desk;
  bool fails = true;
  desk.door.on_accepted = [&](uv::Acceptor::Accepted& accepted) {
    if (std::exchange(fails, false)) throw std::bad_alloc{};
    desk.taken.push_back(std::move(accepted));
  };
  desk.connect();
  CHECK(turn_until(desk.loop, [&] { return desk.taken.size() == 1; }));
}

TEST_CASE("an acceptor that goes while a connection is kept takes it along") {
  Desk desk;
  desk.door.on_accepted = [](uv::Acceptor::Accepted&) { throw std::bad_alloc{}; };
  desk.connect();
  REQUIRE(desk.clients[0]->start_reading() == 0);
  REQUIRE(turn_until(desk.loop, [&] { return desk.acceptor->shortages() > 0; }));
  desk.acceptor.reset();
  CHECK(turn_until(desk.loop, [&] { return !desk.clients[0]->ended.empty(); }));
}
