// The core under a change of settings: it moves no client, and the verdicts after it are exact.
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "common/frame.h"
#include "daemon/core/monitor.h"

namespace heartbeat {
namespace {

using namespace std::chrono_literals;

constexpr MonoTime kStart{Millis{1'000'000}};

Settings settings_with(const Rule& rule) {
  Settings settings;
  settings.rule = rule;
  return settings;
}

// A monitor, and every event that it has reported.
class Story {
 public:
  explicit Story(const Rule& rule) : monitor(settings_with(rule)) {}

  ConnId join(std::string_view id, MonoTime now) {
    const Endpoint peer{.address = {127, 0, 0, 1}, .port = ++port_};
    const auto conn = monitor.open(peer, now, effects_);
    REQUIRE(conn);
    say(*conn, id, "alive", now);
    collect();
    return *conn;
  }
  void say(ConnId conn, std::string_view id, std::string_view status, MonoTime now) {
    std::string frame;
    append_frame(frame, R"({"ip":"10.0.0.1","status":")" + std::string{status} + R"(","id":")" +
                            std::string{id} + R"("})");
    monitor.receive(conn, frame, now, effects_);
    collect();
  }
  void advance(MonoTime now) {
    while (monitor.advance(now, effects_)) {
    }
    collect();
  }
  void change(const Settings& settings, MonoTime now) {
    monitor.change_settings(settings, now, effects_);
    advance(now);
  }
  void change(const Rule& rule, MonoTime now) {
    Settings settings = monitor.settings();
    settings.rule = rule;
    change(settings, now);
  }
  [[nodiscard]] const Client& client(ConnId conn) const { return *monitor.clients().at(conn.slot); }

  // The instants of one kind of event after kStart.
  [[nodiscard]] std::vector<Millis> at(Event::Kind kind) const {
    std::vector<Millis> instants;
    for (const Event& event : events) {
      if (event.kind == kind) instants.push_back(event.at - kStart);
    }
    return instants;
  }

  Monitor monitor;
  std::vector<Event> events;

 private:
  void collect() {
    events.insert(events.end(), effects_.events().begin(), effects_.events().end());
    effects_.clear();
  }

  Effects effects_;
  std::uint16_t port_ = 0;
};

using Instants = std::vector<Millis>;

TEST_CASE("a change of the rule moves no client, and the next verdicts are exact from its instant") {
  Story story{{.tick = 10s, .threshold = 5, .cursor = 3, .recover = 5, .leave_timeout = 30min}};
  const ConnId conn = story.join("pump-7", kStart);
  // By the old rule its first strike would be at 60 s; at 34.5 s two silent ticks have ended.
  story.events.clear();
  story.change({.tick = 1s, .threshold = 5, .cursor = 3, .recover = 5, .leave_timeout = 30s},
               kStart + 34500ms);
  CHECK(story.events.empty());
  CHECK(story.client(conn).liveness.status() == Status::Alive);
  CHECK(story.client(conn).liveness.silence() == 2);

  // The tick that began at 34 s keeps its phase.  Three more silent ticks of 1 s make the strike, then five
  // each, and 30 s of leave.
  CHECK(story.monitor.next_deadline() == kStart + 37s);
  story.advance(kStart + 36999ms);
  CHECK(story.events.empty());
  story.advance(kStart + 10min);
  CHECK(story.at(Event::Kind::Struck) == Instants{37s, 42s, 47s});
  CHECK(story.at(Event::Kind::Left) == Instants{47s});
  CHECK(story.at(Event::Kind::Closed) == Instants{77s});
}

TEST_CASE("what was due by the old rule is judged by it, at its own instant") {
  Story story{{.tick = 10s, .threshold = 5, .cursor = 1, .recover = 5, .leave_timeout = 20s}};
  story.join("closed", kStart - 30s);
  story.join("left", kStart);
  story.change({.tick = 1h, .threshold = 100, .cursor = 100, .recover = 5, .leave_timeout = 2h},
               kStart + 65s);
  CHECK(story.at(Event::Kind::Left) == Instants{30s, 60s});
  CHECK(story.at(Event::Kind::Closed) == Instants{50s});
  CHECK(story.monitor.clients().size() == 1);
  CHECK(story.monitor.next_deadline() == kStart + 60s + 2h);
}

TEST_CASE("counters at a new lower bound stay one below it") {
  Story story{{.tick = 1s, .threshold = 9, .cursor = 3, .recover = 5, .leave_timeout = 30s}};
  const ConnId conn = story.join("pump-7", kStart);
  story.advance(kStart + 9s);  // eight silent ticks after the heard one
  story.events.clear();
  story.change({.tick = 1s, .threshold = 4, .cursor = 3, .recover = 5, .leave_timeout = 30s}, kStart + 9s);
  CHECK(story.events.empty());
  CHECK(story.client(conn).liveness.silence() == 3);
  story.advance(kStart + 9999ms);
  CHECK(story.events.empty());
  story.advance(kStart + 10s);
  CHECK(story.at(Event::Kind::Struck) == Instants{10s});
}

TEST_CASE("a leave that a shorter timeout has overtaken ends with the first tick of the new rule") {
  Story story{{.tick = 1s, .threshold = 5, .cursor = 3, .recover = 5, .leave_timeout = 30min}};
  const ConnId conn = story.join("pump-7", kStart);
  story.say(conn, "pump-7", "leave", kStart);
  story.events.clear();
  const MonoTime at = kStart + 10min;
  story.change({.tick = 2s, .threshold = 5, .cursor = 3, .recover = 5, .leave_timeout = 1min}, at);
  CHECK(story.events.empty());
  CHECK(story.client(conn).liveness.status() == Status::Leave);
  CHECK(story.monitor.next_deadline() == at + 2s);
  story.advance(at + 1999ms);
  CHECK(story.events.empty());
  story.advance(at + 2s);
  CHECK(story.at(Event::Kind::Closed) == Instants{10min + 2s});
}

TEST_CASE("a leave that a shorter timeout has not overtaken lasts exactly that long in all") {
  Story story{{.tick = 1s, .threshold = 5, .cursor = 3, .recover = 5, .leave_timeout = 30min}};
  const ConnId conn = story.join("pump-7", kStart);
  story.say(conn, "pump-7", "leave", kStart);
  story.change({.tick = 2s, .threshold = 5, .cursor = 3, .recover = 5, .leave_timeout = 1min},
               kStart + 59999ms);
  CHECK(story.monitor.next_deadline() == kStart + 1min);
}

TEST_CASE("a longer timeout keeps a client in leave that the old one would have closed") {
  Story story{{.tick = 1s, .threshold = 5, .cursor = 3, .recover = 5, .leave_timeout = 30s}};
  const ConnId conn = story.join("pump-7", kStart);
  story.say(conn, "pump-7", "leave", kStart);
  story.change({.tick = 1s, .threshold = 5, .cursor = 3, .recover = 5, .leave_timeout = 60s},
               kStart + 29999ms);
  story.advance(kStart + 59999ms);
  CHECK(story.at(Event::Kind::Closed).empty());
  story.advance(kStart + 60s);
  CHECK(story.at(Event::Kind::Closed) == Instants{60s});
}

TEST_CASE("settings without a new rule touch no tick, however often they are changed") {
  const Rule rule{.tick = 10s, .threshold = 5, .cursor = 3, .recover = 5, .leave_timeout = 30min};
  Story story{rule};
  story.join("pump-7", kStart);
  for (Millis at = 1s; at < 60s; at += 1s) {
    Settings settings = story.monitor.settings();
    settings.clients_max = static_cast<std::size_t>(at.count());
    story.change(settings, kStart + at);
  }
  story.advance(kStart + 60s);
  CHECK(story.at(Event::Kind::Struck) == Instants{60s});
}

TEST_CASE("a bound below the connected clients drops none of them and refuses the next") {
  Story story{Rule{}};
  story.join("a", kStart);
  story.join("b", kStart);
  Settings settings = story.monitor.settings();
  settings.clients_max = 1;
  settings.newcomers_max = 0;
  story.change(settings, kStart + 1s);
  CHECK(story.monitor.clients().size() == 2);
  Effects effects;
  CHECK_FALSE(story.monitor.open(Endpoint{}, kStart + 1s, effects));
}

TEST_CASE("fewer closed clients to remember forgets those closed longest ago, and none forgets all") {
  Story story{Rule{}};
  for (const std::string_view id : {"a", "b", "c"}) {
    const ConnId conn = story.join(id, kStart);
    story.say(conn, id, "close", kStart);
  }
  Settings settings = story.monitor.settings();
  settings.remember = 2;
  story.change(settings, kStart);
  CHECK(story.monitor.closed_clients().size() == 2);
  CHECK(story.monitor.closed_clients().find("a") == nullptr);
  CHECK(story.monitor.closed_clients().find("c") != nullptr);
  settings.remember = 0;
  story.change(settings, kStart);
  CHECK(story.monitor.closed_clients().size() == 0);
}

TEST_CASE("clients that beat slower than the new tick are reported again") {
  const Rule slow{.tick = 1s, .threshold = 1000, .cursor = 3, .recover = 5, .leave_timeout = 30min};
  Rule slower = slow;
  slower.tick = 1500ms;
  Story story{slow};
  const ConnId conn = story.join("pump-7", kStart);
  MonoTime now = kStart;
  const auto beat = [&](int times) {
    for (int i = 0; i < times; ++i) story.say(conn, "pump-7", "alive", now += 2s);
  };
  beat(10);
  CHECK(story.at(Event::Kind::Slow).size() == 1);
  story.change(slower, now);
  beat(3);
  CHECK(story.at(Event::Kind::Slow).size() == 1);
  beat(7);
  CHECK(story.at(Event::Kind::Slow).size() == 2);
}

}  // namespace
}  // namespace heartbeat
