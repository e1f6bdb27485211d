// No call of the monitor is long, however many clients are due at one instant: counted in clients, events and
// bytes.
#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "common/frame.h"
#include "common/limits.h"
#include "common/message.h"
#include "daemon/core/monitor.h"
#include "tests/unit/support/bytes.h"
#include "tests/unit/support/instants.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

using Kind = Event::Kind;

// A strike is a leave, so that all that can happen to a silent client happens soon.
constexpr Rule kRule{.tick = 1s, .threshold = 1, .cursor = 1, .recover = 1, .leave_timeout = 10s};
constexpr ClosingBrake::Settings kNoBrake{.share_percent = 0};
constexpr ClosingBrake::Settings kBrake{.share_percent = 50, .clients_min = 1, .window = 2s, .pause = 5s};
constexpr SliceSize kSmall{.clients = 50, .events = 20};

Settings settings_with(const ClosingBrake::Settings& brake) {
  return {.rule = kRule,
          .clients_max = 100'000,
          .newcomers_max = 0,
          .remember = 10,
          .brake = brake,
          .bounds = {}};
}

// Clients that were all accepted and heard at t0, and ask to be notified: the most that one instant can
// bring.
class Crowd {
 public:
  Crowd(std::size_t size, const Settings& settings, const SliceSize& slice = kSmall)
      : monitor(settings, {}, slice) {
    for (std::size_t client = 0; client < size; ++client) {
      const Endpoint peer{
          .address = {10, 0, static_cast<std::uint8_t>(client >> 8U), static_cast<std::uint8_t>(client)},
          .port = 40001};
      conns.push_back(*monitor.open(peer, t0, effects_));
      beat(conns.back(), t0);
    }
  }

  void beat(ConnId conn, MonoTime at) {
    monitor.receive(conn, framed(encode({.ip = "10.0.0.1", .notify = true})), at, effects_);
    collect();
  }

  // Each call that `more` makes, until it says that nothing is left.
  template <class Call>
  void to_the_end(Call more) {
    for (bool left = true; left;) {
      const std::size_t before = monitor.clients().size();
      left = more();
      ++calls;
      most_events = std::max(most_events, effects_.events().size());
      most_bytes = std::max(most_bytes, bytes_held());
      most_closed = std::max(most_closed, before - monitor.clients().size());
      collect();
    }
  }
  void advance(MonoTime at) {
    to_the_end([&] { return monitor.advance(at, effects_); });
  }
  void shut_down(MonoTime at) {
    to_the_end([&] { return monitor.shut_down(at, effects_); });
  }
  std::optional<std::size_t> end_brake(BrakeEnd how, MonoTime at) {
    const auto held = monitor.end_brake(how, at, effects_);
    CHECK(effects_.events().size() <= 1);
    collect();
    return held;
  }
  void change_settings(const Settings& settings, MonoTime at) {
    monitor.change_settings(settings, at, effects_);
    CHECK(effects_.events().size() <= 1);
    collect();
  }

  void drain(const DrainOrder& order, MonoTime at) {
    monitor.drain(order, at, effects_);
    collect();
  }
  void disconnect(ConnId conn, MonoTime at) {
    monitor.disconnect(conn, Reason::PeerClosed, at, effects_);
    collect();
  }

  void forget() {
    events.clear();
    calls = most_events = most_bytes = most_closed = 0;
  }
  [[nodiscard]] std::size_t count(Kind kind) const {
    return static_cast<std::size_t>(
        std::count_if(events.begin(), events.end(), [&](const Event& event) { return event.kind == kind; }));
  }

  Monitor monitor;
  std::vector<ConnId> conns;
  std::vector<Event> events;
  std::size_t calls = 0;
  std::size_t most_events = 0;
  std::size_t most_bytes = 0;
  std::size_t most_closed = 0;

 private:
  // What the effects hold, with the blocks that the events own.
  [[nodiscard]] std::size_t bytes_held() const {
    std::size_t bytes = effects_.room();
    for (const Event& event : effects_.events())
      bytes += sizeof(Event::Extra) + event.extra->detail.capacity();
    return bytes;
  }
  void collect() {
    for (const Event& event : effects_.events()) events.push_back(event);
    effects_.clear();
  }

  Effects effects_;
};

constexpr std::size_t kMany = 1000;
constexpr MonoTime kLeave = t0 + 2s;  // the first tick is heard, the second is silent
constexpr MonoTime kClose = kLeave + 10s;

// A look may report a strike and the leave that it makes; the last look of a slice begins below the bound.
constexpr std::size_t kEventsMax = kSmall.events + 1;

}  // namespace

TEST_CASE("clients that fall silent at one instant are judged slice by slice, each once, at that instant") {
  Crowd crowd{kMany, settings_with(kNoBrake)};
  crowd.forget();
  crowd.advance(kLeave);
  CHECK(crowd.most_events <= kEventsMax);
  CHECK(crowd.calls >= 2 * kMany / kEventsMax);
  CHECK(crowd.count(Kind::Struck) == kMany);
  CHECK(crowd.count(Kind::Left) == kMany);
  CHECK(std::all_of(crowd.events.begin(), crowd.events.end(),
                    [](const Event& event) { return event.at == kLeave; }));

  crowd.forget();
  crowd.advance(kClose);
  CHECK(crowd.most_events <= kEventsMax);
  CHECK(crowd.count(Kind::Closed) == kMany);
}

TEST_CASE("clients that are looked at in vain are counted, too") {
  Settings settings = settings_with(kNoBrake);
  settings.rule.threshold = 5;
  Crowd crowd{kMany, settings};
  for (const ConnId conn : crowd.conns) crowd.beat(conn, t0 + 4s);
  crowd.forget();
  crowd.advance(t0 + 5s);  // all were armed for this instant, and beat since
  CHECK(crowd.events.empty());
  CHECK(crowd.calls == kMany / kSmall.clients);
}

TEST_CASE("before a pause the next change is looked for in one slice, and what is said is never too late") {
  Settings settings = settings_with(kNoBrake);
  settings.rule.threshold = 5;
  Crowd crowd{kMany, settings};
  for (const ConnId conn : crowd.conns) crowd.beat(conn, t0 + 4s);
  crowd.advance(t0 + 4990ms);
  std::size_t calls = 0;
  while (crowd.monitor.next_change(t0 + 5s) <= t0 + 5s) ++calls;
  CHECK(calls == kMany / kSmall.clients - 1);
}

TEST_CASE("everybody is shut down slice by slice") {
  Crowd crowd{kMany, settings_with(kNoBrake)};
  crowd.forget();
  crowd.shut_down(t0 + 500ms);
  CHECK(crowd.most_closed <= kSmall.events);
  CHECK(crowd.count(Kind::Closed) == kMany);
  CHECK(crowd.monitor.clients().size() == 0);
  CHECK(crowd.monitor.next_deadline() == MonoTime::never());
}

TEST_CASE("a shutdown that comes while new settings are carried out first ends that, slice by slice") {
  Crowd crowd{kMany, settings_with(kNoBrake)};
  Settings other = settings_with(kNoBrake);
  other.rule.tick = 2s;
  Effects effects;
  crowd.monitor.change_settings(other, t0 + 400ms, effects);
  crowd.forget();
  crowd.shut_down(t0 + 500ms);
  CHECK(crowd.calls + 1 >=
        kMany / kSmall.clients + kMany / kSmall.events);  // one call does the last and the first
  CHECK(crowd.count(Kind::Closed) == kMany);
  CHECK(crowd.monitor.clients().size() == 0);
}

TEST_CASE("what one slice of a shutdown leaves, advance() closes") {
  Crowd crowd{kMany, settings_with(kNoBrake)};
  crowd.forget();
  Effects effects;
  CHECK(crowd.monitor.shut_down(t0 + 500ms, effects));
  CHECK(crowd.monitor.next_deadline() == t0 + 500ms);
  crowd.advance(t0 + 700ms);
  CHECK(crowd.most_closed <= kSmall.events);
  CHECK(crowd.monitor.clients().size() == 0);
  for (const Event& event : crowd.events) CHECK(event.at == t0 + 500ms);
}

TEST_CASE("a brake that takes hold, and one whose pause is over, works slice by slice") {
  Crowd crowd{kMany, settings_with(kBrake)};
  crowd.advance(kLeave);
  crowd.forget();
  crowd.advance(kClose);
  CHECK(crowd.calls >= 2 * kMany / kSmall.clients);  // for the report, and for the clients that now wait
  CHECK(crowd.count(Kind::Braked) == 1);
  CHECK(crowd.count(Kind::Closed) == 0);
  CHECK(crowd.monitor.last_brake()->subnet == "10.0.0.0/22");

  crowd.forget();
  crowd.advance(kClose + 5s);
  CHECK(crowd.most_events <= kEventsMax);
  CHECK(crowd.count(Kind::Closed) == kMany);
  CHECK(crowd.events.front().kind == Kind::BrakeEnded);
  CHECK(crowd.events.front().extra->brake->held == kMany);
}

TEST_CASE("an operator's end of a brake is carried out slice by slice, at the instant of the order") {
  Crowd crowd{kMany, settings_with(kBrake)};
  crowd.advance(kLeave);
  crowd.advance(kClose);
  crowd.forget();

  SUBCASE("the clients that wait are closed") {
    CHECK(crowd.end_brake(BrakeEnd::Confirmed, kClose + 1s) == kMany);
    crowd.advance(kClose + 2s);
    CHECK(crowd.most_events <= kEventsMax);
    CHECK(crowd.count(Kind::Closed) == kMany);
    for (const Event& event : crowd.events) CHECK(event.at == kClose + 1s);
  }
  SUBCASE("every client gets a new leave period") {
    CHECK(crowd.end_brake(BrakeEnd::Released, kClose + 1s) == kMany);
    crowd.advance(kClose + 2s);
    CHECK(crowd.calls >= kMany / kSmall.clients);
    CHECK(crowd.count(Kind::Closed) == 0);
    crowd.advance(kClose + 10'999ms);
    CHECK(crowd.monitor.clients().size() == kMany);
    crowd.advance(kClose + 11s + 5s);  // the leaves are new, and so the brake may hold once more
    CHECK(crowd.monitor.clients().size() == 0);
  }
}

TEST_CASE("new settings are carried out slice by slice, at the instant of the order") {
  Crowd crowd{kMany, settings_with(kNoBrake)};
  crowd.advance(t0 + 500ms);
  crowd.forget();
  Settings settings = settings_with(kNoBrake);
  settings.rule.tick = 3s;
  settings.bounds.max_clients_per_ip = 1;
  crowd.change_settings(settings, t0 + 500ms);
  CHECK(crowd.monitor.next_deadline() == t0 + 500ms);
  crowd.advance(t0 + 600ms);
  CHECK(crowd.calls >= kMany / kSmall.clients);
  CHECK(crowd.events.empty());
  CHECK(crowd.monitor.next_deadline() == t0 + 6s);  // the tick of the heartbeat is 3 s long now

  Effects effects;
  const Endpoint known{.address = {10, 0, 0, 1}, .port = 50001};
  CHECK_FALSE(crowd.monitor.open(known, t0 + 600ms, effects));
  crowd.monitor.disconnect(crowd.conns.at(1), Reason::PeerClosed, t0 + 600ms, effects);
  CHECK(crowd.monitor.open(known, t0 + 600ms, effects));
}

TEST_CASE("until new settings are carried out, what comes counts as of that instant, under the new rule") {
  Crowd crowd{kMany, settings_with(kNoBrake)};
  crowd.advance(t0 + 500ms);
  Settings settings = settings_with(kNoBrake);
  settings.rule.tick = 3s;
  settings.bounds.max_clients_per_ip = 2;
  crowd.change_settings(settings, t0 + 500ms);
  CHECK(crowd.monitor.instant_for(t0 + 800ms) == t0 + 500ms);

  // The last clients of all, long before their turn.
  Effects effects;
  crowd.beat(crowd.conns.back(), t0 + 800ms);
  CHECK(crowd.monitor.clients().find(crowd.conns.back())->last_heard == t0 + 500ms);
  crowd.monitor.disconnect(crowd.conns.at(kMany - 2), Reason::PeerClosed, t0 + 800ms, effects);
  crowd.monitor.abandon(crowd.conns.at(kMany - 3));
  CHECK(crowd.monitor.open({.address = {10, 0, 0, 5}, .port = 50001}, t0 + 800ms, effects));

  crowd.advance(t0 + 800ms);
  CHECK(crowd.monitor.instant_for(t0 + 800ms) == t0 + 800ms);
  CHECK_FALSE(crowd.monitor.open({.address = {10, 0, 0, 5}, .port = 50002}, t0 + 800ms, effects));
  crowd.forget();
  crowd.advance(t0 + 5999ms);
  CHECK(crowd.count(Kind::Left) == 1);  // the one without a heartbeat, accepted in the meantime
  crowd.advance(t0 + 6s);
  CHECK(crowd.count(Kind::Left) == kMany - 2 + 1);
}

TEST_CASE("no client is judged past an instant at which the brake has still to decide") {
  Crowd crowd{20, settings_with(kBrake)};
  crowd.advance(kLeave);
  crowd.forget();
  // All leaves have run out, but no client has been judged: a heartbeat comes first.
  CHECK(crowd.monitor.instant_for(kClose + 200ms) == kClose - 1ms);
  crowd.beat(crowd.conns.back(), kClose + 200ms);
  CHECK(crowd.events.empty());
  crowd.advance(kClose + 200ms);
  CHECK(crowd.count(Kind::Braked) == 1);
  CHECK(crowd.count(Kind::Closed) == 0);
  // The heartbeat counts as of just before the decision: the tick it was heard in ends with it.
  CHECK(crowd.count(Kind::Returned) == 1);
  CHECK(crowd.monitor.brake().spans().back().concerned == 19);
}

TEST_CASE("in slices or in one go, the same happens") {
  const auto story = [](const SliceSize& slice) {
    Crowd crowd{60, settings_with(kBrake), slice};
    Settings settings = settings_with(kBrake);
    for (std::size_t client = 0; client < 10; ++client) crowd.beat(crowd.conns[client], t0 + 1500ms);
    crowd.advance(kLeave);
    crowd.advance(kClose);
    crowd.end_brake(BrakeEnd::Released, kClose + 1s);
    crowd.advance(kClose + 1s);
    settings.rule.tick = 700ms;
    crowd.change_settings(settings, kClose + 2s);
    crowd.advance(kClose + 2s);
    crowd.advance(kClose + 30s);
    crowd.shut_down(kClose + 30s);
    std::vector<std::pair<MonoTime, std::string>> told;
    for (const Event& event : crowd.events) {
      told.emplace_back(event.at, std::string{to_string(event.kind)}.append(event.client.view()));
    }
    std::stable_sort(told.begin(), told.end());
    return told;
  };
  const auto whole = story({.clients = 1'000'000, .events = 1'000'000});
  CHECK(whole.size() > 60 * 4);
  CHECK(story({.clients = 1, .events = 1}) == whole);
  CHECK(story({.clients = 7, .events = 3}) == whole);
}

TEST_CASE("with slices as they are, the effects of a call stay below a mebibyte, whatever happens to many") {
  constexpr std::size_t kMebibyte = 1024UL * 1024;
  Crowd crowd{20'000, settings_with(kBrake), {}};
  crowd.forget();
  crowd.advance(kLeave);
  crowd.advance(kClose);
  crowd.advance(kClose + 5s);  // with a detail: how long the brake held each
  CHECK(crowd.monitor.clients().size() == 0);
  CHECK(crowd.most_events <= SliceSize{}.events + 1);
  CHECK(crowd.most_bytes < kMebibyte);

  Crowd others{20'000, settings_with(kNoBrake), {}};
  others.forget();
  others.shut_down(t0 + 1ms);
  CHECK(others.most_closed <= SliceSize{}.events);
  CHECK(others.most_bytes < kMebibyte);
}

TEST_CASE("a drain at the highest rate, of a daemon that comes late, closes a slice in each call") {
  Crowd crowd{kMany, settings_with(kNoBrake)};
  crowd.forget();
  crowd.drain({.rate = limits::kDrainRateMax, .retry_after = 10s}, t0);
  crowd.advance(t0 + limits::kDrainLagMax);
  CHECK(crowd.monitor.clients().size() == 0);
  CHECK(crowd.most_closed <= kSmall.events);
  CHECK(crowd.most_events <= kEventsMax);
  CHECK(crowd.calls >= kMany / kSmall.events);
}

TEST_CASE("a drain passes over empty slots in slices, too") {
  Crowd crowd{kMany, settings_with(kNoBrake)};
  for (std::size_t conn = 0; conn + 1 < kMany; ++conn) crowd.disconnect(crowd.conns.at(conn), t0);
  crowd.forget();
  crowd.drain({.rate = 1}, t0);
  crowd.advance(t0);
  CHECK(crowd.monitor.clients().size() == 0);
  CHECK(crowd.calls >= kMany / kSmall.clients);
}
