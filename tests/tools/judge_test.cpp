#include "tools/sim/judge.h"

#include <map>

#include <doctest/doctest.h>

#include "sim_support.h"

namespace heartbeat::sim {
namespace {

using namespace std::chrono_literals;

// A client that connected at kStart and beat once then.
Record client(Behaviour behaviour) {
  Record record;
  record.behaviour = behaviour;
  record.connecting_at = kStart;
  record.connected_at = kStart;
  record.beat(kStart);
  return record;
}

Judgement judged(const Record& record, Millis end, const Pace& pace = default_pace()) {
  return judge(record, pace, {kStart + end});
}

TEST_CASE("a steady client that nothing happens to is kept its promise") {
  CHECK(judged(client(Behaviour::Steady), 1h).verdict == Verdict::Kept);
}

TEST_CASE("a steady client that is moved or closed is a broken promise, and described in words") {
  Record left = client(Behaviour::Steady);
  left.left = {kStart + 160s, Reason::Silent};
  CHECK(judged(left, 200s).verdict == Verdict::Broken);
  CHECK(judged(left, 200s).why == "was led to leave (silent) 160.0s after it connected");

  Record closed = client(Behaviour::Steady);
  closed.closed = {kStart + 1'234ms, {}};
  CHECK(judged(closed, 200s).why == "was closed (no reason given) 1.2s after it connected");
}

TEST_CASE("a client that never asks is not sent a byte") {
  Record quiet = client(Behaviour::Steady);
  quiet.asks = false;
  CHECK(judged(quiet, 200s).verdict == Verdict::Kept);
  quiet.bytes = 1;
  CHECK(judged(quiet, 200s).verdict == Verdict::Broken);
}

TEST_CASE("a silent client waits for its leave, and has been wronged when that is overdue by the margin") {
  const Record silent = client(Behaviour::Silent);
  CHECK(judged(silent, 160s).verdict == Verdict::NotYet);
  CHECK(judged(silent, 160s).why == "not yet led to leave");
  // The margin is three ticks here.
  CHECK(judged(silent, 190s).verdict == Verdict::NotYet);
  CHECK(judged(silent, 190s + 1ms).verdict == Verdict::Broken);
  CHECK(judged(silent, 190s + 1ms).why == "was not led to leave, which was due 30.0s ago");
}

TEST_CASE("a silent client is kicked one leave timeout after its leave: not before, and not long after") {
  Record silent = client(Behaviour::Silent);
  silent.left = {kStart + 160s, Reason::Silent};
  CHECK(judged(silent, 1'960s).verdict == Verdict::NotYet);
  CHECK(judged(silent, 1'990s + 1ms).verdict == Verdict::Broken);

  const auto closed_at = [&](Millis at, Reason reason = Reason::Silent) {
    silent.closed = {kStart + at, reason};
    return judged(silent, 1h).verdict;
  };
  CHECK(closed_at(1'960s) == Verdict::Kept);
  CHECK(closed_at(1'990s) == Verdict::Kept);
  CHECK(closed_at(1'990s + 1ms) == Verdict::Broken);
  CHECK(closed_at(1'954s) == Verdict::Broken);
  CHECK(closed_at(1'960s, Reason::Away) == Verdict::Broken);
}

TEST_CASE("a leave that comes too early, or for another reason, is a broken promise") {
  const auto left_at = [](Millis at, Reason reason = Reason::Silent) {
    Record silent = client(Behaviour::Silent);
    silent.left = {kStart + at, reason};
    return judged(silent, 200s).verdict;
  };
  CHECK(left_at(160s) == Verdict::NotYet);
  CHECK(left_at(134s) == Verdict::Broken);
  CHECK(left_at(160s, Reason::Declared) == Verdict::Broken);
}

TEST_CASE("a client that is kicked without ever having been in leave was closed without cause") {
  Record silent = client(Behaviour::Silent);
  silent.closed = {kStart + 10s, Reason::Silent};
  CHECK(judged(silent, 20s).verdict == Verdict::Broken);
  CHECK(judged(silent, 20s).why == "was closed (silent) 10.0s after it connected without cause");
}

TEST_CASE("a late client goes to leave, and returns five ticks after it beats again") {
  Record late = client(Behaviour::Late);
  CHECK(judged(late, 100s).verdict == Verdict::NotYet);
  late.left = {kStart + 160s, Reason::Silent};
  late.quiet_since = kStart;
  late.acted_at = kStart + 170s;
  late.beat(kStart + 170s);
  CHECK(judged(late, 180s).verdict == Verdict::NotYet);
  CHECK(judged(late, 280s + 1ms).verdict == Verdict::Broken);
  late.returned = {kStart + 220s, Reason::Steady};
  CHECK(judged(late, 280s).verdict == Verdict::Kept);
  late.returned = {kStart + 190s, Reason::Steady};
  CHECK(judged(late, 280s).verdict == Verdict::Broken);
}

TEST_CASE("a declared leave is at once, and ends as away") {
  Record declared = client(Behaviour::Declared);
  CHECK(judged(declared, 20s).verdict == Verdict::NotYet);
  declared.acted_at = kStart + 30s;
  CHECK(judged(declared, 31s).verdict == Verdict::NotYet);
  CHECK(judged(declared, 61s).verdict == Verdict::Broken);
  declared.left = {kStart + 30s, Reason::Declared};
  CHECK(judged(declared, 61s).verdict == Verdict::NotYet);
  declared.closed = {kStart + 1'830s, Reason::Away};
  CHECK(judged(declared, 1h).verdict == Verdict::Kept);
}

TEST_CASE("goodbyes, bad input and takeovers have their effect at once, for their reason") {
  const std::map<Behaviour, Reason> reasons{{Behaviour::Goodbye, Reason::Goodbye},
                                            {Behaviour::Illegal, Reason::BadFrame},
                                            {Behaviour::Takeover, Reason::Superseded}};
  for (const auto& expected : reasons) {
    const Behaviour behaviour = expected.first;
    const Reason reason = expected.second;
    CAPTURE(to_string(behaviour));
    Record record = client(behaviour);
    record.deserved = Reason::BadFrame;
    Seen& seen = behaviour == Behaviour::Takeover ? record.superseded : record.closed;
    CHECK(judged(record, 20s).verdict == Verdict::NotYet);
    seen = {kStart + 10s, reason};
    CHECK(judged(record, 20s).verdict == Verdict::Broken);
    record.acted_at = kStart + 10s;
    CHECK(judged(record, 20s).verdict == Verdict::Kept);
    seen.reason.reset();
    CHECK(judged(record, 20s).verdict == Verdict::Broken);
    seen = {};
    CHECK(judged(record, 40s).verdict == Verdict::NotYet);
    CHECK(judged(record, 41s).verdict == Verdict::Broken);
  }
}

TEST_CASE("each glued or dribbled heartbeat is answered, once") {
  Record glued = client(Behaviour::Glued);
  CHECK(judged(glued, 30s).verdict == Verdict::Kept);
  CHECK(judged(glued, 31s).verdict == Verdict::Broken);
  glued.answered();
  CHECK(judged(glued, 1h).verdict == Verdict::Kept);
  glued.answered();
  CHECK(judged(glued, 1h).why == "was given 2 answers to 1 heartbeats");
}

TEST_CASE("a flaky client may go to leave, and must not be kicked") {
  Record flaky = client(Behaviour::Flaky);
  flaky.left = {kStart + 400s, Reason::Silent};
  CHECK(judged(flaky, 1h).verdict == Verdict::Kept);
  flaky.closed = {kStart + 2'200s, Reason::Silent};
  CHECK(judged(flaky, 1h).verdict == Verdict::Broken);
}

TEST_CASE("nothing is promised where the settings promise nothing, and the reason is printed") {
  Pace slow = default_pace();
  slow.interval = 10'001ms;
  Record kicked = client(Behaviour::Steady);
  kicked.closed = {kStart + 200s, Reason::Silent};
  CHECK(judged(kicked, 1h, slow).verdict == Verdict::NoPromise);
  CHECK(judged(kicked, 1h, slow).why == "it beats slower than the daemon's tick");

  Pace hasty = default_pace();
  hasty.rule.leave_timeout = 60s;
  CHECK(judged(client(Behaviour::Late), 1h, hasty).verdict == Verdict::NoPromise);
  hasty.rule.threshold = 2;
  CHECK(judged(client(Behaviour::Flaky), 1h, hasty).verdict == Verdict::NoPromise);

  Record remembered = client(Behaviour::Steady);
  remembered.left = {kStart, Reason::Remembered};
  remembered.remembered = true;
  CHECK(judged(remembered, 1h).verdict == Verdict::NoPromise);
}

TEST_CASE("the daemon is not blamed for what the simulator itself was late with") {
  Record left = client(Behaviour::Steady);
  left.left = {kStart + 160s, Reason::Silent};
  left.was_late(10s);
  CHECK(judged(left, 1h).verdict == Verdict::Broken);
  left.was_late(10'001ms);
  CHECK(judged(left, 1h).verdict == Verdict::Excused);

  Record silent = client(Behaviour::Silent);
  silent.was_late(1h);  // not why it was never moved
  CHECK(judge(silent, default_pace(), {kStart + 195s, 0s}).verdict == Verdict::Broken);
  CHECK(judge(silent, default_pace(), {kStart + 195s, 5s}).verdict == Verdict::NotYet);
  CHECK(judge(silent, default_pace(), {kStart + 195s, 0s, false, 5s}).verdict ==
        Verdict::NotYet);  // restarts
}

TEST_CASE("a daemon that ends takes its clients with it, and breaks no promise by that") {
  Record informed = client(Behaviour::Glued);
  informed.answered();
  informed.closed = {kStart + 100s, Reason::Shutdown};
  Record uninformed = client(Behaviour::Steady);
  uninformed.asks = false;
  uninformed.closed = {kStart + 100s, {}};
  Record kicked = client(Behaviour::Steady);
  kicked.closed = {kStart + 100s, Reason::Kicked};
  const auto verdict = [](const Record& record, bool daemon_ended) {
    return judge(record, default_pace(), {kStart + 100s, 0s, daemon_ended}).verdict;
  };
  CHECK(verdict(informed, true) == Verdict::Kept);
  CHECK(verdict(uninformed, true) == Verdict::Kept);
  CHECK(verdict(kicked, true) == Verdict::Broken);
  CHECK(verdict(informed, false) == Verdict::Broken);
  CHECK(verdict(uninformed, false) == Verdict::Broken);

  Record refused;
  refused.connecting_at = kStart + 99s;
  refused.fault = "connection refused";
  CHECK(verdict(refused, true) == Verdict::NotYet);
  CHECK(verdict(refused, false) == Verdict::Broken);
}

TEST_CASE("a connection that is not accepted is the daemon's fault, one for want of ports is not") {
  Record record;
  record.connecting_at = kStart;
  CHECK(judged(record, 30s).verdict == Verdict::NotYet);
  CHECK(judged(record, 31s).verdict == Verdict::Broken);
  record.fault = "connection refused";
  CHECK(judged(record, 1s).verdict == Verdict::Broken);
  record.own_fault = true;
  CHECK(judged(record, 1s).verdict == Verdict::Excused);
}

}  // namespace
}  // namespace heartbeat::sim
