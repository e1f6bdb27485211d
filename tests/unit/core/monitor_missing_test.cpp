// Clients that were connected when the daemon last ended.
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "daemon/core/monitor.h"
#include "tests/unit/support/fleet.h"
#include "tests/unit/support/instants.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

using Kind = Event::Kind;

constexpr Rule kRule{.tick = 1s, .threshold = 5, .cursor = 3, .recover = 1, .leave_timeout = 60s};
constexpr Millis kWindow = 15s;

}  // namespace

TEST_CASE("a client of before the start that does not come back is absent once, at the end of its window") {
  Fleet fleet{{.rule = kRule}};
  fleet.expect({"pump-7", "pump-8"}, t0 - 3600s, t0);
  CHECK(fleet.monitor().missing().size() == 2);
  CHECK(fleet.monitor().next_deadline() == t0 + kWindow);
  fleet.advance(t0 + kWindow - 1ms);
  CHECK(fleet.told().empty());

  fleet.advance(t0 + kWindow + 4s);
  CHECK(fleet.told() == Words{"absent pump-7", "absent pump-8"});
  const Event& absent = fleet.last(Kind::Absent);
  CHECK(absent.at == t0 + kWindow);
  CHECK(absent.from == Status::Alive);
  CHECK(absent.silent == 3600s + kWindow);
  CHECK(fleet.counters().absences == 2);
  CHECK(fleet.counters().closes == Counters{}.closes);
  CHECK(fleet.monitor().missing().size() == 0);
  CHECK(fleet.monitor().missing().max() == 0);
  CHECK(fleet.monitor().next_deadline() == MonoTime::never());

  const ClosedClient* const closed = fleet.monitor().closed_clients().find("pump-7");
  REQUIRE(closed != nullptr);
  CHECK(closed->reason == Reason::Absent);
  CHECK(closed->closed_at == t0 + kWindow);
  CHECK(closed->last_heard == t0 - 3600s);
  fleet.advance(t0 + 3600s);
  CHECK(fleet.told().empty());
}

TEST_CASE("a client that comes back within its window is not absent") {
  Fleet fleet{{.rule = kRule}};
  fleet.expect({"pump-7", "pump-8"}, t0 - 60s, t0);
  fleet.join(t0 + kWindow - 2ms, "pump-7");
  CHECK(fleet.monitor().missing().find("pump-7") == nullptr);
  static_cast<void>(fleet.told());
  fleet.advance(t0 + kWindow);
  CHECK(fleet.told() == Words{"absent pump-8"});
}

TEST_CASE("a client that was in leave when the daemon ended comes back in leave") {
  Fleet fleet{{.rule = kRule}};
  std::vector<ClosedClient> clients(1);
  clients[0].name = "pump-7";
  clients[0].status = Status::Leave;
  fleet.monitor().expect(std::move(clients), t0);
  fleet.join(t0 + 1s, "pump-7");
  CHECK(fleet.last(Kind::Left).reason == Reason::Remembered);
}

TEST_CASE("a client that comes back after it was absent is recognised") {
  Fleet fleet{{.rule = kRule}};
  fleet.expect({"pump-7"}, t0 - 60s, t0);
  fleet.advance(t0 + kWindow);
  const Peer back = fleet.join(t0 + kWindow + 5s, "pump-7");
  CHECK(fleet.monitor().closed_clients().find("pump-7") == nullptr);
  const Client& client = *fleet.monitor().clients().find(back.conn());
  REQUIRE(client.history != nullptr);
  CHECK(client.history->oldest_first()[1].reason == Reason::Absent);
}

TEST_CASE("an absence stands in its turn among the verdicts that are found late with it") {
  Fleet fleet{{.rule = {.tick = 1s, .threshold = 5, .cursor = 3, .recover = 1, .leave_timeout = 1s}}};
  fleet.expect({"pump-7"}, t0, t0);
  fleet.join(t0 + 1ms, "before");  // its leave ends at 16 s and 1 ms
  fleet.join(t0 + 2s, "after");
  static_cast<void>(fleet.told());
  fleet.advance(t0 + 60s);
  const Words told = fleet.told();
  const auto place = [&](const char* words) {
    return std::find(told.begin(), told.end(), words) - told.begin();
  };
  CHECK(place("strike before") < place("absent pump-7"));
  CHECK(place("absent pump-7") < place("close before silent"));
  CHECK(place("absent pump-7") < place("leave after silent"));
  CHECK(place("leave after silent") < static_cast<std::ptrdiff_t>(told.size()));
}

TEST_CASE("a client is given the window of its group, by its name or by the group that it was in") {
  Group slow{.name = "slow",
             .rule = {.tick = 10s, .threshold = 5, .cursor = 3, .recover = 1, .leave_timeout = 60s}};
  slow.ids.push_back({"pump-*", *Glob::compile("pump-*")});
  Group named = slow;
  named.name = "named";
  named.ids.clear();
  named.by_name = true;
  named.rule.tick = 2s;
  Fleet fleet{{.rule = kRule, .groups = GroupList{{slow, named}}}};
  std::vector<ClosedClient> clients(3);
  clients[0].name = "pump-7";
  clients[1].name = "pump-8";
  clients[1].group = "named";
  clients[2].name = "other";
  fleet.monitor().expect(std::move(clients), t0);
  fleet.advance(t0 + 15s);
  CHECK(fleet.told() == Words{"absent other"});
  fleet.advance(t0 + 30s - 1ms);
  CHECK(fleet.told().empty());
  fleet.advance(t0 + 150s - 1ms);
  CHECK(fleet.told() == Words{"absent pump-8"});
  CHECK(fleet.last(Kind::Absent).at == t0 + 30s);
  fleet.advance(t0 + 150s);
  CHECK(fleet.told() == Words{"absent pump-7"});
}

TEST_CASE("a mass of absent clients is reported in slices") {
  constexpr std::size_t kMany = 1000;
  Monitor monitor{{.rule = kRule, .remember = kMany}, {}, {.clients = 50, .events = 20}};
  std::vector<ClosedClient> clients(kMany);
  for (std::size_t client = 0; client < kMany; ++client) clients[client].name = "c" + std::to_string(client);
  monitor.expect(std::move(clients), t0);
  std::size_t calls = 0;
  std::size_t events = 0;
  for (bool more = true; more; ++calls) {
    Effects effects;
    more = monitor.advance(t0 + kWindow, effects);
    CHECK(effects.events().size() <= 21);
    events += effects.events().size();
  }
  CHECK(events == kMany);
  CHECK(calls >= kMany / 21);
  CHECK(monitor.closed_clients().size() == kMany);
}

TEST_CASE("a restart of the daemon in between changes nothing") {
  Fleet fleet{{.rule = kRule}};
  fleet.expect({"pump-7", "pump-8"}, t0 - 3600s, t0);
  fleet.restart();
  fleet.join(t0 + 2s, "pump-8");
  static_cast<void>(fleet.told());
  fleet.advance(t0 + kWindow);
  CHECK(fleet.told().back() == "absent pump-7");
}
