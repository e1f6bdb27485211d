// The state as bytes: whatever was written is read again, and whatever else comes is refused with a reason.
//
// heartbeat-sim --virtual goes through these bytes at each of its restarts; tests/fuzz/state_target.cpp tries
// bytes that no writer wrote.
#include "daemon/core/saved_state.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "common/tagged_fields.h"
#include "daemon/core/monitor.h"
#include "tests/unit/support/allocations.h"
#include "tests/unit/support/bytes.h"
#include "tests/unit/support/instants.h"
#include "tests/unit/support/property.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

constexpr Rule kRule{.tick = 1s, .threshold = 2, .cursor = 2, .recover = 2, .leave_timeout = 30s};
constexpr ClosingBrake::Settings kBrake{.share_percent = 30, .clients_min = 2, .window = 5s, .pause = 12s};

std::string beat(std::string_view id, Status status = Status::Alive) {
  return framed(encode({.ip = "192.168.1.105", .status = status, .id = id, .pid = 7, .notify = true}));
}

// A daemon's core, as far as it is saved.
class Core {
 public:
  explicit Core(const Settings& settings = {.rule = kRule, .remember = 5, .brake = kBrake},
                SliceSize slice = {})
      : slice_(slice), monitor_(settings, {}, slice) {}

  ConnId open(std::uint16_t port, MonoTime at) {
    const Endpoint peer{.address = {10, 0, 0, 1}, .port = port};
    const Endpoint listener{.address = {127, 0, 0, 1}, .port = 14000};
    Arrival arrival{.listener = listener};
    if (port % 2 == 0) {
      arrival.passage = {.via = Endpoint{.address = {10, 1, 0, 1}, .port = port},
                         .certificate_name = port == 12 ? "last" : "pump",
                         .require = port == 12 ? Requirement::Certificate : Requirement::None};
    }
    const auto conn = monitor_.open(peer, at, effects_, arrival);
    collect();
    REQUIRE(conn);
    return *conn;
  }
  void send(ConnId conn, std::string_view bytes, MonoTime at) {
    monitor_.receive(conn, bytes, at, effects_);
    collect();
  }
  void advance(MonoTime at) {
    while (monitor_.advance(at, effects_)) collect();
    collect();
  }
  // One slice alone.
  void begin_to_advance(MonoTime at) {
    static_cast<void>(monitor_.advance(at, effects_));
    collect();
  }
  void shut_down(MonoTime at) {
    while (monitor_.shut_down(at, effects_)) collect();
    collect();
  }
  void change(const Settings& settings, MonoTime at) {
    monitor_.change_settings(settings, at, effects_);
    collect();
  }
  void stall(Millis length, MonoTime at) {
    monitor_.stalled(length, at, effects_);
    collect();
  }

  void expect(std::vector<ClosedClient>&& clients, MonoTime at) { monitor_.expect(std::move(clients), at); }

  [[nodiscard]] std::string save() const {
    return save_state({.monitor = monitor_.state(),
                       .turn = turn_,
                       .feed = feed_,
                       .run = "run-1",
                       .started = WallTime{1'700'000'000'123ms},
                       .others = "others' bytes"});
  }
  void restart() {
    auto restored = restore_state(save(), {});
    REQUIRE(restored);
    monitor_ = Monitor{std::move(restored->monitor), slice_};
    feed_ = std::move(restored->feed);
  }

  [[nodiscard]] const Monitor& monitor() const { return monitor_; }
  [[nodiscard]] const Feed& feed() const { return feed_; }

 private:
  void collect() {
    for (const Event& event : effects_.events()) feed_.add(event);
    effects_.clear();
  }

  SliceSize slice_;
  Monitor monitor_;
  Turn::State turn_{.clock = {.machine = t0 + 5s, .listening = t0 + 3s, .owed = 500ms}, .lateness = {}};
  Feed feed_;
  Effects effects_;
};

// Something of everything: clients alive, in leave, away, unnamed and in the middle of a frame, histories,
// takeovers, closed clients, a bad input, a stall, a brake that ended and one that holds.
Core eventful() {
  Core core;
  std::vector<ConnId> conns;
  for (std::uint16_t port = 1; port <= 8; ++port) conns.push_back(core.open(port, t0));
  for (const char* const id : {"a", "b", "c", "d", "e"}) {
    core.send(conns[static_cast<std::size_t>(*id - 'a')], beat(id), t0 + 1ms);
  }
  core.send(conns[5], beat(""), t0 + 2ms);
  core.send(conns[4], beat("e", Status::Leave), t0 + 3ms);
  core.send(conns[6], framed("[]"), t0 + 4ms);  // closed
  core.stall(700ms, t0 + 5ms);
  core.send(core.open(9, t0 + 6ms), beat("a"), t0 + 7ms);  // a takeover
  core.send(conns[3], beat("d", Status::Close), t0 + 8ms);
  core.advance(t0 + 38s);  // a brake
  core.advance(t0 + 55s);  // which ended
  const ConnId half = core.open(10, t0 + 55s);
  core.send(half, beat("half"), t0 + 55s);
  core.send(core.open(11, t0 + 55s), beat("late"), t0 + 55s);
  core.advance(t0 + 90s);
  const ConnId last = core.open(12, t0 + 90s);
  core.send(last, beat("last"), t0 + 90s);
  core.send(last, beat("last").substr(0, 11), t0 + 90s + 1ms);
  return core;
}

// At max_clients: a silent connection that its program has replaced, the one that replaced it, another
// client, and a newcomer over the bound.
Core at_the_bound() {
  Core core{{.rule = kRule, .clients_max = 3, .remember = 5, .brake = kBrake}};
  core.send(core.open(1, t0), beat(""), t0);
  const ConnId back = core.open(3, t0 + 1s);
  core.send(back, beat(""), t0 + 1s);
  const ConnId other = core.open(5, t0 + 1s);
  for (MonoTime now = t0 + 2s; now <= t0 + 6s; now += 1s) {
    core.send(back, beat(""), now);
    core.send(other, beat("lamp"), now);
    core.advance(now);
  }
  core.open(7, t0 + 6s);
  return core;
}

std::string save(const SavedState& state) {
  return save_state({.monitor = state.monitor,
                     .turn = state.turn,
                     .feed = state.feed,
                     .run = state.run,
                     .started = state.started,
                     .others = state.others});
}

NamePattern pattern(const std::string& text) {
  return {text, *Glob::compile(text)};
}

// A state with every field that there is, also with those that are absent mostly:
// tests/lint/test_saved_states.py names one that is missing.
SavedState everything() {
  SavedState state = std::move(*restore_state(eventful().save(), {}));
  MonitorState& monitor = state.monitor;
  const Endpoint somewhere{.address = {10, 0, 0, 7}, .port = 7};
  const Passage passage{.via = somewhere,
                        .certificate_name = "pump",
                        .require = Requirement::Token,
                        .token = {.name = "pumps", .fingerprint = 7}};
  const GroupList groups{{{.name = "slow",
                           .ids = {pattern("slow-*")},
                           .credentials = {pattern("slow")},
                           .listeners = {somewhere},
                           .by_name = true,
                           .rule = kRule}}};
  const Hold hold{.clients = pattern("late"), .why = "a new disk", .uid = 7, .since = t0, .until = t0 + 1h};
  monitor.settings.groups = groups;
  REQUIRE(monitor.holds.put(Hold{hold}));
  monitor.drain.emplace(DrainOrder{.rate = 7, .retry_after = 4s, .uid = 1000}, t0);
  monitor.drain->count_turn(t0);
  static_cast<void>(monitor.drain->take_retry_after());
  monitor.drain->step();
  monitor.drain->complete();

  Client& client = *monitor.clients.at(*monitor.clients.slot_named("last"));
  client.group = client.named = 1;
  client.passage = std::make_unique<Passage>(passage);
  client.terms = std::make_unique<ClientTerms>(
      ClientTerms{.interval = 2s, .rule = kRule, .quiet_until = t0 + 95s, .on_hold_until = t0 + 1h});
  const auto gone = [&](std::string_view name) {
    ClosedClient closed;
    closed.name = name;
    closed.group = "slow";
    closed.passage = std::make_unique<Passage>(passage);
    return closed;
  };
  monitor.closed.remember(gone("gone"));
  monitor.missing = ClosedClients{1};
  monitor.missing.remember(gone("missing"));

  monitor.counters.refusals.front() = 1;
  monitor.counters.restarts = 3;
  monitor.counters.crashes = 2;
  monitor.counters.absences = 4;
  monitor.refused.add(
      {.peer = somewhere, .at = t0, .bad_input = BadInput::LengthOverMax, .detail = "an HTTP request"});
  monitor.conditions.happened(Condition::Kind::RefusedAgain, "10.0.0.7", "an HTTP request", t0, t0 + 1h);
  const BrakeReport report{.span = monitor.brake.spans().back(), .listener = somewhere, .group = "slow"};
  monitor.last_brake = std::make_shared<BrakeReport>(report);
  CommonTraits traits;
  traits.add(client);
  monitor.sweep = Sweep{
      .kind = Sweep::Kind::Report, .at = t0 + 90s, .old_rule = kRule, .old_groups = groups, .traits = traits};

  Event event{.kind = Event::Kind::TakenOver, .number = ++monitor.events_told, .pid = 7};
  event.extra.edit() = {.via = somewhere,
                        .certificate_name = "pump",
                        .token_name = "pumps",
                        .previous = "before",
                        .previous_peer = somewhere,
                        .seq = 7,
                        .brake = std::make_shared<BrakeReport>(report),
                        .bad_input = BadInput::LengthOverMax,
                        .condition = Event::OfCondition{},
                        .hold = std::make_shared<Hold>(hold)};
  state.feed.add(event);
  return state;
}

// The state in a file of saved_states/.  Writes `now` there first where the environment asks for it.
std::string kept(const std::string& name, const std::string& now) {
  const std::string path = HEARTBEAT_SAVED_STATES "/" + name;
  const char* const wanted = std::getenv("HEARTBEAT_WRITE_SAVED_STATE");
  if (wanted != nullptr && name == wanted) std::ofstream{path, std::ios::binary} << now;
  std::ifstream file{path, std::ios::binary};
  REQUIRE(file);
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::string fields_of(const std::string& saved) {
  return std::string{open_envelope("HBst", saved)->content};
}

// The bytes are refused, or a monitor made from them works.
void try_fields(std::string_view fields) {
  auto restored = restore_fields(fields, {});
  if (!restored) {
    CHECK_FALSE(restored.error().what.empty());
    return;
  }
  Effects effects;
  Monitor monitor{std::move(restored->monitor)};
  while (monitor.shut_down(t0 + 100s, effects)) effects.clear();
  CHECK(monitor.clients().size() == 0);
}

}  // namespace

TEST_CASE("what is read is what was written, in every field") {
  const Core core = eventful();
  const std::string saved = core.save();
  const auto restored = restore_state(saved, {});
  REQUIRE(restored);
  CHECK(save(*restored) == saved);
  CHECK(restored->run == "run-1");
  CHECK(restored->started == WallTime{1'700'000'000'123ms});
  CHECK(restored->others == "others' bytes");
  CHECK(restored->turn.clock.machine == t0 + 5s);
  CHECK(restored->turn.clock.listening == t0 + 3s);
  CHECK(restored->turn.clock.owed == 500ms);

  const MonitorState& monitor = restored->monitor;
  CHECK(monitor.clients.size() == core.monitor().clients().size());
  CHECK(monitor.closed.size() == 5);
  CHECK(monitor.brake.times_held() > 0);
  CHECK(monitor.counters.heartbeats == core.monitor().counters().heartbeats);
  CHECK(monitor.stalls.size() == 1);
  REQUIRE(monitor.clients.slot_named("last"));
  const Client& last = *monitor.clients.at(*monitor.clients.slot_named("last"));
  CHECK(last.decoder.unfinished() == beat("last").substr(0, 11));
  CHECK(last.connected_at == t0 + 90s);
  REQUIRE(last.passage != nullptr);
  CHECK(last.passage->via == Endpoint{.address = {10, 1, 0, 1}, .port = 12});
  CHECK(last.passage->certificate_name == "last");
  CHECK(last.passage->require == Requirement::Certificate);

  CHECK(restored->feed.next() == core.feed().next());
  CHECK(restored->feed.oldest() == 1);
  for (std::uint64_t number = 1; number < restored->feed.next(); ++number) {
    const Event& event = *restored->feed.find(number);
    const Event& before = *core.feed().find(number);
    CHECK(event.kind == before.kind);
    CHECK(event.client == before.client.view());
    CHECK(event.at == before.at);
    CHECK(event.conn == before.conn);
  }
}

TEST_CASE("what is read is what was written, also in the fields that are absent mostly") {
  const std::string saved = save(everything());
  const auto restored = restore_state(saved, {});
  REQUIRE(restored);
  CHECK(save(*restored) == saved);
}

TEST_CASE("connections keep their names, and the next one gets no name that was given before") {
  Core core;
  const ConnId first = core.open(1, t0);
  const ConnId second = core.open(2, t0);
  core.send(first, "\xff\xff\xff\xff", t0);  // closed
  core.restart();
  CHECK(core.monitor().clients().find(second) != nullptr);
  CHECK(core.monitor().clients().find(first) == nullptr);
  const ConnId third = core.open(3, t0);
  CHECK(third.slot == first.slot);
  CHECK(third.generation == first.generation + 1);
}

TEST_CASE("what a client says of its declared leave is kept") {
  Core core;
  const ConnId conn = core.open(1, t0);
  core.send(conn, framed(R"({"ip":"a","status":"leave","id":"pump","note":"disk is being replaced"})"),
            t0 + 1ms);
  core.restart();
  CHECK(core.monitor().clients().find(conn)->history->note() == "disk is being replaced");
}

TEST_CASE("refused connections and the conditions that last are kept") {
  Core core;
  for (std::uint16_t port = 1; port <= 5; ++port) {
    core.send(core.open(port, t0 + port * 1s), "GET / HTTP/1.1\r\n\r\n", t0 + port * 1s);
  }
  core.restart();
  const RefusedPeer* const refused =
      core.monitor().refused_peers().find({.address = {10, 0, 0, 1}, .port = 9});
  REQUIRE(refused != nullptr);
  CHECK(refused->count == 5);
  CHECK(refused->alike == 5);
  CHECK(refused->since == t0 + 1s);
  CHECK(refused->latest.peer.port == 5);
  CHECK(refused->latest.bad_input == BadInput::LengthOverMax);
  CHECK(refused->latest.detail.find("this is an HTTP request") != std::string::npos);
  const Condition* const lasts = core.monitor().conditions().find(Condition::Kind::RefusedAgain, "10.0.0.1");
  REQUIRE(lasts != nullptr);
  CHECK(lasts->began == t0 + 3s);
  CHECK(lasts->latest == t0 + 5s);
  CHECK(lasts->over == t0 + 5s + kConditionQuiet);
  CHECK(lasts->next_report == t0 + 3s + report_every(Condition::Kind::ReloadRefused));
  CHECK(lasts->count == 5);
  CHECK(lasts->detail == refused->latest.detail);
  const std::uint64_t told = core.feed().next() - 1;
  CHECK(core.feed().find(told)->counted);
  CHECK(core.feed().find(told)->kind == Event::Kind::Closed);
}

TEST_CASE("clients of before the start that are missing are kept, also of before the clock's origin") {
  Core core;
  std::vector<ClosedClient> clients(2);
  clients[0].name = "pump-7";
  clients[0].last_heard = t0 - 87'600h;
  clients[1].name = "pump-8";
  core.expect(std::move(clients), t0);
  core.restart();
  CHECK(core.monitor().missing().size() == 2);
  REQUIRE(core.monitor().missing().find("pump-7") != nullptr);
  CHECK(core.monitor().missing().find("pump-7")->last_heard == t0 - 87'600h);
  CHECK(core.monitor().missing().earliest()->name == "pump-7");
  CHECK(core.monitor().missing().earliest()->closed_at == t0 + kRule.tick * (kRule.threshold * kRule.cursor));
}

TEST_CASE("over any schedule, a core that is restarted anywhere does what one that goes on does") {
  check_property(50, [] {
    const auto plan = *rc::gen::container<std::vector<unsigned>>(40, between(0U, 1'000'000U));
    const SliceSize slice{.clients = *between<std::size_t>(1, 5), .events = 2};
    Settings settings{.rule = kRule, .remember = 5, .brake = kBrake};
    Core steady{settings, slice};
    Core restarted{settings, slice};
    std::vector<ConnId> conns;
    MonoTime now = t0;
    std::uint16_t port = 0;
    for (const unsigned step : plan) {
      const unsigned choice = step / 10;
      const auto both = [&](auto what) {
        what(steady);
        what(restarted);
      };
      const auto any = [&] { return conns[choice % conns.size()]; };
      switch (step % 10) {
        case 0:
        case 1:
        case 2:
          ++port;
          conns.push_back(steady.open(port, now));
          RC_ASSERT(restarted.open(port, now) == conns.back());
          break;
        case 3:
        case 4: {
          const std::string id(1, static_cast<char>('a' + choice % 12));
          if (!conns.empty()) both([&](Core& core) { core.send(any(), beat(id), now); });
          break;
        }
        case 5:
          if (!conns.empty()) {
            both([&](Core& core) { core.send(any(), beat("").substr(0, 1 + choice % 40), now); });
          }
          break;
        case 6:
          settings.rule.tick = Millis{500 + choice % 1500};
          both([&](Core& core) { core.change(settings, now); });
          break;
        case 7:  // which clients a slice reaches is not promised, so the other slices follow
          both([&](Core& core) { core.begin_to_advance(now); });
          restarted.restart();
          both([&](Core& core) { core.advance(now); });
          break;
        default:
          now += Millis{choice % 9000};
          if (choice % 3 == 0) {
            both([&](Core& core) { core.advance(now); });
          }
          break;
      }
      if (choice % 4 == 0) restarted.restart();
    }
    // Until then a client that was looked at too early may have ticks counted that another has still to
    // count.
    steady.shut_down(now);
    restarted.shut_down(now);
    RC_ASSERT(steady.save() == restarted.save());
  });
}

// Each try runs a whole core, which the sanitizers make twenty times slower. They see every eleventh place,
// and the fuzz target of the saved state sees the others.
#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t kTriedPlace = 11;
#else
constexpr std::size_t kTriedPlace = 1;
#endif

TEST_CASE("fields that end anywhere are refused, or make a state that works") {
  const std::string fields = fields_of(eventful().save());
  for (std::size_t size = 0; size < fields.size(); size += kTriedPlace) {
    CAPTURE(size);
    try_fields(std::string_view{fields}.substr(0, size));
  }
}

TEST_CASE("fields with a bit turned in any byte are refused, or make a state that works") {
  std::string fields = fields_of(eventful().save());
  for (std::size_t at = 0; at < fields.size(); at += kTriedPlace) {
    CAPTURE(at);
    const char whole = fields[at];
    fields[at] = static_cast<char>(static_cast<unsigned char>(whole) ^ 1U << at % 8);
    try_fields(fields);
    fields[at] = whole;
  }
}

TEST_CASE("a field that a later version has added is skipped, at the end and within a record") {
  const std::string saved = eventful().save();
  std::string fields = fields_of(saved);
  FieldWriter{fields}.bytes(60'000, "of a later version");
  auto restored = restore_fields(fields, {});
  REQUIRE(restored);
  CHECK(save(*restored) == saved);

  std::string later;
  FieldWriter writer{later};
  FieldReader reader{fields};
  while (const auto field = reader.next()) {
    writer.record(field->tag, [&](FieldWriter& record) {
      later.append(field->value);
      if (field->tag == 3) record.bytes(60'000, "of a later version");  // a client
    });
  }
  restored = restore_fields(later, {});
  REQUIRE(restored);
  CHECK(save(*restored) == saved);
}

TEST_CASE("a field that an earlier version did not write has its default") {
  std::string fields;
  FieldWriter writer{fields};
  const auto nothing = restore_fields(fields, {});
  REQUIRE(nothing);
  CHECK(nothing->monitor.settings.rule == Rule{});
  CHECK(nothing->monitor.clients.size() == 0);
  CHECK(nothing->feed.next() == 1);

  writer.number(15, 70);  // events reported, and no event
  const auto without_feed = restore_fields(fields, {});
  REQUIRE(without_feed);
  CHECK(without_feed->feed.next() == 71);
  CHECK(without_feed->feed.oldest() == 71);
}

TEST_CASE("a state for later readers alone, a damaged one and another thing are refused") {
  const std::string fields = fields_of(eventful().save());
  const auto sealed = [&](std::uint32_t readable_by) {
    return in_envelope("HBst", {.written_by = 9, .readable_by = readable_by, .content = fields});
  };
  CHECK(restore_state(sealed(kStateFormat), {}));
  CHECK(restore_state(sealed(kStateFormat + 1), {}).error().what ==
        "it is of a later version that this one cannot follow");
  std::string damaged = sealed(kStateFormat);
  damaged[100] ^= 1;
  CHECK(restore_state(damaged, {}).error().what == "it is damaged, or no state of heartbeatd");
  CHECK_FALSE(restore_state("{}", {}));
  CHECK_FALSE(restore_state("", {}));
}

TEST_CASE("an address that is there twice, and more conditions than can last at once, are refused") {
  Core core;
  for (std::uint16_t port = 1; port <= 3; ++port) core.send(core.open(port, t0), "GET / HTTP/1.1\r\n", t0);
  const std::string fields = fields_of(core.save());
  const auto with_repeated = [&](std::uint16_t tag, std::size_t times) {
    std::string repeated;
    FieldWriter writer{repeated};
    FieldReader reader{fields};
    while (const auto field = reader.next()) {
      for (std::size_t count = 0; count < (field->tag == tag ? times : 1); ++count) {
        writer.bytes(field->tag, field->value);
      }
    }
    return restore_fields(repeated, {});
  };
  constexpr std::uint16_t kRefusedPeer = 26;
  constexpr std::uint16_t kCondition = 27;
  CHECK(with_repeated(kRefusedPeer, 1));
  const auto twice = with_repeated(kRefusedPeer, 2);
  REQUIRE_FALSE(twice);
  CHECK(twice.error().what == "an address is there twice");
  CHECK(with_repeated(kCondition, kConditionsMax));
  const auto too_many = with_repeated(kCondition, kConditionsMax + 1);
  REQUIRE_FALSE(too_many);
  CHECK(too_many.error().what == "there are too many");
}

TEST_CASE("an error names the field") {
  std::string fields;
  FieldWriter writer{fields};
  writer.record(1, [](FieldWriter& settings) {
    settings.record(1, [](FieldWriter& rule) { rule.number(2, 65'536); });  // its threshold has 16 bits
  });
  const auto restored = restore_fields(fields, {});
  REQUIRE_FALSE(restored);
  CHECK(to_string(restored.error()) == "a number is out of range (field 1.1.2)");
}

TEST_CASE("whichever allocation fails, the state is refused and nothing of it stays in memory") {
  const std::string saved = eventful().save();
  REQUIRE(restore_state(saved, {}));
  bool failed = true;
  for (std::uint64_t nth = 1; failed; ++nth) {
    CAPTURE(nth);
    bool read = false;
    const std::int64_t before = allocations_live();
    {
      FailingAllocations failing{nth, Fail::FromThereOn};
      failing.cover([&] { read = restore_state(saved, {}).has_value(); });
      failed = FailingAllocations::has_failed();
    }
    CHECK(read != failed);
    CHECK(allocations_live() == before);
  }
}

// Written by the version that had format 1, from eventful(); it must be read by every later one.
TEST_CASE("a state of format 1 is read") {
  auto restored = restore_state(kept("format_1", eventful().save()), {});
  REQUIRE(restored);
  CHECK(restored->run == "run-1");
  CHECK(restored->monitor.settings.rule == kRule);
  CHECK(restored->monitor.counters.connected == 12);
  CHECK(restored->monitor.clients.slot_named("last"));
  CHECK(restored->monitor.closed.find("b") != nullptr);
  CHECK(restored->feed.find(1)->kind == Event::Kind::Connected);
  Monitor monitor{std::move(restored->monitor)};
  Effects effects;
  while (monitor.shut_down(t0 + 100s, effects)) effects.clear();
  CHECK(monitor.counters().closes.at(static_cast<std::size_t>(Reason::Shutdown)) > 0);
}

// Written by the version that let newcomers in over a bound and knew replaced connections.
TEST_CASE("a newcomer over the bound and a connection that was replaced are read") {
  auto restored = restore_state(kept("newcomers", at_the_bound().save()), {});
  REQUIRE(restored);
  const auto client = [&](std::uint32_t slot) -> const Client& {
    return *restored->monitor.clients.at(slot);
  };
  CHECK(client(0).is_replaced);
  CHECK(client(1).has_replaced);
  CHECK(client(3).is_newcomer);
  CHECK_FALSE(client(2).is_newcomer);
  const ConnId replaced = restored->monitor.clients.conn_of(0);
  const ConnId newcomer = restored->monitor.clients.conn_of(3);

  Monitor monitor{std::move(restored->monitor)};
  Effects effects;
  monitor.receive(newcomer, beat("new"), t0 + 6s, effects);  // the dead connection makes room
  CHECK(monitor.clients().find(replaced) == nullptr);
  REQUIRE(monitor.clients().find(newcomer) != nullptr);
  CHECK_FALSE(monitor.clients().find(newcomer)->is_newcomer);
}

// Written by the version that counted crashes, and had all that everything() makes.
TEST_CASE("a state with every field of its version is read") {
  auto restored = restore_state(kept("every_field", save(everything())), {});
  REQUIRE(restored);
  const MonitorState& state = restored->monitor;
  CHECK(state.counters.restarts == 3);
  CHECK(state.counters.crashes == 2);
  CHECK(state.counters.absences == 4);
  REQUIRE(state.settings.groups.find(1) != nullptr);
  CHECK(state.settings.groups.find(1)->name == "slow");
  CHECK(state.settings.groups.find(1)->ids == std::vector{pattern("slow-*")});
  REQUIRE(state.holds.all().size() == 1);
  CHECK(state.holds.all().front().why == "a new disk");
  CHECK(state.missing.find("missing") != nullptr);
  CHECK(state.closed.find("gone")->group == "slow");
  CHECK(state.refused.find({.address = {10, 0, 0, 7}, .port = 1}) != nullptr);
  CHECK(state.conditions.find(Condition::Kind::RefusedAgain, "10.0.0.7") != nullptr);
  REQUIRE(state.sweep);
  CHECK(state.sweep->kind == Sweep::Kind::Report);
  CHECK(state.sweep->old_groups == state.settings.groups);
  REQUIRE(state.last_brake != nullptr);
  CHECK(state.last_brake->group == "slow");

  const Client& client = *state.clients.at(*state.clients.slot_named("last"));
  CHECK(client.group == 1);
  REQUIRE(client.terms != nullptr);
  CHECK(client.terms->rule == kRule);
  CHECK(client.terms->on_hold_until == t0 + 1h);
  REQUIRE(client.passage != nullptr);
  CHECK(client.passage->token == TokenProof{.name = "pumps", .fingerprint = 7});

  const Event& last = *restored->feed.find(restored->feed.next() - 1);
  CHECK(last.extra->token_name == "pumps");
  CHECK(last.extra->hold->why == "a new disk");
  CHECK(last.extra->condition.has_value());

  Monitor monitor{std::move(restored->monitor)};
  Effects effects;
  while (monitor.advance(t0 + 2h, effects)) effects.clear();
  while (monitor.shut_down(t0 + 2h, effects)) effects.clear();
  CHECK(monitor.clients().size() == 0);
}

// Written by the version that drains, and had all that everything() makes.
TEST_CASE("a drain of another version goes on") {
  auto restored = restore_state(kept("drain", save(everything())), {});
  REQUIRE(restored);
  REQUIRE(restored->monitor.drain);
  const Drain& drain = *restored->monitor.drain;
  CHECK(drain.order().rate == 7);
  CHECK(drain.order().retry_after == 4s);
  CHECK(drain.order().uid == 1000);
  CHECK(drain.since() == t0);
  CHECK(drain.drained() == 1);
  CHECK(drain.next_slot() == 1);
  CHECK(drain.is_complete());
}
