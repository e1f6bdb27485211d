// The calls since a saved state, repeated, make the monitor what it was: in bytes, and at any of its
// instants.
#include "daemon/core/call_log.h"

#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "daemon/core/call_replay.h"
#include "daemon/core/logged_monitor.h"
#include "daemon/core/saved_state.h"
#include "tests/unit/support/bytes.h"
#include "tests/unit/support/instants.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

constexpr Rule kRule{.tick = 1s, .threshold = 2, .cursor = 1, .recover = 2, .leave_timeout = 4s};
constexpr ClosingBrake::Settings kBrake{.share_percent = 30, .clients_min = 4, .window = 5s, .pause = 6s};
const Settings kSettings{.rule = kRule,
                         .clients_max = 30,
                         .remember = 8,
                         .brake = kBrake,
                         .bounds = {.frame_timeout = 3s, .max_rate = 3, .max_clients_per_ip = 20}};
// Small, so that slices end in the middle of a mass.
constexpr SliceSize kSlice{.clients = 3, .events = 2};

std::string saved(const Monitor& monitor, const Feed& feed) {
  return save_state({.monitor = monitor.state(), .turn = {}, .feed = feed, .run = "run", .others = ""});
}

// What a daemon keeps in memory that outlives it: a saved state, and the calls since.
struct Kept {
  std::string base;
  std::vector<MonoTime> armed;
  CallLog::Head head{};
  std::vector<std::byte> storage = std::vector<std::byte>(std::size_t{1} << 20U);

  [[nodiscard]] std::string_view calls() const {
    return {reinterpret_cast<const char*>(storage.data()), head.committed};
  }
};

struct Restored {
  Monitor monitor;
  Feed feed;
  std::vector<std::pair<ConnId, std::uint64_t>> opened{};
  bool as_before = false;
};

Restored restore(const Kept& kept) {
  auto state = restore_state(kept.base, {});
  REQUIRE(state);
  Restored restored{.monitor = Monitor{std::move(state->monitor), kSlice}, .feed = std::move(state->feed)};
  restored.monitor.arm(kept.armed);
  restored.as_before = replay_calls(
      kept.calls(), restored.monitor,
      {.on_event = [&](const Event& event) { restored.feed.add(event); },
       .on_open = [&](ConnId conn, std::uint64_t number) { restored.opened.emplace_back(conn, number); },
       .on_unsent = [](ConnId, bool) {}});
  return restored;
}

// A monitor that logs its calls, in the hands of a caller that commits each.
class Logged {
 public:
  Logged() { begin(); }

  // Saves the state, and begins the log anew.
  void begin() {
    kept_.base = saved(monitor_.get(), feed_);
    kept_.armed = monitor_->armed();
    log_ = CallLog{kept_.head, kept_.storage};
    monitor_.write_to(&log_);
  }

  ConnId open(std::uint16_t port, MonoTime at, const Arrival& arrival = {}) {
    const auto conn = monitor_.open({.address = {10, 0, 0, 1}, .port = port}, at, effects_, arrival, port);
    apply();
    return conn.value_or(kNoConn);
  }
  void send(ConnId conn, std::string_view bytes, MonoTime at) {
    monitor_.receive(conn, bytes, at, effects_);
    apply();
  }
  void advance(MonoTime at) {
    while (monitor_.advance(at, effects_)) apply();
    apply();
  }

  LoggedMonitor& monitor() { return monitor_; }
  Effects& effects() { return effects_; }
  CallLog& log() { return log_; }
  void set_clock(const ListeningClock::State& clock) { clock_ = clock; }
  const Kept& kept() const { return kept_; }

  void apply() {
    for (const Event& event : effects_.events()) feed_.add(event);
    effects_.clear();
    log_.commit(clock_);
  }

  void check_that_it_can_be_restored() const {
    const Restored restored = restore(kept_);
    CHECK(restored.as_before);
    CHECK(saved(restored.monitor, restored.feed) == saved(monitor_.get(), feed_));
    CHECK(restored.monitor.armed() == monitor_->armed());
  }

 private:
  Kept kept_;
  LoggedMonitor monitor_{Monitor{kSettings, {}, kSlice}};
  Effects effects_;
  Feed feed_;
  ListeningClock::State clock_{};
  CallLog log_{kept_.head, kept_.storage};
};

std::string beat(std::string_view id, Status status = Status::Alive) {
  return framed(encode({.ip = "192.168.1.105", .status = status, .id = id, .pid = 7, .notify = true}));
}

// Anything that a caller may do, at random.
void do_something(Logged& logged, std::mt19937_64& random, std::vector<ConnId>& conns, MonoTime& now) {
  const auto draw = [&](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>{0, below - 1}(random);
  };
  const auto conn = [&] { return conns.empty() ? kNoConn : conns[draw(conns.size())]; };
  now += Millis{static_cast<std::int64_t>(draw(4) == 0 ? draw(2500) : draw(60))};
  const std::string id = draw(4) == 0 ? std::string{} : "pump-" + std::to_string(draw(12));
  switch (draw(17)) {
    case 0:
    case 1:
    case 2: {
      Arrival arrival;
      if (draw(2) == 0) arrival.listener = Endpoint{.address = {127, 0, 0, 1}, .port = 14000};
      if (draw(3) == 0) arrival.accepted = now - Millis{static_cast<std::int64_t>(draw(1500))};
      if (draw(4) == 0) {
        arrival.passage = {.via = Endpoint{.address = {10, 1, 0, 1}, .port = 9},
                           .certificate_name = id,
                           .require = draw(2) == 0 ? Requirement::Certificate : Requirement::None};
      }
      conns.push_back(logged.open(static_cast<std::uint16_t>(1000 + draw(60'000)), now, arrival));
      break;
    }
    case 3: {
      const std::string frame = beat(id);
      const std::size_t cut = draw(frame.size());
      const ConnId to = conn();
      logged.send(to, frame.substr(0, cut), now);
      if (draw(2) == 0) logged.send(to, frame.substr(cut), now + 1ms);
      break;
    }
    case 4: logged.send(conn(), "no frame at all", now); break;
    case 5: logged.send(conn(), beat(id, Status::Leave), now); break;
    case 6: logged.send(conn(), beat(id, Status::Close), now); break;
    case 7:
      logged.monitor().disconnect(conn(), Reason::PeerClosed, now, logged.effects(),
                                  draw(2) == 0 ? "" : "why");
      logged.apply();
      break;
    case 8:
      logged.monitor().kick(id, "out", now, logged.effects());
      if (draw(2) == 0) logged.monitor().supersede(conn(), "to n2", now, logged.effects());
      if (draw(2) == 0) logged.monitor().remember_leave(conn(), now, logged.effects());
      if (draw(3) == 0)
        logged.monitor().drain({.rate = 1U + static_cast<unsigned>(draw(5)), .retry_after = 2s, .uid = 7},
                               now, logged.effects());
      if (draw(2) == 0) static_cast<void>(logged.monitor().end_drain(8, now, logged.effects()));
      if (draw(2) == 0) logged.monitor().forget("pump-" + std::to_string(draw(12)));
      logged.apply();
      break;
    case 9:
      logged.monitor().stalled(1234ms, now, logged.effects());
      logged.monitor().suspended(99ms, now, logged.effects());
      logged.monitor().accept_paused("too fast", now, logged.effects());
      logged.monitor().accept_still_paused(now);
      logged.monitor().reloaded(draw(2) == 0 ? "" : "tick: what?", now, logged.effects());
      logged.monitor().certificate_expires("/etc/server.pem", draw(2) == 0 ? "" : "it expires", now,
                                           logged.effects());
      logged.monitor().review_conditions(now, logged.effects());
      logged.apply();
      break;
    case 10:
      logged.monitor().end_brake(draw(2) == 0 ? BrakeEnd::Confirmed : BrakeEnd::Released, now,
                                 logged.effects());
      logged.apply();
      break;
    case 11:
      logged.monitor().reject_preamble(conn(), BadInput::ProxyMissing, "none came", now, logged.effects());
      logged.apply();
      break;
    case 12:
      logged.advance(now);
      static_cast<void>(logged.monitor().next_change(now + 2s));
      logged.apply();
      break;
    case 13:
      static_cast<void>(logged.monitor().advance(now, logged.effects()));  // one slice alone
      logged.apply();
      break;
    case 14:
      logged.monitor().abandon(conn());
      logged.apply();
      break;
    case 15:
      if (draw(3) == 0) {
        logged.monitor().release("pump-*", 7, now, logged.effects());
      } else {
        logged.monitor().hold(
            {.pattern = "pump-*", .why = "repair", .length = 1s + Millis{draw(3000)}, .uid = 1000}, now,
            logged.effects());
      }
      logged.apply();
      break;
    default: logged.send(conn(), beat(id) + beat(id), now); break;
  }
}

}  // namespace

TEST_CASE("at any instant, the calls since a saved state make the monitor what it was") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    Logged logged;
    std::vector<ConnId> conns;
    MonoTime now = t0;
    for (int step = 1; step <= 300; ++step) {
      do_something(logged, random, conns, now);
      if (step % 60 == 0) logged.check_that_it_can_be_restored();
      if (step % 110 == 0) logged.begin();
    }
  }
}

TEST_CASE("a call that is not committed is not repeated") {
  Logged logged;
  const ConnId pump = logged.open(1, t0);
  logged.monitor().receive(pump, beat("pump"), t0 + 1ms, logged.effects());
  const Restored restored = restore(logged.kept());
  CHECK(restored.as_before);
  REQUIRE(restored.monitor.clients().find(pump) != nullptr);
  CHECK(restored.monitor.clients().find(pump)->heartbeats == 0);
}

TEST_CASE("the caller gets back its own number of each connection, and the clock as of the last commit") {
  Logged logged;
  const ListeningClock::State clock{.machine = t0 + 5s, .listening = t0 + 3s, .owed = 7ms};
  logged.set_clock(clock);
  const ConnId first = logged.open(1, t0);
  const ConnId second = logged.open(2, t0);
  const Restored restored = restore(logged.kept());
  CHECK(restored.opened == std::vector<std::pair<ConnId, std::uint64_t>>{{first, 1}, {second, 2}});
  const ListeningClock::State& kept = logged.kept().head.clock;
  CHECK(kept.machine == clock.machine);
  CHECK(kept.listening == clock.listening);
  CHECK(kept.owed == clock.owed);
}

TEST_CASE("the connection whose bytes are handled is known until what they ordered is sent") {
  Logged logged;
  const ConnId pump = logged.open(1, t0);
  CHECK(logged.kept().head.handled == kNoConn);
  logged.monitor().handles(pump);
  CHECK(logged.kept().head.handled == pump);
  logged.monitor().receive(pump, beat("pump"), t0, logged.effects());
  CHECK(logged.kept().head.handled == pump);
  logged.apply();
  CHECK(logged.kept().head.handled == kNoConn);
}

TEST_CASE("a log takes calls up to its last byte, and the first one beyond breaks it off") {
  constexpr std::size_t kCalls = 4;
  constexpr std::size_t kEach = sizeof(LoggedCall) + 8;
  for (const std::size_t missing : {0U, 8U}) {
    CallLog::Head head;
    std::vector<std::byte> storage(kCalls * kEach - missing);
    CallLog log{head, storage};
    for (std::size_t call = 0; call < kCalls; ++call) log.add(LoggedCall::Kind::Receive, t0, {}, "12345678");
    log.commit({});
    CHECK(log.is_broken() == (missing > 0));
    CHECK(head.committed == (missing > 0 ? kCalls - 1 : kCalls) * kEach);
  }
}

TEST_CASE("what cannot be logged breaks the log off") {
  Logged logged;
  CHECK_FALSE(logged.log().is_broken());
  SUBCASE("other settings") {
    logged.monitor().change_settings(logged.monitor().prepare(kSettings, t0, logged.effects()), t0,
                                     logged.effects());
  }
  SUBCASE("a restart") {
    logged.monitor().restarted({.from_version = "1", .to_version = "2", .length = 5ms}, t0, logged.effects());
  }
  SUBCASE("a shutdown") {
    static_cast<void>(logged.monitor().shut_down(t0, logged.effects()));
  }
  SUBCASE("a connection without memory") {
    logged.monitor().refuse_for_memory({}, t0, logged.effects());
  }
  SUBCASE("heartbeats reported") {
    logged.monitor().report_heartbeats(true);
  }
  CHECK(logged.kept().head.is_broken != 0);
}

TEST_CASE("calls on another monitor than that of the log are noticed") {
  Logged logged;
  logged.open(1, t0);
  logged.begin();
  logged.open(2, t0);
  Monitor other{kSettings};
  const ReplayObserver nobody{[](const Event&) {}, [](ConnId, std::uint64_t) {}, [](ConnId, bool) {}};
  CHECK_FALSE(replay_calls(logged.kept().calls(), other, nobody));
}

TEST_CASE("bytes that are no calls are refused, wherever they are cut off or damaged") {
  Logged logged;
  const ConnId pump = logged.open(1, t0);
  logged.send(pump, beat("pump"), t0);
  const std::string_view calls = logged.kept().calls();
  const ReplayObserver nobody{[](const Event&) {}, [](ConnId, std::uint64_t) {}, [](ConnId, bool) {}};
  const auto repeats = [&](std::string_view bytes) {
    Monitor monitor{kSettings};
    return replay_calls(bytes, monitor, nobody);
  };
  CHECK(repeats(calls));
  std::size_t whole = 0;
  for (std::size_t size = 0; size < calls.size(); ++size) whole += repeats(calls.substr(0, size)) ? 1 : 0;
  CHECK(whole == 2);  // none, and the first call alone
  for (std::size_t at = 0; at < calls.size(); ++at) {
    std::string damaged{calls};
    damaged[at] = static_cast<char>(damaged[at] ^ 0xFF);
    static_cast<void>(repeats(damaged));  // whatever comes of it: nothing is read beyond the bytes
  }
}
