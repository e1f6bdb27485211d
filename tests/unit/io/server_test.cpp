// The server's bounds on what one turn of the loop does for one peer, with real sockets.
#include "daemon/io/server.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/message.h"
#include "common/uv/address.h"
#include "tests/unit/support/allocations.h"
#include "tests/unit/support/bytes.h"
#include "tests/unit/support/loopback.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

const std::string kBeat = framed(encode({.ip = "a"}));

std::string beats(std::size_t bytes) {
  std::string all;
  while (all.size() + kBeat.size() <= bytes) all += kBeat;
  return all;
}

// A blocking socket that is connected to the server, whether it has been accepted or not.
class RawPeer {
 public:
  explicit RawPeer(const Endpoint& server) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const uv::SocketAddress address{server};
    REQUIRE(::connect(descriptor_, address.get(), sizeof(sockaddr_in)) == 0);
  }
  ~RawPeer() { ::close(descriptor_); }
  RawPeer(RawPeer&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  RawPeer& operator=(RawPeer&&) = delete;

  void send(std::string_view bytes) const {
    REQUIRE(::send(descriptor_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  }
  // What it has been sent and not read yet.
  [[nodiscard]] std::string told() const {
    std::string bytes(4096, '\0');
    const ssize_t got = ::recv(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    return bytes.substr(0, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  }
  // Whether the server has closed its side, and all that it said was read.
  [[nodiscard]] bool has_ended() const {
    char byte = 0;
    ssize_t got = 0;
    while ((got = ::recv(descriptor_, &byte, 1, MSG_DONTWAIT)) == 1) {
    }
    return got == 0;
  }

 private:
  int descriptor_;
};

// A server without pauses, and its peers.
class Desk {
 public:
  explicit Desk(
      const Settings& settings = {}, std::function<void(const Event&)> on_event = [](const Event&) {})
      : server_(new Server{
            loop, settings, {.on_event = std::move(on_event), .after_turn = {}}, [] { return Millis{0}; }}) {
    server_->set_pause_max(0ms);
    const auto change = server_->entrance().listen_on({{Endpoint{.address = {127, 0, 0, 1}}}}, 4096);
    REQUIRE(change);
    address_ = change->opened.front();
  }
  ~Desk() {
    server_.reset();
    CHECK(loop.drain(20s) == std::vector<std::string>{});
  }
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;
  Desk(Desk&&) = delete;
  Desk& operator=(Desk&&) = delete;

  [[nodiscard]] RawPeer connect() const { return RawPeer{address_}; }
  [[nodiscard]] std::vector<RawPeer> connect(std::size_t count) const {
    std::vector<RawPeer> peers;
    for (std::size_t peer = 0; peer < count; ++peer) peers.push_back(connect());
    return peers;
  }
  void turn() { uv_run(loop.get(), UV_RUN_NOWAIT); }
  [[nodiscard]] std::size_t clients() const { return server_->monitor().clients().size(); }
  [[nodiscard]] std::uint64_t heartbeats() const { return server_->monitor().counters().heartbeats; }
  Server& server() { return *server_; }

  uv::Loop loop;

 private:
  std::unique_ptr<Server> server_;
  Endpoint address_;
};

}  // namespace

TEST_CASE("a turn accepts as many connections as it may, and leaves the others to the next ones") {
  Desk desk;
  const auto peers = desk.connect(3 * limits::kAcceptsPerTurn);
  std::size_t most = 0;
  for (int turns = 0; turns < 1000 && desk.clients() < peers.size(); ++turns) {
    const std::size_t before = desk.clients();
    desk.turn();
    most = std::max(most, desk.clients() - before);
  }
  CHECK(desk.clients() == peers.size());
  CHECK(most >= limits::kAcceptsPerTurn);
  CHECK(most <= limits::kAcceptsPerTurn + 1);  // the one that was left waiting is the next turn's first
  CHECK(desk.server().entrance().gate().pauses() == 0);
}

TEST_CASE("whoever comes when another one's time is up gets its slot, and not its end") {
  Desk desk{{.rule = {.tick = 1s, .leave_timeout = 100ms}, .brake = {.clients_min = 1}}};
  const RawPeer leaving = desk.connect();
  leaving.send(framed(encode({.ip = "a", .status = Status::Leave, .notify = true})));
  REQUIRE(turn_until(desk.loop, [&] { return desk.server().monitor().status_counts().leave == 1; }));
  std::string told = leaving.told();
  std::this_thread::sleep_for(150ms);  // its leave ends, and no client has been judged

  const RawPeer newcomer = desk.connect();
  REQUIRE(turn_until(desk.loop, [&] { return desk.server().monitor().counters().connected == 2; }));
  REQUIRE(turn_until(desk.loop, [&] { return (told += leaving.told()).find("away") != std::string::npos; }));
  CHECK_FALSE(newcomer.has_ended());
  newcomer.send(kBeat);
  CHECK(turn_until(desk.loop, [&] { return desk.heartbeats() == 2; }));
}

TEST_CASE("with a rate, two seconds' worth are accepted and one more waits until listening goes on") {
  Desk desk;
  desk.server().entrance().set_accept_rate(20);
  const auto peers = desk.connect(41);
  REQUIRE(turn_until(desk.loop, [&] { return desk.server().entrance().gate().is_paused(); }));
  CHECK(desk.clients() >= 40);
  REQUIRE(turn_until(desk.loop, [&] { return desk.clients() == 41; }));
  CHECK(desk.server().entrance().gate().pauses() >= 1);
  CHECK(desk.server().monitor().counters().refused == 0);
}

TEST_CASE("listeners that close while a connection waits on them take it along, and nothing else") {
  Desk desk;
  desk.server().entrance().set_accept_rate(1);
  const auto peers = desk.connect(5);
  REQUIRE(turn_until(desk.loop, [&] { return desk.server().entrance().gate().is_paused(); }));
  REQUIRE(desk.server().entrance().listen_on({{Endpoint{.address = {127, 0, 0, 2}}}}, 16));
  REQUIRE(turn_until(desk.loop, [&] { return !desk.server().entrance().gate().is_paused(); }));
  CHECK(desk.clients() == 2);
}

TEST_CASE("of one client a turn reads 16 KiB, and whoever has sent less is heard in the same turn") {
  Desk desk{{.bounds = {.max_rate = 0}}};
  const RawPeer flooding = desk.connect();
  const RawPeer modest = desk.connect();
  REQUIRE(turn_until(desk.loop, [&] { return desk.clients() == 2; }));
  const std::string flood = beats(4 * limits::kReadBytesPerTurn);
  flooding.send(flood);
  modest.send(kBeat);
  const std::size_t per_turn = limits::kReadBytesPerTurn / kBeat.size() + 1;
  const std::size_t all = flood.size() / kBeat.size() + 1;
  std::size_t most = 0;
  for (int turns = 0; turns < 100'000 && desk.heartbeats() < all; ++turns) {
    const std::uint64_t before = desk.heartbeats();
    desk.turn();
    most = std::max(most, static_cast<std::size_t>(desk.heartbeats() - before));
    if (before == 0 && desk.heartbeats() > 0) {
      const Registry& clients = desk.server().monitor().clients();
      CHECK(clients.at(0)->heartbeats > 0);
      CHECK(clients.at(1)->heartbeats == 1);
    }
  }
  CHECK(desk.heartbeats() == all);
  CHECK(most >= per_turn - 1);
  CHECK(most <= per_turn + 1);
}

TEST_CASE("one that was once held back is read 1 KiB in a turn") {
  Desk desk{{.rule = {.tick = 10ms}, .bounds = {.max_rate = 1}}};
  const RawPeer fast = desk.connect();
  fast.send(beats(limits::kReadBytesPerTurn));
  REQUIRE(turn_until(desk.loop, [&] { return desk.server().monitor().counters().limited == 1; }));
  const std::string flood = beats(8 * limits::kReadBytesHeldBack);
  const std::uint64_t all = desk.heartbeats() + flood.size() / kBeat.size();
  fast.send(flood);
  std::uint64_t before = desk.heartbeats();
  std::uint64_t most = 0;
  REQUIRE(turn_until(desk.loop, [&] {
    most = std::max(most, desk.heartbeats() - before);
    before = desk.heartbeats();
    return before >= all;
  }));
  CHECK(most <= limits::kReadBytesHeldBack / kBeat.size() + 1);
}

TEST_CASE("32 closed clients linger until they have read their notice, and one more lets the oldest go") {
  Desk desk;
  const auto peers = desk.connect(limits::kLingeringMax + 1);
  for (std::size_t peer = 0; peer < peers.size(); ++peer) {
    peers[peer].send(framed(encode({.ip = "a", .id = "p" + std::to_string(peer), .notify = true})));
    REQUIRE(turn_until(desk.loop, [&] { return desk.heartbeats() == peer + 1; }));
  }
  REQUIRE(desk.server().descriptors() == 1 + peers.size());
  for (std::size_t peer = 0; peer < limits::kLingeringMax; ++peer) {
    CHECK(desk.server().kick("p" + std::to_string(peer), ""));
  }
  CHECK(desk.server().descriptors() == 1 + limits::kLingeringMax + 1);
  CHECK(desk.server().kick("p" + std::to_string(limits::kLingeringMax), ""));
  CHECK(desk.server().descriptors() == 1 + limits::kLingeringMax);
}

TEST_CASE(
    "out of memory at the accept, a connection is refused and counted; those inside stay, and it recovers") {
  MemoryReserve memory;
  Desk desk;
  desk.server().use(memory);
  const RawPeer inside = desk.connect();
  REQUIRE(turn_until(desk.loop, [&] { return desk.clients() == 1; }));
  std::vector<RawPeer> outside;
  // Whichever allocation fails: the first that does so lends the reserve, and the next one is turned away.
  FailingAllocations failing{1, Fail::Once};
  const auto refused = [&] { return desk.server().monitor().counters().refused; };
  for (int tries = 0; tries < 10 && refused() == 0; ++tries) {
    outside.push_back(desk.connect());
    failing.cover([&] { desk.turn(); });
  }
  CHECK(refused() >= 1);
  CHECK(desk.server().monitor().counters().refusals.at(static_cast<std::size_t>(Refusal::OutOfMemory)) ==
        refused());
  inside.send(kBeat);
  REQUIRE(turn_until(desk.loop, [&] { return desk.heartbeats() == 1; }));
  // The next pulse finds that there is memory again.
  REQUIRE(turn_until(desk.loop, [&] { return !memory.is_lent(); }));
  const std::size_t before = desk.clients();
  const RawPeer again = desk.connect();
  CHECK(turn_until(desk.loop, [&] { return desk.clients() == before + 1; }));
}

TEST_CASE(
    "where there is no memory at all, a connection that cannot be taken is refused or waits, and comes in "
    "later") {
  Desk desk;
  const RawPeer inside = desk.connect();
  REQUIRE(turn_until(desk.loop, [&] { return desk.clients() == 1; }));
  for (std::uint64_t nth = 1; nth < 30; ++nth) {
    CAPTURE(nth);
    const std::uint64_t connected = desk.server().monitor().counters().connected;
    const std::uint64_t refused = desk.server().monitor().counters().refused;
    const RawPeer outside = desk.connect();
    {
      FailingAllocations failing{nth, Fail::FromThereOn};
      for (int turns = 0; turns < 5; ++turns) failing.cover([&] { desk.turn(); });
    }
    const Counters& counters = desk.server().monitor().counters();
    REQUIRE(turn_until(desk.loop, [&] {
      return counters.connected == connected + 1 || (counters.refused == refused + 1 && outside.has_ended());
    }));
  }
  inside.send(kBeat);
  CHECK(turn_until(desk.loop, [&] { return desk.heartbeats() == 1; }));
}

TEST_CASE("out of memory for what one connection sent, that connection is closed as limit, and no other") {
  for (const bool has_reserve : {true, false}) {
    CAPTURE(has_reserve);
    std::optional<MemoryReserve> memory;
    if (has_reserve) memory.emplace();
    std::vector<Event> closed;
    Desk desk{{}, [&](const Event& event) {
                if (event.kind == Event::Kind::Closed) closed.push_back(event);
              }};
    if (has_reserve) desk.server().use(*memory);
    const RawPeer asks = desk.connect();
    const RawPeer beside = desk.connect();
    REQUIRE(turn_until(desk.loop, [&] { return desk.clients() == 2; }));
    beside.send(kBeat);
    REQUIRE(turn_until(desk.loop, [&] { return desk.heartbeats() == 1; }));
    asks.send(kBeat.substr(0, 10));  // a part of a frame has to be kept
    {
      FailingAllocations failing{1, Fail::Once};
      for (int turns = 0; turns < 1000 && desk.clients() == 2; ++turns) {
        failing.cover([&] { desk.turn(); });
      }
    }
    REQUIRE(desk.clients() == 1);
    CHECK(turn_until(desk.loop, [&] { return asks.has_ended(); }));
    REQUIRE(closed.size() == 1);
    CHECK(closed.front().reason == Reason::Limit);
    CHECK(closed.front().by == Party::Daemon);
    CHECK(closed.front().extra->detail == "the daemon is out of memory");
    beside.send(kBeat);
    CHECK(turn_until(desk.loop, [&] { return desk.heartbeats() == 2; }));
  }
}

TEST_CASE("where there is not even the memory to tell of it, that connection is closed without a word") {
  Desk desk;
  const RawPeer asks = desk.connect();
  REQUIRE(turn_until(desk.loop, [&] { return desk.clients() == 1; }));
  asks.send(kBeat.substr(0, 10));
  {
    FailingAllocations failing{1, Fail::FromThereOn};
    for (int turns = 0; turns < 1000 && desk.clients() == 1; ++turns) failing.cover([&] { desk.turn(); });
  }
  CHECK(desk.clients() == 0);
  CHECK(desk.server().monitor().counters().closes.at(static_cast<std::size_t>(Reason::Limit)) == 1);
  CHECK(turn_until(desk.loop, [&] { return asks.has_ended(); }));
}

TEST_CASE("while the reserve is in use no unfinished frame is kept, and whole ones are heard as ever") {
  MemoryReserve memory;
  Desk desk;
  desk.server().use(memory);
  const RawPeer leaves = desk.connect();
  const RawPeer beats_on = desk.connect();
  REQUIRE(turn_until(desk.loop, [&] { return desk.clients() == 2; }));
  {
    FailingAllocations failing{1, Fail::Once};
    failing.cover([] { operator delete(operator new(16)); });  // which no compiler leaves out
  }
  REQUIRE(memory.is_lent());
  leaves.send(kBeat.substr(0, 10));
  beats_on.send(kBeat);
  desk.turn();
  // The pulse that makes it whole again may have come in that turn already.
  if (!memory.is_lent()) return;
  REQUIRE(turn_until(desk.loop, [&] { return desk.heartbeats() == 1 && desk.clients() == 1; }));
  CHECK(desk.server().monitor().counters().closes.at(static_cast<std::size_t>(Reason::Limit)) == 1);
}
