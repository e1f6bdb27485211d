#include "daemon/core/conditions.h"

#include <doctest/doctest.h>

#include "common/limits.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

using Kind = Condition::Kind;
using Seen = Conditions::Seen;

}  // namespace

TEST_CASE("a condition begins once, is counted, and ends when nothing of it has happened for its time") {
  Conditions conditions;
  CHECK(conditions.happened(Kind::Fight, "pump", "from a", t0, t0 + 10s) == Seen::Began);
  CHECK(conditions.happened(Kind::Fight, "pump", "from b", t0 + 4s, t0 + 14s) == Seen::Counted);
  CHECK_FALSE(conditions.due(t0 + 14s - 1ms));

  const auto ended = conditions.due(t0 + 14s);
  REQUIRE(ended);
  CHECK(ended->phase == Phase::Ended);
  CHECK(ended->condition.subject == "pump");
  CHECK(ended->condition.count == 2);
  CHECK(ended->condition.began == t0);
  CHECK(ended->condition.latest == t0 + 4s);
  CHECK(ended->condition.detail == "from b");
  CHECK(conditions.all().empty());
  CHECK(conditions.happened(Kind::Fight, "pump", "", t0 + 20s, t0 + 30s) == Seen::Began);
}

TEST_CASE("a condition that lasts is reported once an hour") {
  Conditions conditions;
  conditions.happened(Kind::ReloadRefused, "", "no such setting", t0, MonoTime::never());
  CHECK_FALSE(conditions.due(t0 + report_every(Condition::Kind::ReloadRefused) - 1ms));
  const auto lasts = conditions.due(t0 + report_every(Condition::Kind::ReloadRefused));
  REQUIRE(lasts);
  CHECK(lasts->phase == Phase::Lasts);
  CHECK_FALSE(conditions.due(t0 + report_every(Condition::Kind::ReloadRefused)));
  CHECK_FALSE(conditions.due(t0 + 2 * report_every(Condition::Kind::ReloadRefused) - 1ms));
  CHECK(conditions.due(t0 + 2 * report_every(Condition::Kind::ReloadRefused)));
}

TEST_CASE("a certificate that expires is reported once a day") {
  Conditions conditions;
  conditions.happened(Kind::CertificateExpires, "/etc/server.pem", "it expires", t0, MonoTime::never());
  CHECK_FALSE(conditions.due(t0 + 24h - 1ms));
  CHECK(conditions.due(t0 + 24h));
  CHECK_FALSE(conditions.due(t0 + 48h - 1ms));
  CHECK(conditions.due(t0 + 48h));
}

TEST_CASE("a condition whose cause is mended ends at once") {
  Conditions conditions;
  conditions.happened(Kind::ReloadRefused, "", "", t0, MonoTime::never());
  const auto ended = conditions.end(Kind::ReloadRefused, "");
  REQUIRE(ended);
  CHECK(ended->count == 1);
  CHECK_FALSE(conditions.end(Kind::ReloadRefused, ""));
}

TEST_CASE(
    "what goes on without an occurrence prolongs a condition, and a mended cause ends it at its instant") {
  Conditions conditions;
  conditions.happened(Kind::AcceptPaused, "", "", t0, t0 + 10s, 3);
  conditions.prolong(Kind::AcceptPaused, "", t0 + 20s);
  conditions.prolong(Kind::AcceptPaused, "", t0 + 15s);
  CHECK_FALSE(conditions.due(t0 + 20s - 1ms));
  CHECK(conditions.find(Kind::AcceptPaused, "")->count == 3);
  conditions.end_at(Kind::AcceptPaused, "", t0 + 5s);
  const auto ended = conditions.due(t0 + 6s);
  REQUIRE(ended);
  CHECK(ended->condition.over == t0 + 5s);
  conditions.prolong(Kind::AcceptPaused, "", t0 + 30s);
  CHECK(conditions.all().empty());
}

TEST_CASE("conditions of another kind or of another subject are others") {
  Conditions conditions;
  conditions.happened(Kind::Fight, "a", "", t0, t0 + 1h);
  CHECK(conditions.happened(Kind::RefusedAgain, "a", "", t0, t0 + 1h) == Seen::Began);
  CHECK(conditions.happened(Kind::Fight, "b", "", t0, t0 + 1h) == Seen::Began);
  REQUIRE(conditions.find(Kind::Fight, "b") != nullptr);
  CHECK(conditions.find(Kind::RefusedAgain, "b") == nullptr);
  CHECK(conditions.count(Kind::Fight) == 2);
}

TEST_CASE("at the bound each condition of a kind is recorded, and one past it only those that last already") {
  Conditions conditions;
  const auto fight = [&](std::size_t number) {
    return conditions.happened(Kind::Fight, std::to_string(number), "", t0, t0 + 1h);
  };
  for (std::size_t number = 0; number < kConditionsMax; ++number) CHECK(fight(number) == Seen::Began);
  CHECK(fight(kConditionsMax) == Seen::Unrecorded);
  CHECK(fight(0) == Seen::Counted);
  CHECK(conditions.happened(Kind::RefusedAgain, "10.0.0.1", "", t0, t0 + 1h) == Seen::Began);
  CHECK(conditions.end(Kind::Fight, "3"));
  CHECK(fight(kConditionsMax) == Seen::Began);
}
