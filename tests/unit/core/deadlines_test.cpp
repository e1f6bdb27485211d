#include "daemon/core/deadlines.h"

#include <map>
#include <optional>
#include <vector>

#include <doctest/doctest.h>

#include "tests/unit/support/print.h"
#include "tests/unit/support/property.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

// Takes out the earliest slot that is due.
std::optional<std::uint32_t> pop_due(Deadlines& deadlines, MonoTime now) {
  if (deadlines.next() > now) return {};
  const std::uint32_t slot = deadlines.first();
  deadlines.disarm(slot);
  return slot;
}

}  // namespace

TEST_CASE("with no slot armed the next deadline never comes") {
  Deadlines deadlines;
  CHECK(deadlines.next() == MonoTime::never());
  CHECK(deadlines.of(0) == MonoTime::never());
  CHECK_FALSE(pop_due(deadlines, t0 + 1h));
}

TEST_CASE("slots come out in the order of their instants, each when it is due and not before") {
  Deadlines deadlines;
  deadlines.arm(7, t0 + 3s);
  deadlines.arm(2, t0 + 1s);
  deadlines.arm(5, t0 + 2s);
  CHECK(deadlines.next() == t0 + 1s);
  CHECK_FALSE(pop_due(deadlines, t0 + 999ms));
  CHECK(pop_due(deadlines, t0 + 1s) == 2U);
  CHECK(pop_due(deadlines, t0 + 5s) == 5U);
  CHECK(pop_due(deadlines, t0 + 5s) == 7U);
  CHECK_FALSE(pop_due(deadlines, t0 + 5s));
}

TEST_CASE("arming a slot again moves it, earlier or later") {
  Deadlines deadlines;
  deadlines.arm(1, t0 + 2s);
  deadlines.arm(2, t0 + 3s);
  deadlines.arm(2, t0 + 1s);
  CHECK(deadlines.next() == t0 + 1s);
  deadlines.arm(2, t0 + 4s);
  CHECK(deadlines.next() == t0 + 2s);
  CHECK(deadlines.of(2) == t0 + 4s);
}

TEST_CASE("a slot that was disarmed does not come out") {
  Deadlines deadlines;
  deadlines.arm(1, t0);
  deadlines.arm(2, t0);
  deadlines.disarm(1);
  deadlines.disarm(1);
  deadlines.disarm(99);
  CHECK(deadlines.of(1) == MonoTime::never());
  CHECK(pop_due(deadlines, t0) == 2U);
  CHECK_FALSE(pop_due(deadlines, t0));
}

TEST_CASE("the heap is a plain map of slots to instants, only faster") {
  check_property(10'000, [] {
    Deadlines deadlines;
    std::map<std::uint32_t, MonoTime> model;
    const auto earliest = [&] {
      MonoTime at = MonoTime::never();
      for (const auto& [slot, instant] : model) at = std::min(at, instant);
      return at;
    };
    const auto operations = *rc::gen::container<std::vector<std::uint32_t>>(between<std::uint32_t>(0, 3999));
    for (const std::uint32_t operation : operations) {
      const std::uint32_t slot = operation / 4 % 40;
      const MonoTime at = t0 + Millis{operation / 160};
      switch (operation % 4) {
        case 0:
        case 1:
          deadlines.arm(slot, at);
          model[slot] = at;
          break;
        case 2:
          deadlines.disarm(slot);
          model.erase(slot);
          break;
        default: {
          const MonoTime due = earliest();
          const auto popped = pop_due(deadlines, at);
          RC_ASSERT(popped.has_value() == (due <= at));
          if (!popped) break;
          RC_ASSERT(model.at(*popped) == due);
          model.erase(*popped);
        }
      }
      RC_ASSERT(deadlines.next() == earliest());
      RC_ASSERT(deadlines.of(slot) == (model.contains(slot) ? model.at(slot) : MonoTime::never()));
    }
    MonoTime last = t0;
    while (const auto slot = pop_due(deadlines, t0 + 1h)) {
      RC_ASSERT(model.at(*slot) >= last);
      last = model.at(*slot);
      model.erase(*slot);
    }
    RC_ASSERT(model.empty());
  });
}
