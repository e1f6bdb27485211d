// What is wrong for a while is one condition: reported at its beginning, once an hour, and at its end.
#include <string>

#include <doctest/doctest.h>

#include "common/limits.h"
#include "tests/unit/support/bytes.h"
#include "tests/unit/support/fleet.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

using Kind = Event::Kind;

constexpr Rule kArticle{.tick = 1s};

// A health check in HTTP: connects, asks, and is closed.
void check_health(Fleet& fleet, MonoTime at, const std::string& path = "/") {
  fleet.connect(at).send(at, "GET " + path + " HTTP/1.1\r\n\r\n");
}

const Condition* refusals_of(Fleet& fleet, std::string_view address) {
  return fleet.monitor().conditions().find(Condition::Kind::RefusedAgain, address);
}

std::size_t count_of(const Words& words, std::string_view begins) {
  std::size_t count = 0;
  for (const std::string& word : words) count += word.starts_with(begins) ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("a connection that ended before a heartbeat is remembered by its address, with its reason") {
  Fleet fleet;
  check_health(fleet, t0);
  const RefusedPeer* const peer = fleet.monitor().refused_peers().find(Fleet::peer_at(1));
  REQUIRE(peer != nullptr);
  CHECK(peer->count == 1);
  CHECK(peer->latest.reason == Reason::BadFrame);
  CHECK(peer->latest.bad_input == BadInput::LengthOverMax);
  CHECK(peer->latest.detail.find("this is an HTTP request") != std::string::npos);

  fleet.connect(t0 + 1s).disconnect(t0 + 2s);
  CHECK(fleet.monitor().refused_peers().find(Fleet::peer_at(1))->count == 2);
  CHECK(fleet.monitor().refused_peers().find(Fleet::peer_at(1))->latest.reason == Reason::PeerClosed);
  fleet.join(t0 + 3s, "pump").disconnect(t0 + 4s);
  CHECK(fleet.monitor().refused_peers().find(Fleet::peer_at(1))->count == 2);
}

TEST_CASE("a connection that was turned away is remembered, too") {
  Fleet fleet{{.clients_max = 1, .newcomers_max = 0}};
  fleet.join(t0, "pump");
  while (fleet.try_connect(t0)) {
  }
  const RefusedPeer* const peer = fleet.monitor().refused_peers().find(Fleet::peer_at(1));
  REQUIRE(peer != nullptr);
  CHECK(peer->latest.reason == Reason::Limit);
  CHECK(peer->latest.detail == "1 clients are connected, which is the maximum");
}

TEST_CASE("the same refusal of one address again and again is one condition, from the third on") {
  Fleet fleet;
  for (int check = 0; check < 2; ++check) check_health(fleet, t0 + check * 2s);
  CHECK(count_of(fleet.told(), "refused_again") == 0);
  CHECK_FALSE(fleet.last(Kind::Closed).counted);
  check_health(fleet, t0 + 4s);
  CHECK(count_of(fleet.told(), "refused_again 10.0.0.1") == 1);
  const Event& began = fleet.last(Kind::RefusedAgain);
  CHECK(began.extra->condition->phase == Phase::Began);
  CHECK(began.extra->condition->count == 3);
  CHECK(began.extra->detail == fleet.last(Kind::Closed).extra->detail);
  CHECK(fleet.last(Kind::Closed).counted);

  for (int check = 3; check < 1800; ++check) check_health(fleet, t0 + check * 2s);
  fleet.review(t0 + 3599s);
  CHECK(count_of(fleet.told(), "refused_again") == 0);
  fleet.review(t0 + 3604s);  // an hour after it began
  CHECK(fleet.told() == Words{"refused_again 10.0.0.1"});
  CHECK(fleet.last(Kind::RefusedAgain).extra->condition->phase == Phase::Lasts);
  CHECK(fleet.last(Kind::RefusedAgain).extra->condition->count == 1800);

  const MonoTime last = t0 + 1799 * 2s;
  fleet.review(last + kConditionQuiet - 1ms);
  CHECK(fleet.told().empty());
  fleet.review(last + kConditionQuiet);
  CHECK(fleet.told() == Words{"refused_again 10.0.0.1"});
  CHECK(fleet.last(Kind::RefusedAgain).extra->condition->phase == Phase::Ended);
  CHECK(fleet.last(Kind::RefusedAgain).extra->condition->since == t0 + 4s);
  CHECK(refusals_of(fleet, "10.0.0.1") == nullptr);
}

TEST_CASE("a condition that is over counts nothing more, also where no review came between") {
  Fleet fleet;
  for (int check = 0; check < 5; ++check) check_health(fleet, t0);
  CHECK(count_of(fleet.told(), "refused_again") == 1);
  const MonoTime later = t0 + kConditionQuiet;
  for (int check = 0; check < 3; ++check) check_health(fleet, later);
  CHECK(count_of(fleet.told(), "refused_again") == 1);
  CHECK(fleet.last(Kind::RefusedAgain).extra->condition->phase == Phase::Began);
  CHECK(fleet.last(Kind::RefusedAgain).extra->condition->count == 3);
  fleet.review(later);
  CHECK(fleet.told() == Words{"refused_again 10.0.0.1"});
  CHECK(fleet.last(Kind::RefusedAgain).extra->condition->phase == Phase::Ended);
  CHECK(fleet.last(Kind::RefusedAgain).extra->condition->count == 5);
  REQUIRE(refusals_of(fleet, "10.0.0.1") != nullptr);
  CHECK(refusals_of(fleet, "10.0.0.1")->began == later);
}

TEST_CASE("one takeover long after a fight is no fight") {
  Fleet fleet{{.rule = kArticle}};
  for (int turn = 0; turn <= 5; ++turn) static_cast<void>(fleet.join(t0 + turn * 1s, "pump-7"));
  CHECK(count_of(fleet.told(), "fight") == 1);
  const MonoTime later = t0 + 5s + kConditionQuiet;
  static_cast<void>(fleet.join(later, "pump-7"));
  CHECK(count_of(fleet.told(), "fight") == 0);
  fleet.review(later);
  CHECK(count_of(fleet.told(), "fight") == 1);  // its end
  CHECK(fleet.monitor().conditions().all().empty());
}

TEST_CASE("each new mistake of a client's author is reported by itself, also while a condition lasts") {
  Fleet fleet;
  for (int attempt = 0; attempt < 5; ++attempt) check_health(fleet, t0 + attempt * 2s);
  REQUIRE(refusals_of(fleet, "10.0.0.1") != nullptr);
  fleet.connect(t0 + 20s).send(t0 + 20s, "SSH-2.0-OpenSSH_9.2\r\n");
  CHECK_FALSE(fleet.last(Kind::Closed).counted);
  CHECK(refusals_of(fleet, "10.0.0.1")->count == 5);
}

TEST_CASE("a probe that closes by itself is refused nothing") {
  Fleet fleet;
  for (int probe = 0; probe < 10; ++probe) fleet.connect(t0 + probe * 2s).disconnect(t0 + probe * 2s);
  CHECK(refusals_of(fleet, "10.0.0.1") == nullptr);
}

TEST_CASE("a fight for an id is a condition that counts its takeovers, and ends when it is quiet") {
  Fleet fleet{{.rule = kArticle}};
  for (int turn = 0; turn <= 10; ++turn) static_cast<void>(fleet.join(t0 + turn * 1s, "pump-7"));
  CHECK(count_of(fleet.told(), "fight") == 1);
  const Condition* const fight = fleet.monitor().conditions().find(Condition::Kind::Fight, "pump-7");
  REQUIRE(fight != nullptr);
  CHECK(fight->count == 10);
  CHECK(fight->began == t0 + 3s);
  fleet.review(t0 + 10s + kConditionQuiet);
  CHECK(fleet.told() == Words{"fight pump-7"});
  CHECK(fleet.last(Kind::Fight).extra->condition->phase == Phase::Ended);
}

TEST_CASE("a fight goes on by a single takeover before its end") {
  Fleet fleet{{.rule = kArticle}};
  for (int turn = 0; turn <= 5; ++turn) static_cast<void>(fleet.join(t0 + turn * 1s, "pump-7"));
  const MonoTime later = t0 + 5s + kConditionQuiet - 1ms;
  static_cast<void>(fleet.join(later, "pump-7"));
  CHECK(count_of(fleet.told(), "fight") == 1);  // its beginning
  const Condition* const fight = fleet.monitor().conditions().find(Condition::Kind::Fight, "pump-7");
  REQUIRE(fight != nullptr);
  CHECK(fight->count == 6);
  CHECK(fight->latest == later);
  fleet.review(later + kConditionQuiet - 1ms);
  CHECK(fleet.told().empty());
  fleet.review(later + kConditionQuiet);
  CHECK(fleet.told() == Words{"fight pump-7"});
}

TEST_CASE("clients slower than the tick are one condition, which says how slow, and ends with another rule") {
  Settings settings{.rule = kArticle};
  Fleet fleet{settings};
  const Peer pump = fleet.join(t0, "pump-7");
  for (int beat = 1; beat <= 6; ++beat) pump.beat(t0 + beat * 10s);
  CHECK(count_of(fleet.told(), "slow_beats") == 1);
  const Condition* const slow = fleet.monitor().conditions().find(Condition::Kind::SlowBeats, "");
  REQUIRE(slow != nullptr);
  CHECK(slow->count == 1);
  CHECK(slow->detail == "pump-7 beats every 10.0 s, which is ten ticks");
  CHECK(slow->over == t0 + 60s + kConditionQuiet);

  settings.rule.tick = 10s;
  fleet.change(settings, t0 + 61s);
  static_cast<void>(fleet.told());
  fleet.review(t0 + 62s);
  CHECK(count_of(fleet.told(), "slow_beats") == 1);
  CHECK(fleet.monitor().conditions().all().empty());
}

TEST_CASE("pauses of accepting are one condition while they follow one another") {
  Fleet fleet;
  for (int pause = 0; pause < 100; ++pause) fleet.accept_paused("too fast", t0 + pause * 50ms);
  CHECK(fleet.told() == Words{"accept_paused "});
  const MonoTime last = t0 + 99 * 50ms;
  fleet.review(last + limits::kAcceptQuiet - 1ms);
  CHECK(fleet.told().empty());
  fleet.review(last + limits::kAcceptQuiet);
  CHECK(fleet.told() == Words{"accept_paused "});
  CHECK(fleet.last(Kind::AcceptPaused).extra->condition->count == 100);
}

TEST_CASE("a pause of accepting that goes on keeps its condition") {
  Fleet fleet;
  fleet.accept_paused("too fast", t0);
  static_cast<void>(fleet.told());
  const MonoTime later = t0 + limits::kAcceptQuiet - 1ms;
  fleet.monitor().accept_still_paused(later);
  fleet.review(later + limits::kAcceptQuiet - 1ms);
  CHECK(fleet.told().empty());
  fleet.review(later + limits::kAcceptQuiet);
  CHECK(fleet.told() == Words{"accept_paused "});
}

TEST_CASE("slow beats further apart than a condition is quiet last for three of their intervals") {
  Fleet fleet{{.rule = kArticle}};
  const Peer pump = fleet.join(t0, "pump-7");
  for (int beat = 1; beat <= 6; ++beat) pump.beat(t0 + beat * 300s);
  const Condition* const slow = fleet.monitor().conditions().find(Condition::Kind::SlowBeats, "");
  REQUIRE(slow != nullptr);
  CHECK(slow->over == t0 + 1800s + 900s);
}

TEST_CASE("a connection that an operator kicked before its first heartbeat is refused nothing") {
  Fleet fleet;
  for (int kick = 0; kick < 10; ++kick) {
    const Peer peer = fleet.connect(t0);
    CHECK(fleet.kick(to_string(peer.client().peer), "not one of ours", t0));
  }
  CHECK(refusals_of(fleet, "10.0.0.1") == nullptr);
}

TEST_CASE("a refused reload lasts until one is done") {
  Fleet fleet;
  fleet.reloaded("", t0);
  CHECK(fleet.told().empty());
  fleet.reloaded("no such setting", t0 + 1s);
  fleet.reloaded("no such setting, still", t0 + 2s);
  CHECK(fleet.told() == Words{"reload_refused "});
  fleet.review(t0 + 1s + 2 * report_every(Condition::Kind::ReloadRefused));
  CHECK(fleet.told() == Words{"reload_refused "});
  CHECK(fleet.last(Kind::ReloadRefused).extra->detail == "no such setting, still");
  fleet.reloaded("", t0 + 8h);
  CHECK(fleet.told() == Words{"reload_refused "});
  CHECK(fleet.last(Kind::ReloadRefused).extra->condition->phase == Phase::Ended);
  CHECK(fleet.last(Kind::ReloadRefused).extra->condition->count == 2);
  CHECK(fleet.last(Kind::ReloadRefused).at == t0 + 8h);
}

TEST_CASE("each certificate that expires is a condition of its own until it is renewed") {
  Fleet fleet;
  fleet.certificate_expires("/a.pem", "/a.pem expires", t0);
  fleet.certificate_expires("/b.pem", "/b.pem expires", t0 + 1s);
  CHECK(fleet.told() == Words{"certificate_expires ", "certificate_expires "});
  fleet.certificate_expires("/a.pem", "", t0 + 8h);
  CHECK(fleet.told() == Words{"certificate_expires "});
  CHECK(fleet.last(Kind::CertificateExpires).extra->condition->phase == Phase::Ended);
  CHECK(fleet.last(Kind::CertificateExpires).extra->detail == "/a.pem expires");
  CHECK(fleet.monitor().conditions().lasts(Condition::Kind::CertificateExpires, "/b.pem", t0 + 8h));
  fleet.certificate_expires("/c.pem", "", t0 + 9h);  // of nothing that lasts
  CHECK(fleet.told().empty());
}

TEST_CASE("fights beyond the bound on conditions are reported each by itself") {
  Fleet fleet{{.rule = kArticle}};
  for (std::size_t id = 0; id <= kConditionsMax; ++id) {
    for (int turn = 0; turn < 5; ++turn) static_cast<void>(fleet.join(t0, "id-" + std::to_string(id)));
  }
  CHECK(fleet.monitor().conditions().count(Condition::Kind::Fight) == kConditionsMax);
  CHECK(count_of(fleet.told(), "fight id-" + std::to_string(kConditionsMax)) == 2);
}
