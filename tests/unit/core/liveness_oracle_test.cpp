// The lazy form of the rule against the rule itself.
#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "daemon/core/liveness.h"
#include "tests/unit/support/changes.h"
#include "tests/unit/support/print.h"
#include "tests/unit/support/property.h"
#include "tools/sim/virtual/tick_by_tick.h"

using namespace heartbeat;
using namespace heartbeat::test;
using heartbeat::sim::TickByTick;

namespace {

// What is done to a client, some time after the step before.
struct Step {
  enum class What : std::uint8_t { Beat, DeclareLeave, Look, TakeOver, ComeBackInLeave };
  enum class When : std::uint8_t { AtOnce, InThisTick, AfterTicks, AroundTickEnd, AroundLeaveEnd };
  What what = What::Beat;
  When when = When::AtOnce;
  int amount = 0;  // 0 to 999: of what, `when` says
};

std::ostream& operator<<(std::ostream& out, const Step& step) {
  constexpr std::array kWhat{"beat", "declare leave", "look", "take over", "come back in leave"};
  constexpr std::array kWhen{"at once", "in this tick", "after ticks", "around tick end", "around leave end"};
  return out << kWhat.at(static_cast<std::size_t>(step.what)) << ' '
             << kWhen.at(static_cast<std::size_t>(step.when)) << ' ' << step.amount;
}

// One number makes one step, so that a long list of them is cheap to make and to shrink.
Step decode(std::uint32_t number) {
  constexpr std::array kWhats{Step::What::Beat,         Step::What::Beat,     Step::What::Beat,
                              Step::What::Beat,         Step::What::Look,     Step::What::Look,
                              Step::What::DeclareLeave, Step::What::TakeOver, Step::What::ComeBackInLeave};
  constexpr std::array kWhens{Step::When::InThisTick,    Step::When::InThisTick, Step::When::AfterTicks,
                              Step::When::AroundTickEnd, Step::When::AtOnce,     Step::When::AroundLeaveEnd};
  Step step;
  const auto next = [&](std::size_t count) {
    const auto chosen = static_cast<std::size_t>(number) % count;
    number = static_cast<std::uint32_t>(number / count);
    return chosen;
  };
  step.what = kWhats.at(next(kWhats.size()));
  step.when = kWhens.at(next(kWhens.size()));
  step.amount = static_cast<int>(next(1000));
  return step;
}

rc::Gen<std::vector<Step>> steps() {
  return rc::gen::container<std::vector<Step>>(rc::gen::map(between<std::uint32_t>(0, 53'999), decode));
}

rc::Gen<Rule> rules() {
  const auto count = [](int most) {
    return rc::gen::cast<std::uint16_t>(rc::gen::oneOf(between(1, 3), between(1, most)));
  };
  const auto rule = [](std::int64_t tick_ms, std::uint16_t threshold, std::uint16_t cursor,
                       std::uint16_t recover, std::int64_t ticks, std::int64_t odd_ms) {
    const Millis timeout{std::max<std::int64_t>(1, tick_ms * ticks + odd_ms)};
    return Rule{Millis{tick_ms}, threshold, cursor, recover, timeout};
  };
  const auto tick_ms = rc::gen::oneOf(between<std::int64_t>(1, 5), rc::gen::just<std::int64_t>(10'000),
                                      between<std::int64_t>(1, 86'400'000));
  // A leave that is a whole number of ticks ends with one; any other does not.
  return rc::gen::apply(rule, tick_ms, count(12), count(6), count(12), between<std::int64_t>(0, 80),
                        rc::gen::element<std::int64_t>(0, 0, -1, 1, 7));
}

MonoTime instant_of(const Step& step, const Rule& rule, const TickByTick& client, MonoTime now) {
  const Millis nearly{step.amount % 3 - 1};
  MonoTime at = now;
  switch (step.when) {
    case Step::When::AtOnce: break;
    case Step::When::InThisTick: at += rule.tick * step.amount / 1000; break;
    case Step::When::AfterTicks: at += rule.tick * (step.amount % 40) / 2; break;
    case Step::When::AroundTickEnd: at = client.tick_end() + nearly; break;
    case Step::When::AroundLeaveEnd:
      at = client.status == Status::Leave ? client.leave_end() + nearly : client.tick_end();
      break;
  }
  return std::max(now, at);
}

void assert_same_state(const Rule& rule, const Liveness& lazy, const TickByTick& oracle) {
  RC_ASSERT(lazy.status() == oracle.status);
  RC_ASSERT(lazy.silence() == oracle.silence);
  RC_ASSERT(lazy.strikes() == oracle.strikes);
  RC_ASSERT(lazy.steady() == std::min<std::int64_t>(oracle.steady, rule.recover));
  if (oracle.status == Status::Leave) RC_ASSERT(lazy.left_at() == oracle.left_at);
}

void assert_same_future(const Rule& rule, const Liveness& lazy, const TickByTick& oracle) {
  const auto next = oracle.next_change();
  RC_ASSERT(lazy.next_change(rule) == (next ? next->at : MonoTime::never()));
}

// The client's next connection, by a takeover or a return while remembered.
void reconnect(Step::What what, const Rule& rule, MonoTime now, Liveness& lazy, TickByTick& oracle) {
  Liveness next_lazy{now};
  TickByTick next_oracle{rule, now};
  if (what == Step::What::TakeOver) {
    next_lazy.take_over(lazy);
    next_oracle.take_over(oracle, now);
  } else {
    next_lazy.enter_leave(now);
    next_oracle.enter_leave(now);
  }
  lazy = next_lazy;
  oracle = next_oracle;
}

void apply(const Step& step, const Rule& rule, MonoTime now, Liveness& lazy, TickByTick& oracle) {
  const MonoTime announced = lazy.next_change(rule);
  switch (step.what) {
    case Step::What::Look: break;
    case Step::What::Beat:
      lazy.heard();
      oracle.heard();
      // The daemon leaves its timer as it is for these.
      if (lazy.status() == Status::Alive) RC_ASSERT(lazy.next_change(rule) >= announced);
      break;
    case Step::What::DeclareLeave: RC_ASSERT(lazy.declared_leave(now) == oracle.declared_leave(now)); break;
    case Step::What::TakeOver:
    case Step::What::ComeBackInLeave: reconnect(step.what, rule, now, lazy, oracle); break;
  }
}

}  // namespace

TEST_CASE("judged lazily, a client has exactly the changes of the rule told tick by tick") {
  check_property(60'000, [] {
    const Rule rule = *rules();
    Liveness lazy{t0};
    TickByTick oracle{rule, t0};
    MonoTime now = t0;
    for (const Step& step : *steps()) {
      now = instant_of(step, rule, oracle, now);
      RC_ASSERT(changes_until(now, lazy, rule) == oracle.run_to(now));
      assert_same_state(rule, lazy, oracle);
      if (oracle.status == Status::Close) break;
      assert_same_future(rule, lazy, oracle);
      apply(step, rule, now, lazy, oracle);
      assert_same_state(rule, lazy, oracle);
      assert_same_future(rule, lazy, oracle);
    }
  });
}

TEST_CASE("how often a client is looked at makes no difference") {
  check_property(20'000, [] {
    const Rule rule = *rules();
    const auto script = *steps();
    Liveness often{t0};
    Liveness seldom{t0};
    std::vector<Change> seen_often;
    std::vector<Change> seen_seldom;
    const auto look = [&](Liveness& client, std::vector<Change>& seen, MonoTime at) {
      for (const Change& change : changes_until(at, client, rule)) seen.push_back(change);
    };
    MonoTime now = t0;
    for (const Step& step : script) {
      now += rule.tick * step.amount / 300;
      look(often, seen_often, now);
      if (step.what != Step::What::Beat || often.status() == Status::Close) continue;
      look(seldom, seen_seldom, now);
      often.heard();
      seldom.heard();
    }
    look(seldom, seen_seldom, now);
    RC_ASSERT(seen_often == seen_seldom);
  });
}
