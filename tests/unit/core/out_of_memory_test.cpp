// Whatever allocation of the core fails, one connection pays for it, and all that is known stays true.
#include <cstdint>
#include <functional>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "daemon/core/monitor.h"
#include "tests/unit/support/allocations.h"
#include "tests/unit/support/bytes.h"
#include "tests/unit/support/fleet.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

Settings tight() {
  Settings settings{.rule = {.tick = 1s, .threshold = 2, .cursor = 2, .recover = 2, .leave_timeout = 10s}};
  settings.brake = {.share_percent = 50, .clients_min = 2, .window = 4s, .pause = 2s};
  settings.bounds.max_clients_per_ip = 100;
  settings.bounds.max_rate = 5;
  settings.bounds.hello_timeout = 3s;
  return settings;
}

// A monitor whose allocations fail, and what the daemon does about it: a connection that cannot be opened is
// refused, and one whose bytes cannot be dealt with is closed, if need be without a word.
class Scarce {
 public:
  Scarce(std::uint64_t nth, Fail which) { failing_.emplace(nth, which); }

  void memory_is_back() { failing_.reset(); }

  std::optional<ConnId> open() {
    std::optional<ConnId> conn;
    const Endpoint peer = Fleet::peer_at(next_port_++);
    const std::size_t clients = monitor_.clients().size();
    const std::uint64_t connected = monitor_.counters().connected;
    const bool done = attempt([&] { conn = monitor_.open(peer, now, effects_, {.listener = listener_}); });
    if (done) return conn;
    opened_in_part_ = opened_in_part_ || monitor_.clients().size() != clients ||
                      monitor_.counters().connected != connected ||
                      monitor_.clients().slot_named(to_string(peer)).has_value();
    attempt([&] { monitor_.refuse_for_memory(peer, now, effects_); });
    ++refused_;
    return {};
  }
  void receive(std::optional<ConnId> conn, std::string_view bytes) {
    if (!conn || attempt([&] { monitor_.receive(*conn, bytes, now, effects_); })) return;
    give_up(*conn, Reason::Limit);
  }
  void disconnect(std::optional<ConnId> conn) {
    if (conn) give_up(*conn, Reason::PeerClosed);
  }
  // What fails is tried again at the next turn, here by the next call.
  void pass(Millis time) {
    now += time;
    attempt([&] {
      while (monitor_.advance(now, effects_)) {
      }
    });
  }
  void end_brake() {
    attempt([&] { monitor_.end_brake(BrakeEnd::Released, now, effects_); });
  }

  [[nodiscard]] const Monitor& monitor() const { return monitor_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  [[nodiscard]] bool has_opened_in_part() const { return opened_in_part_; }
  [[nodiscard]] bool has_gap() const { return gap_; }
  // Except clients that another connection took over, or whose end could not be reported.
  [[nodiscard]] std::uint64_t ends_told() const { return ends_told_; }

  MonoTime now = t0;

 private:
  void give_up(ConnId conn, Reason reason) {
    if (!attempt([&] { monitor_.disconnect(conn, reason, now, effects_, "the daemon is out of memory"); })) {
      const std::size_t clients = monitor_.clients().size();
      monitor_.abandon(conn);
      ends_told_ += clients - monitor_.clients().size();  // their ends cannot be reported
    }
  }

  // Whether there was the memory for it.
  bool attempt(const std::function<void()>& call) {
    bool done = false;
    try {
      failing_ ? failing_->cover(call) : call();
      done = true;
    } catch (const std::bad_alloc&) {  // as the daemon does
    }
    for (const Event& event : effects_.events()) {
      gap_ = gap_ || event.number != ++last_number_;
      if (event.kind == Event::Kind::Closed) ++ends_told_;
    }
    effects_.clear();
    return done;
  }

  std::optional<FailingAllocations> failing_;
  Monitor monitor_{tight()};
  Effects effects_;
  std::optional<Endpoint> listener_ = Fleet::peer_at(14000);
  std::uint16_t next_port_ = 40001;
  std::uint64_t refused_ = 0;
  std::uint64_t last_number_ = 0;
  std::uint64_t ends_told_ = 0;
  bool opened_in_part_ = false;
  bool gap_ = false;
};

// Something of everything that makes the core ask for memory.
void live_through_much(Scarce& scarce) {
  const auto id = [](char last) { return std::string{"a client whose id does not fit inside "} + last; };
  const auto named = [&](char last) {
    return framed(encode({.ip = "192.168.100.105", .id = id(last), .notify = true}));
  };
  std::vector<std::optional<ConnId>> conns;
  for (const char last : {'a', 'b', 'c', 'd'}) {
    conns.push_back(scarce.open());
    scarce.receive(conns.back(), named(last).substr(0, 2));
    scarce.receive(conns.back(), named(last).substr(2, 50));
    scarce.receive(conns.back(), named(last).substr(52));
  }
  scarce.receive(scarce.open(), named('x').substr(0, 20));                      // not finished
  for (int beat = 0; beat < 200; ++beat) scarce.receive(conns[0], named('a'));  // far too fast
  scarce.receive(conns[1], framed(encode_twice({.ip = "10.0.0.1"})));
  const auto nameless = scarce.open();
  scarce.receive(nameless, framed(encode({.ip = "10.0.0.9"})));
  scarce.receive(nameless, named('e'));       // named later
  scarce.receive(scarce.open(), named('b'));  // taken over
  scarce.receive(conns[2], framed(encode({.ip = "10.0.0.9", .status = Status::Leave})));
  scarce.pass(6s);  // all in leave
  for (int tick = 0; tick < 4; ++tick) {
    scarce.receive(nameless, named('e'));  // returns
    scarce.pass(1s);
  }
  scarce.pass(5s);  // the brake holds
  scarce.end_brake();
  scarce.disconnect(nameless);
  scarce.receive(scarce.open(), named('e'));  // and is back
  scarce.disconnect(scarce.open());
  scarce.pass(40s);  // closed, the ones that never sent a heartbeat among them
}

// What must hold at every moment.  It cannot be checked while allocations fail: a check allocates.
void check_is_true(const Monitor& monitor) {
  const Registry& clients = monitor.clients();
  std::uint64_t closed = 0;
  for (const std::uint64_t count : monitor.counters().closes) closed += count;
  CHECK(monitor.counters().connected == clients.size() + closed);
  std::size_t in_leave = 0;
  std::size_t count = 0;
  for (std::uint32_t slot = 0; slot < clients.slots(); ++slot) {
    const Client* const client = clients.at(slot);
    if (client == nullptr) continue;
    ++count;
    if (client->liveness.status() != Status::Alive) ++in_leave;
    CHECK(clients.slot_named(name_of(*client)) == slot);
  }
  CHECK(count == clients.size());
  CHECK(monitor.status_counts().leave == in_leave);
  CHECK(monitor.status_counts().alive + in_leave == count);
}

// Returns whether any allocation failed.
bool lives_through_a_failure(std::uint64_t nth, Fail which) {
  CAPTURE(nth);
  Scarce scarce{nth, which};
  live_through_much(scarce);
  const bool failed = FailingAllocations::has_failed();
  check_is_true(scarce.monitor());
  CHECK_FALSE(scarce.has_opened_in_part());
  CHECK_FALSE(scarce.has_gap());
  CHECK(scarce.monitor().counters().refusals.at(static_cast<std::size_t>(Refusal::OutOfMemory)) ==
        scarce.refused());

  // There is memory again.  Each client that is left has a deadline, so none is forgotten.
  scarce.memory_is_back();
  scarce.pass(1min);
  CHECK(scarce.monitor().clients().size() == 0);
  check_is_true(scarce.monitor());
  CHECK_FALSE(scarce.has_gap());
  const Counters& counters = scarce.monitor().counters();
  const std::uint64_t superseded = counters.closes.at(static_cast<std::size_t>(Reason::Superseded));
  CHECK(scarce.ends_told() + superseded == counters.connected);

  // Nor is an address counted for a client that is gone.
  for (std::size_t client = 0; client < tight().bounds.max_clients_per_ip; ++client) {
    CHECK(scarce.open().has_value());
  }
  return failed;
}

}  // namespace

TEST_CASE("the life that these tests lead has everything in it that asks for memory") {
  Scarce scarce{1'000'000, Fail::Once};
  live_through_much(scarce);
  CHECK_FALSE(FailingAllocations::has_failed());
  const Counters& counters = scarce.monitor().counters();
  CHECK(counters.takeovers == 1);
  CHECK(counters.limited == 1);
  CHECK(counters.strikes >= 1);
  CHECK(counters.leaves >= 3);
  CHECK(counters.returns >= 1);
  for (std::size_t kind = 0; kind < kBadInputCount; ++kind) {
    CAPTURE(to_string(static_cast<BadInput>(kind)));
    CHECK(counters.bad_input.at(kind) == 0);
  }
  CHECK(counters.closes.at(static_cast<std::size_t>(Reason::Silent)) >= 1);
  CHECK(counters.closes.at(static_cast<std::size_t>(Reason::Away)) >= 1);
  CHECK(counters.closes.at(static_cast<std::size_t>(Reason::NeverSpoke)) +
            counters.closes.at(static_cast<std::size_t>(Reason::FrameTimeout)) >=
        1);
  CHECK(scarce.monitor().brake().times_held() >= 1);
}

TEST_CASE("whichever one allocation fails, nothing that is known becomes untrue, and nobody is forgotten") {
  std::uint64_t nth = 1;
  while (lives_through_a_failure(nth, Fail::Once)) ++nth;
}

TEST_CASE("whenever all allocations begin to fail, the same holds") {
  std::uint64_t nth = 1;
  while (lives_through_a_failure(nth, Fail::FromThereOn)) ++nth;
}

TEST_CASE("a connection is closed wholly, and told of, or not at all") {
  bool failed = true;
  for (std::uint64_t nth = 1; failed; ++nth) {
    CAPTURE(nth);
    Monitor monitor{tight()};
    Effects opening;
    const auto conn = monitor.open(Fleet::peer_at(40001), t0, opening);
    REQUIRE(conn);
    monitor.receive(*conn, framed(encode({.ip = "10.0.0.9", .id = "a client whose id does not fit inside"})),
                    t0, opening);
    Effects closing;  // with no room yet
    {
      FailingAllocations failing{nth, Fail::Once};
      failing.cover([&] {
        try {
          monitor.disconnect(*conn, Reason::PeerClosed, t0, closing);
        } catch (const std::bad_alloc&) {  // it is seen below what has become of it
        }
      });
      failed = FailingAllocations::has_failed();
    }
    const bool is_there = monitor.clients().find(*conn) != nullptr;
    CHECK(closing.events().size() == (is_there ? 0 : 1));
    CHECK(is_there == failed);
    check_is_true(monitor);
  }
}

TEST_CASE("a connection that there is no memory for is refused with that reason, told and counted") {
  Monitor monitor{tight()};
  Effects effects;
  monitor.refuse_for_memory(Fleet::peer_at(40001), t0, effects);
  REQUIRE(effects.events().size() == 1);
  const Event& refused = effects.events().front();
  CHECK(refused.kind == Event::Kind::Refused);
  CHECK(refused.reason == Reason::Limit);
  CHECK(refused.client == "10.0.0.1:40001");
  CHECK(refused.extra->detail == "the daemon is out of memory");
  CHECK(monitor.counters().refused == 1);
  CHECK(monitor.counters().refusals.at(static_cast<std::size_t>(Refusal::OutOfMemory)) == 1);
}

TEST_CASE("one that is abandoned is gone and counted, and nothing is told or remembered of it") {
  Monitor monitor{tight()};
  Effects effects;
  const auto conn = monitor.open(Fleet::peer_at(40001), t0, effects);
  REQUIRE(conn);
  monitor.receive(*conn, framed(encode({.ip = "10.0.0.9", .id = "pump-7"})), t0, effects);
  effects.clear();
  monitor.abandon(*conn);
  monitor.abandon(*conn);  // it is gone already
  CHECK(effects.events().empty());
  CHECK(effects.orders().empty());
  CHECK(monitor.clients().size() == 0);
  CHECK(monitor.closed_clients().size() == 0);
  CHECK(monitor.counters().closes.at(static_cast<std::size_t>(Reason::Limit)) == 1);
  CHECK(monitor.next_deadline() == MonoTime::never());
  check_is_true(monitor);
}

TEST_CASE(
    "new settings for which memory lacks change nothing; when they are prepared, nothing can fail any more") {
  Settings other = tight();
  other.rule = {.tick = 2s, .threshold = 1, .cursor = 1, .recover = 1, .leave_timeout = 20s};
  other.remember = 5;
  other.bounds.max_clients_per_ip = 0;
  other.brake.share_percent = 0;
  bool failed = true;
  for (std::uint64_t nth = 1; failed; ++nth) {
    CAPTURE(nth);
    Monitor monitor{tight()};
    Effects effects;
    std::vector<ConnId> conns;
    for (std::uint16_t client = 0; client < 8; ++client) {
      conns.push_back(*monitor.open(Fleet::peer_at(40001 + client), t0, effects));
      monitor.receive(conns.back(),
                      framed(encode({.ip = "10.0.0.9", .id = "pump-" + std::to_string(client)})), t0,
                      effects);
    }
    monitor.disconnect(conns.back(), Reason::PeerClosed, t0, effects);
    for (MonoTime at = t0; at <= t0 + 16s; at += 500ms) {
      while (monitor.advance(at, effects)) {
      }
    }
    REQUIRE(monitor.brake().holds());
    effects.clear();
    const MonoTime now = t0 + 16s;
    std::optional<Monitor::NewSettings> prepared;
    {
      FailingAllocations failing{nth, Fail::Once};
      failing.cover([&] {
        try {
          prepared = monitor.prepare(other, now, effects);
        } catch (const std::bad_alloc&) {  // seen below
        }
      });
      failed = FailingAllocations::has_failed();
    }
    CHECK(prepared.has_value() == !failed);
    CHECK(monitor.settings().rule == tight().rule);
    CHECK(monitor.brake().holds());
    CHECK(monitor.closed_clients().size() == 1);
    CHECK(effects.events().empty());
    check_is_true(monitor);
    if (failed) continue;

    FailingAllocations failing{1, Fail::FromThereOn};
    failing.cover([&] { monitor.change_settings(std::move(*prepared), now, effects); });
    CHECK_FALSE(FailingAllocations::has_failed());
    CHECK(monitor.settings().rule == other.rule);
    CHECK_FALSE(monitor.brake().holds());
    CHECK(monitor.closed_clients().max() == 5);
    CHECK(monitor.closed_clients().size() == 1);
    REQUIRE(effects.events().size() == 1);
    CHECK(effects.events().front().kind == Event::Kind::BrakeEnded);
  }
}

// Each allocation of turning a connection away fails once.  The peer is remembered or, for lack of memory, it
// is not; where it is not, its refusal is reported all the same.
TEST_CASE("a refusal that there is no memory to remember is reported all the same") {
  std::size_t reported_alone = 0;
  bool failed = true;
  for (std::uint64_t nth = 1; failed; ++nth) {
    CAPTURE(nth);
    Settings settings = tight();
    settings.clients_max = 0;
    settings.newcomers_max = 0;
    Monitor monitor{settings};
    Effects effects;
    const Endpoint peer = Fleet::peer_at(40'001);
    bool refused = false;
    {
      FailingAllocations failing{nth, Fail::Once};
      try {
        failing.cover([&] { refused = !monitor.open(peer, t0, effects); });
      } catch (const std::bad_alloc&) {
      }
      failed = FailingAllocations::has_failed();
    }
    if (refused && monitor.refused_peers().find(peer) == nullptr) {
      REQUIRE(effects.events().size() == 1);
      CHECK(effects.events().front().kind == Event::Kind::Refused);
      ++reported_alone;
    }
  }
  CHECK(reported_alone > 0);
}
