// Connections that came in before the monitor hears of them: through a proxy, or with a wrong preamble.
#include "daemon/core/arrival.h"

#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "common/message.h"
#include "daemon/core/monitor.h"
#include "tests/unit/support/bytes.h"
#include "tests/unit/support/instants.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

const Endpoint kClient{.address = {10, 0, 0, 7}, .port = 51000};
const Endpoint kProxy{.address = {10, 1, 0, 1}, .port = 4711};

// A monitor whose effects are looked at after each call.
struct Story {
  explicit Story(const Settings& settings) : monitor(settings) {}

  void beat(ConnId conn, MonoTime at, std::string_view id = {}) {
    monitor.receive(conn, framed(encode({.ip = "a", .id = id})), at, effects);
  }
  // Judges all that are due, and returns the events since the last call.
  std::vector<Event> events(MonoTime at) {
    while (monitor.advance(at, effects)) {
    }
    std::vector<Event> all = effects.events();
    effects.clear();
    return all;
  }
  [[nodiscard]] const Client& client(ConnId conn) const { return *monitor.clients().find(conn); }

  Monitor monitor;
  Effects effects;
};

Settings ticks_of_a_second() {
  Settings settings;
  settings.rule = {.tick = 1s, .threshold = 2, .cursor = 2, .recover = 2, .leave_timeout = 60s};
  settings.bounds.hello_timeout = 10s;
  return settings;
}

}  // namespace

TEST_CASE("a client that came through a proxy is known by its own address, with the proxy's beside it") {
  Story story{ticks_of_a_second()};
  const Arrival arrival{.passage = {.via = kProxy, .certificate_name = "pump"}};
  const ConnId conn = story.monitor.open(kClient, t0, story.effects, arrival).value();
  story.beat(conn, t0);
  for (const Event& event : story.events(t0)) {
    CHECK(event.peer == kClient);
    CHECK(event.extra->via == kProxy);
    CHECK(event.extra->certificate_name == "pump");
  }
  story.monitor.disconnect(conn, Reason::PeerClosed, t0, story.effects);
  const ClosedClient* const closed = story.monitor.closed_clients().find(to_string(kClient));
  REQUIRE(closed != nullptr);
  REQUIRE(closed->passage != nullptr);
  CHECK(closed->passage->via == kProxy);
}

TEST_CASE("a direct client keeps nothing of a passage") {
  Story story{ticks_of_a_second()};
  const ConnId conn = story.monitor.open(kClient, t0, story.effects).value();
  CHECK(story.client(conn).passage == nullptr);
  CHECK_FALSE(story.events(t0).front().extra->via);
}

TEST_CASE(
    "a connection that was accepted earlier has its ticks cut as of the accept, and none of them judged") {
  Story story{ticks_of_a_second()};
  const ConnId conn = story.monitor.open(kClient, t0 + 5700ms, story.effects, {.accepted = t0}).value();
  CHECK(story.client(conn).connected_at == t0);
  CHECK(story.client(conn).liveness.tick_start() == t0 + 5000ms);
  static_cast<void>(story.events(t0 + 5700ms));
  CHECK(story.events(t0 + 6999ms).empty());
  // Two silent ticks, [5 s, 6 s) and [6 s, 7 s), make a strike.
  const auto events = story.events(t0 + 7000ms);
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == Event::Kind::Struck);
  CHECK(events[0].at == t0 + 7000ms);
}

TEST_CASE("hello_timeout runs from the accept") {
  Story story{ticks_of_a_second()};
  static_cast<void>(story.monitor.open(kClient, t0 + 9999ms, story.effects, {.accepted = t0}));
  static_cast<void>(story.events(t0 + 9999ms));
  const auto events = story.events(t0 + 10s);
  REQUIRE(events.size() == 1);
  CHECK(events[0].reason == Reason::NeverSpoke);

  static_cast<void>(story.monitor.open(kClient, t0 + 30s, story.effects, {.accepted = t0 + 20s}));
  const auto too_late = story.events(t0 + 30s);
  REQUIRE(too_late.size() == 2);
  CHECK(too_late[1].reason == Reason::NeverSpoke);
}

TEST_CASE("an accept in the future counts as now") {
  Story story{ticks_of_a_second()};
  const ConnId conn = story.monitor.open(kClient, t0, story.effects, {.accepted = t0 + 5s}).value();
  CHECK(story.client(conn).connected_at == t0);
}

TEST_CASE("a wrong preamble closes the connection with its kind and its sentence, and is counted") {
  Story story{ticks_of_a_second()};
  const ConnId conn = story.monitor.open(kClient, t0, story.effects).value();
  story.monitor.reject_preamble(conn, BadInput::ProxyMissing, "a sentence", t0, story.effects);
  const Event closed = story.events(t0).back();
  CHECK(closed.kind == Event::Kind::Closed);
  CHECK(closed.reason == Reason::BadFrame);
  CHECK(closed.extra->bad_input == BadInput::ProxyMissing);
  CHECK(closed.extra->detail == "a sentence");
  CHECK(story.monitor.counters().bad_input.at(static_cast<std::size_t>(BadInput::ProxyMissing)) == 1);
  story.monitor.reject_preamble(conn, BadInput::ProxyMissing, "again", t0, story.effects);  // it is gone
  CHECK(story.events(t0).empty());
}

TEST_CASE(
    "a header in the place of the first frame is refused as untrusted, and later as the bad frame it is") {
  Story story{ticks_of_a_second()};
  const auto kind_of = [&](ConnId conn) {
    story.monitor.receive(conn, "PROXY TCP4 192.0.2.1 192.0.2.2 5 6\r\n", t0, story.effects);
    return story.events(t0).back().extra->bad_input;
  };
  CHECK(kind_of(story.monitor.open(kClient, t0, story.effects).value()) == BadInput::ProxyUntrusted);
  const ConnId spoken = story.monitor.open(kClient, t0, story.effects).value();
  story.beat(spoken, t0);
  CHECK(kind_of(spoken) == BadInput::LengthOverMax);
}

TEST_CASE("where a certificate is required, its name is the only id that the client may use") {
  Story story{ticks_of_a_second()};
  const auto join = [&](const std::string& certificate, std::string_view id) {
    const Arrival arrival{
        .passage = {.via = kProxy, .certificate_name = certificate, .require = Requirement::Certificate}};
    const ConnId conn = story.monitor.open(kClient, t0, story.effects, arrival).value();
    story.beat(conn, t0, id);
    return std::pair{conn, story.events(t0).back()};
  };
  CHECK(join("pump-7", "pump-7").second.kind == Event::Kind::Joined);
  CHECK(join("pump-7", "").second.kind == Event::Kind::Joined);

  for (const auto& [certificate, id, kind] : {std::tuple{"", "pump-8", BadInput::CertificateMissing},
                                              std::tuple{"", "", BadInput::CertificateMissing},
                                              std::tuple{"pump-7", "pump-8", BadInput::CertificateId},
                                              std::tuple{"pump-7", "pump-77", BadInput::CertificateId},
                                              std::tuple{"pump-7", "pump", BadInput::CertificateId}}) {
    CAPTURE(std::string{certificate});
    CAPTURE(std::string{id});
    const Event closed = join(certificate, id).second;
    CHECK(closed.kind == Event::Kind::Closed);
    CHECK(closed.reason == Reason::Unauthorized);
    CHECK(closed.by == Party::Daemon);
    CHECK(closed.extra->bad_input == kind);
    CHECK(story.monitor.counters().bad_input.at(static_cast<std::size_t>(kind)) > 0);
  }
  CHECK(story.monitor.counters().heartbeats == 2);

  // A client that has named no id yet may name no other later.
  const ConnId late = join("pump-7", "").first;
  story.beat(late, t0, "pump-9");
  CHECK(story.events(t0).back().extra->bad_input == BadInput::CertificateId);
}

TEST_CASE("a client that asked for notices with its refused heartbeat is sent the reason") {
  Story story{ticks_of_a_second()};
  const ConnId conn =
      story.monitor.open(kClient, t0, story.effects, {.passage = {.require = Requirement::Certificate}})
          .value();
  story.effects.clear();
  story.monitor.receive(conn, framed(encode({.ip = "a", .notify = true})), t0, story.effects);
  REQUIRE(story.effects.orders().size() == 2);
  const std::string_view notice = story.effects.bytes(story.effects.orders()[0]);
  CHECK(notice.find(R"("reason":"unauthorized","detail":"a client at this listener must come)") !=
        std::string_view::npos);
  CHECK(story.effects.orders()[1].kind == Effects::Order::Kind::Close);
}

TEST_CASE("an id that a client has proved is taken over, or comes back, only with the proof") {
  Story story{ticks_of_a_second()};
  const auto open = [&](const Passage& passage, MonoTime at) {
    return story.monitor.open(kClient, at, story.effects, {.passage = passage}).value();
  };
  const Passage proved{.via = kProxy, .certificate_name = "pump-7", .require = Requirement::Certificate};
  const auto last_of = [&](ConnId conn, MonoTime at) {
    story.beat(conn, at, "pump-7");
    return story.events(at).back();
  };
  const ConnId stranger = open({}, t0);
  CHECK(last_of(stranger, t0).kind == Event::Kind::Joined);  // no client has proved the id yet

  const ConnId owner = open(proved, t0);
  CHECK(last_of(owner, t0).kind == Event::Kind::TakenOver);
  CHECK(story.monitor.clients().find(stranger) == nullptr);

  for (const Passage& without : {Passage{}, Passage{.via = kProxy, .certificate_name = "pump-8"}}) {
    const Event refused = last_of(open(without, t0), t0);
    CHECK(refused.reason == Reason::Unauthorized);
    CHECK(refused.extra->bad_input == BadInput::CertificateId);
    CHECK(story.monitor.clients().find(owner) != nullptr);
  }
  const ConnId again = open(proved, t0);
  CHECK(last_of(again, t0).kind == Event::Kind::TakenOver);

  story.monitor.disconnect(again, Reason::PeerClosed, t0, story.effects);
  CHECK(last_of(open({}, t0), t0).reason == Reason::Unauthorized);
  CHECK(story.monitor.closed_clients().find("pump-7")->reason ==
        Reason::PeerClosed);  // it is still remembered
  // The listener may have ceased to require it: what counts is what the connection proves.
  CHECK(last_of(open({.via = kProxy, .certificate_name = "pump-7"}, t0), t0).kind == Event::Kind::Joined);
}
