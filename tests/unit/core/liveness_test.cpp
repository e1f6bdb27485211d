#include "daemon/core/liveness.h"

#include <set>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "common/limits.h"
#include "tests/unit/support/changes.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

using Changes = std::vector<Change>;
using enum Change::Kind;

constexpr Rule kDefaults;
constexpr Rule kArticle{.tick = 1s, .leave_timeout = 30s};

// A client that is heard at each of these instants.  Nothing may happen to it meanwhile.
void beat(Liveness& client, const Rule& rule, std::initializer_list<MonoTime> instants) {
  for (const MonoTime at : instants) {
    CHECK(changes_until(at, client, rule) == Changes{});
    client.heard();
  }
}

// One that entered leave at `at` without a heartbeat, on the tick it began then.
Liveness in_leave(MonoTime at) {
  Liveness client{at};
  client.enter_leave(at);
  return client;
}

}  // namespace

TEST_CASE("a new client is alive") {
  const Liveness client{t0};
  CHECK(client.status() == Status::Alive);
  CHECK(client.silence() == 0);
  CHECK(client.strikes() == 0);
  CHECK(client.steady() == 0);
}

TEST_CASE("one heartbeat and then nothing: strikes at 60, 110 and 160 s, leave at 160 s, close at 1960 s") {
  Liveness client{t0};
  beat(client, kDefaults, {t0});
  CHECK(client.next_change(kDefaults) == t0 + 60s);

  CHECK(changes_until(t0 + 59'999ms, client, kDefaults) == Changes{});
  CHECK(changes_until(t0 + 60s, client, kDefaults) == Changes{{Struck, t0 + 60s, 5, 1, 1}});
  CHECK(changes_until(t0 + 109'999ms, client, kDefaults) == Changes{});
  CHECK(changes_until(t0 + 110s, client, kDefaults) == Changes{{Struck, t0 + 110s, 5, 2, 0}});
  CHECK(changes_until(t0 + 159'999ms, client, kDefaults) == Changes{});
  CHECK(changes_until(t0 + 160s, client, kDefaults) ==
        Changes{{Struck, t0 + 160s, 5, 3, 0}, {Left, t0 + 160s, 5, 3, 0}});
  CHECK(client.status() == Status::Leave);
  CHECK(client.left_at() == t0 + 160s);
  CHECK(client.strikes() == 0);

  CHECK(client.next_change(kDefaults) == t0 + 1960s);
  CHECK(changes_until(t0 + 1'959'999ms, client, kDefaults) == Changes{});
  CHECK(client.status() == Status::Leave);
  CHECK(changes_until(t0 + 1960s, client, kDefaults) == Changes{{Expired, t0 + 1960s, 0, 0, 0}});
  CHECK(client.status() == Status::Close);
  CHECK(client.next_change(kDefaults) == MonoTime::never());
  CHECK(changes_until(t0 + 99'999s, client, kDefaults) == Changes{});
}

TEST_CASE("a client that was closed stays as it was then") {
  const Rule rule{.tick = 1s, .leave_timeout = 31s};
  Liveness client{t0};
  CHECK(changes_until(t0 + 46s, client, rule).back() == Change{Expired, t0 + 46s, 1, 0, 0});
  CHECK(changes_until(t0 + 24h, client, rule) == Changes{});
  CHECK(client.silence() == 1);
}

TEST_CASE("looked at once, long after, the same story has the same instants") {
  Liveness client{t0};
  beat(client, kDefaults, {t0});
  CHECK(changes_until(t0 + 24h, client, kDefaults) == Changes{{Struck, t0 + 60s, 5, 1, 1},
                                                              {Struck, t0 + 110s, 5, 2, 0},
                                                              {Struck, t0 + 160s, 5, 3, 0},
                                                              {Left, t0 + 160s, 5, 3, 0},
                                                              {Expired, t0 + 1960s, 0, 0, 0}});
}

TEST_CASE("a client that never spoke is struck a tick earlier than one that spoke once") {
  Liveness client{t0};
  CHECK(client.next_change(kDefaults) == t0 + 50s);
  CHECK(changes_until(t0 + 49'999ms, client, kDefaults) == Changes{});
  CHECK(changes_until(t0 + 50s, client, kDefaults) == Changes{{Struck, t0 + 50s, 5, 1, 0}});
}

TEST_CASE("beats every 10 s at ticks of 1 s lead to leave 18 s after the accept") {
  Liveness client{t0};
  beat(client, kArticle, {t0});
  CHECK(changes_until(t0 + 10s, client, kArticle) == Changes{{Struck, t0 + 6s, 5, 1, 1}});
  client.heard();
  CHECK(changes_until(t0 + 17'999ms, client, kArticle) == Changes{{Struck, t0 + 13s, 5, 2, 1}});
  CHECK(changes_until(t0 + 18s, client, kArticle) ==
        Changes{{Struck, t0 + 18s, 5, 3, 0}, {Left, t0 + 18s, 5, 3, 0}});
  // Beating on as slowly does not bring it back, nor does it postpone the end.
  CHECK(changes_until(t0 + 20s, client, kArticle) == Changes{});
  client.heard();
  CHECK(changes_until(t0 + 30s, client, kArticle) == Changes{});
  client.heard();
  CHECK(changes_until(t0 + 40s, client, kArticle) == Changes{});
  client.heard();
  CHECK(changes_until(t0 + 47'999ms, client, kArticle) == Changes{});
  CHECK(changes_until(t0 + 48s, client, kArticle).back().kind == Expired);
}

TEST_CASE("a heartbeat one millisecond before the tick ends counts for that tick") {
  Liveness client{t0};
  beat(client, kArticle, {t0 + 999ms});
  CHECK(client.next_change(kArticle) == t0 + 6s);
}

TEST_CASE("a heartbeat at the instant the tick ends belongs to the next tick") {
  Liveness client{t0};
  beat(client, kArticle, {t0 + 1000ms});
  CHECK(client.silence() == 1);
  CHECK(client.next_change(kArticle) == t0 + 7s);
  CHECK(changes_until(t0 + 2s, client, kArticle) == Changes{});
  CHECK(client.silence() == 0);
}

TEST_CASE("a heartbeat one millisecond before the strike averts it; at its instant it is too late") {
  Liveness in_time{t0};
  CHECK(changes_until(t0 + 4'999ms, in_time, kArticle) == Changes{});
  in_time.heard();
  CHECK(changes_until(t0 + 5s, in_time, kArticle) == Changes{});
  CHECK(in_time.silence() == 3);
  CHECK(in_time.strikes() == 0);

  Liveness late{t0};
  CHECK(changes_until(t0 + 5s, late, kArticle) == Changes{{Struck, t0 + 5s, 5, 1, 0}});
  late.heard();
  CHECK(late.strikes() == 1);
}

TEST_CASE("many heartbeats in one tick count as one") {
  Liveness client{t0};
  beat(client, kArticle, {t0, t0 + 1ms, t0 + 500ms, t0 + 999ms});
  CHECK(changes_until(t0 + 1s, client, kArticle) == Changes{});
  CHECK(client.steady() == 1);
}

TEST_CASE("a heartbeat takes back one silent tick, not all") {
  Liveness client{t0};
  beat(client, kArticle, {t0 + 3500ms});  // three silent ticks, then this
  CHECK(changes_until(t0 + 4s, client, kArticle) == Changes{});
  CHECK(client.silence() == 2);
}

TEST_CASE("five heard ticks clear the strikes") {
  Liveness client{t0};
  CHECK(changes_until(t0 + 10s, client, kArticle).size() == 2);
  CHECK(client.strikes() == 2);
  beat(client, kArticle, {t0 + 10s, t0 + 11s, t0 + 12s, t0 + 13s, t0 + 14s});
  CHECK(changes_until(t0 + 14'999ms, client, kArticle) == Changes{});
  CHECK(client.strikes() == 2);
  CHECK(changes_until(t0 + 15s, client, kArticle) == Changes{});
  CHECK(client.strikes() == 0);
  CHECK(client.steady() == 5);
}

TEST_CASE("a strike begins the count of heard ticks anew") {
  Liveness client{t0};
  CHECK(changes_until(t0 + 5s, client, kArticle).size() == 1);
  beat(client, kArticle, {t0 + 5s, t0 + 6s, t0 + 7s, t0 + 8s});
  CHECK(changes_until(t0 + 14s, client, kArticle) == Changes{{Struck, t0 + 14s, 5, 2, 4}});
  CHECK(client.steady() == 0);
}

TEST_CASE("five heard ticks in leave bring a client back, at the end of the fifth") {
  Liveness client = in_leave(t0);
  beat(client, kArticle, {t0, t0 + 1s, t0 + 2s, t0 + 3s});
  CHECK(client.next_change(kArticle) == t0 + 30s);
  beat(client, kArticle, {t0 + 4s});
  CHECK(client.next_change(kArticle) == t0 + 5s);
  CHECK(changes_until(t0 + 4'999ms, client, kArticle) == Changes{});
  CHECK(changes_until(t0 + 5s, client, kArticle) == Changes{{Returned, t0 + 5s, 0, 0, 5}});
  CHECK(client.status() == Status::Alive);
  CHECK(client.silence() == 0);
  CHECK(client.next_change(kArticle) == t0 + 10s);
}

TEST_CASE("the heard ticks in leave need not follow one another, as long as no threshold comes between") {
  Liveness client = in_leave(t0);
  beat(client, kArticle, {t0, t0 + 2s, t0 + 4s, t0 + 6s, t0 + 8s});
  CHECK(changes_until(t0 + 9s, client, kArticle) == Changes{{Returned, t0 + 9s, 0, 0, 5}});

  Liveness broken = in_leave(t0);
  beat(broken, kArticle, {t0, t0 + 1s, t0 + 2s, t0 + 3s, t0 + 9s});  // five silent ticks before the last
  CHECK(changes_until(t0 + 10s, broken, kArticle) == Changes{});
  CHECK(broken.status() == Status::Leave);
  CHECK(broken.steady() == 1);
}

TEST_CASE("silence in leave is not a strike") {
  Liveness client = in_leave(t0);
  CHECK(changes_until(t0 + 29'999ms, client, kArticle) == Changes{});
  CHECK(client.strikes() == 0);
  CHECK(client.silence() == 4);
}

TEST_CASE("heartbeats alone do not postpone the end of a leave") {
  const Rule rule{.tick = 1s, .recover = 11, .leave_timeout = 30s};
  Liveness client = in_leave(t0);
  for (int second = 0; second < 30; second += 3) {
    CHECK(changes_until(t0 + second * 1s, client, rule) == Changes{});
    client.heard();
    CHECK(client.next_change(rule) == t0 + 30s);
  }
  CHECK(changes_until(t0 + 29'999ms, client, rule) == Changes{});
  CHECK(changes_until(t0 + 30s, client, rule).front().kind == Expired);
}

TEST_CASE("when the tick that brings a client back ends as its leave does, it is back") {
  const Rule rule{.tick = 1s, .recover = 3, .leave_timeout = 3s};
  Liveness client = in_leave(t0);
  beat(client, rule, {t0, t0 + 1s, t0 + 2'999ms});
  CHECK(changes_until(t0 + 3s, client, rule) == Changes{{Returned, t0 + 3s, 0, 0, 3}});
  CHECK(client.status() == Status::Alive);
}

TEST_CASE("when the leave ends one millisecond before that tick does, it is closed") {
  const Rule rule{.tick = 1s, .recover = 3, .leave_timeout = 2'999ms};
  Liveness client = in_leave(t0);
  beat(client, rule, {t0, t0 + 1s, t0 + 2'998ms});
  CHECK(changes_until(t0 + 3s, client, rule) == Changes{{Expired, t0 + 2'999ms, 0, 0, 2}});
}

TEST_CASE("a silent tick that ends as the leave does is counted before the close") {
  const Rule rule{.tick = 1s, .leave_timeout = 3s};
  Liveness client = in_leave(t0);
  CHECK(changes_until(t0 + 3s, client, rule) == Changes{{Expired, t0 + 3s, 3, 0, 0}});
}

TEST_CASE("a declared leave takes effect at once") {
  Liveness client{t0};
  CHECK(changes_until(t0 + 5'300ms, client, kArticle).size() == 1);
  CHECK(client.declared_leave(t0 + 5'300ms));
  CHECK(client.status() == Status::Leave);
  CHECK(client.left_at() == t0 + 5'300ms);
  CHECK(client.strikes() == 0);
  CHECK(client.steady() == 0);
  CHECK(client.next_change(kArticle) == t0 + 35'300ms);
  CHECK(changes_until(t0 + 35'299ms, client, kArticle) == Changes{});
  CHECK(changes_until(t0 + 35'300ms, client, kArticle).front().at == t0 + 35'300ms);
}

TEST_CASE("declaring leave again neither moves a client nor begins a new period") {
  Liveness client{t0};
  CHECK(client.declared_leave(t0));
  for (int second = 1; second < 30; ++second) {
    CHECK(changes_until(t0 + second * 1s, client, kArticle) == Changes{});
    CHECK_FALSE(client.declared_leave(t0 + second * 1s));
  }
  CHECK(client.silence() == 0);
  CHECK(client.steady() == 0);
  CHECK(changes_until(t0 + 30s, client, kArticle) == Changes{{Expired, t0 + 30s, 0, 0, 0}});
}

TEST_CASE("a tick with a declared leave in it does not count towards steady, whatever else was in it") {
  Liveness client{t0};
  client.heard();
  CHECK(client.declared_leave(t0 + 100ms));
  client.heard();
  beat(client, kArticle, {t0 + 1s, t0 + 2s, t0 + 3s, t0 + 4s});
  CHECK(changes_until(t0 + 5s, client, kArticle) == Changes{});
  CHECK(client.steady() == 4);
  beat(client, kArticle, {t0 + 5s});
  CHECK(changes_until(t0 + 6s, client, kArticle) == Changes{{Returned, t0 + 6s, 0, 0, 5}});
}

TEST_CASE("with a threshold, cursor and recover of one each, every tick counts") {
  const Rule rule{.tick = 1s, .threshold = 1, .cursor = 1, .recover = 1, .leave_timeout = 10s};
  Liveness client{t0};
  CHECK(changes_until(t0 + 1s, client, rule) ==
        Changes{{Struck, t0 + 1s, 1, 1, 0}, {Left, t0 + 1s, 1, 1, 0}});
  client.heard();
  CHECK(changes_until(t0 + 2s, client, rule) == Changes{{Returned, t0 + 2s, 0, 0, 1}});
  CHECK(changes_until(t0 + 3s, client, rule).size() == 2);
  CHECK(client.status() == Status::Leave);
}

TEST_CASE("the largest settings neither overflow nor miss their instants") {
  constexpr auto kMost = limits::kRuleCountMax;
  const Rule rule{.tick = limits::kTickMax,
                  .threshold = kMost,
                  .cursor = kMost,
                  .recover = kMost,
                  .leave_timeout = limits::kLeaveTimeoutMax};
  Liveness client{t0};
  const auto changes = changes_until(t0 + rule.tick * 2 * kMost * kMost, client, rule);
  REQUIRE(changes.size() == kMost + 2U);
  CHECK(changes[0] == Change{Struck, t0 + rule.tick * kMost, kMost, 1, 0});
  CHECK(changes[kMost] == Change{Left, t0 + rule.tick * kMost * kMost, kMost, kMost, 0});
  CHECK(changes[kMost + 1U].at == t0 + rule.tick * kMost * kMost + rule.leave_timeout);
}

TEST_CASE("a takeover keeps status, counters and the leave clock, and cuts ticks from the new accept") {
  Liveness earlier{t0};
  CHECK(changes_until(t0 + 7s, earlier, kArticle).size() == 1);
  earlier.heard();
  CHECK(changes_until(t0 + 8'300ms, earlier, kArticle) == Changes{});

  Liveness later{t0 + 8'300ms};
  later.take_over(earlier);
  CHECK(later.status() == Status::Alive);
  CHECK(later.silence() == 1);
  CHECK(later.strikes() == 1);
  CHECK(later.steady() == 1);
  CHECK(later.next_change(kArticle) == t0 + 12'300ms);
}

TEST_CASE("a takeover in leave ends when the earlier connection's leave would have") {
  Liveness earlier{t0};
  CHECK(earlier.declared_leave(t0 + 500ms));
  CHECK(changes_until(t0 + 20s, earlier, kArticle) == Changes{});
  Liveness later{t0 + 20s};
  later.take_over(earlier);
  later.heard();
  CHECK(later.status() == Status::Leave);
  CHECK(changes_until(t0 + 30'499ms, later, kArticle) == Changes{});
  CHECK(changes_until(t0 + 30'500ms, later, kArticle).front().kind == Expired);
}

TEST_CASE("what the new connection has heard in its tick already counts after a takeover") {
  Liveness earlier{t0};
  Liveness later{t0};
  later.heard();
  later.take_over(earlier);
  CHECK(changes_until(t0 + 1s, later, kArticle) == Changes{});
  CHECK(later.steady() == 1);
}

TEST_CASE("a client that was in leave at its last close begins a new leave") {
  Liveness client{t0};
  client.heard();
  client.enter_leave(t0 + 200ms);
  client.heard();
  CHECK(client.status() == Status::Leave);
  CHECK(client.next_change(kArticle) == t0 + 30'200ms);
  beat(client, kArticle, {t0 + 1s, t0 + 2s, t0 + 3s, t0 + 4s});
  // The tick in which it came back was heard: it counts.
  CHECK(changes_until(t0 + 5s, client, kArticle) == Changes{{Returned, t0 + 5s, 0, 0, 5}});
}

TEST_CASE("after a change to a longer tick the present tick is longer, and heard as it was") {
  Liveness client{t0};
  beat(client, kArticle, {t0});
  const Rule slower{.tick = 2s, .leave_timeout = 30s};
  client.restart_tick(kArticle, slower, t0 + 500ms);
  CHECK(client.tick_start() == t0);
  CHECK(client.next_change(slower) == t0 + 12s);  // five silent ticks after the heard one
}

TEST_CASE(
    "after a change to a shorter tick the present tick began a whole number of ticks after the old one") {
  const Rule from{.tick = 10s, .leave_timeout = 100s};
  const Rule to{.tick = 3s, .leave_timeout = 100s};
  for (const auto& [now, tick_start] : {std::pair{t0 + 2999ms, t0}, std::pair{t0 + 3s, t0 + 3s},
                                        std::pair{t0 + 9999ms, t0 + 9s}, std::pair{t0 + 10s, t0 + 10s}}) {
    Liveness client{t0};
    CHECK(changes_until(now, client, from) == Changes{});
    client.restart_tick(from, to, now);
    CHECK(client.tick_start() == tick_start);
  }
}

TEST_CASE(
    "clients that were accepted at different instants are judged at different instants after a change") {
  const Rule to{.tick = 7s, .threshold = 1, .leave_timeout = 100s};
  std::set<MonoTime> instants;
  for (Millis accepted = 0ms; accepted < 1s; accepted += 50ms) {
    Liveness client{t0 + accepted};
    CHECK(changes_until(t0 + 2s, client, kArticle) == Changes{});
    client.restart_tick(kArticle, to, t0 + 2s);
    instants.insert(client.next_change(to));
  }
  CHECK(instants.size() == 20);
}

TEST_CASE("silent ticks that nobody has looked at are ticks of the old length") {
  const Rule to{.tick = 10s, .threshold = 5, .leave_timeout = 100s};
  Liveness client{t0};
  beat(client, kArticle, {t0});
  client.restart_tick(kArticle, to, t0 + 4500ms);
  CHECK(client.silence() == 3);
  CHECK(client.tick_start() == t0 + 4s);
  CHECK(client.next_change(to) == t0 + 24s);
}

TEST_CASE("a change of settings never moves a client by itself") {
  const Rule from{.tick = 1s, .threshold = 10, .cursor = 10, .recover = 10, .leave_timeout = 100s};
  const Rule to{.tick = 1s, .threshold = 2, .cursor = 2, .recover = 2, .leave_timeout = 100s};

  SUBCASE("while alive, with more silence and strikes than are allowed now") {
    Liveness client{t0};
    CHECK(changes_until(t0 + 57s, client, from).size() == 5);
    CHECK(client.silence() == 7);
    CHECK(client.strikes() == 5);
    client.restart_tick(from, to, t0 + 57s);
    CHECK(changes_until(t0 + 57'999ms, client, to) == Changes{});
    CHECK(changes_until(t0 + 58s, client, to).front() == Change{Struck, t0 + 58s, 2, 2, 0});
  }
  SUBCASE("in leave, with more heard ticks than are needed now") {
    Liveness client = in_leave(t0);
    beat(client, from, {t0, t0 + 1s, t0 + 2s, t0 + 3s});
    CHECK(changes_until(t0 + 4s, client, from) == Changes{});
    client.restart_tick(from, to, t0 + 4s);
    CHECK(changes_until(t0 + 5s, client, to) == Changes{});
    CHECK(client.status() == Status::Leave);
    client.heard();
    CHECK(changes_until(t0 + 6s, client, to) == Changes{{Returned, t0 + 6s, 0, 0, 2}});
  }
}

TEST_CASE("after a change to a shorter recover, one more heard tick still clears the strikes") {
  const Rule from{.tick = 1s, .recover = 10, .leave_timeout = 100s};
  const Rule to{.tick = 1s, .recover = 3, .leave_timeout = 100s};
  Liveness client{t0};
  CHECK(changes_until(t0 + 5s, client, from).size() == 1);
  beat(client, from, {t0 + 5s, t0 + 6s, t0 + 7s, t0 + 8s});
  CHECK(changes_until(t0 + 9s, client, from) == Changes{});
  client.restart_tick(from, to, t0 + 9s);
  CHECK(client.strikes() == 1);
  client.heard();
  CHECK(changes_until(t0 + 10s, client, to) == Changes{});
  CHECK(client.strikes() == 0);
}
