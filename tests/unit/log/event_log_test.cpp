#include "daemon/log/event_log.h"

#include <climits>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <sstream>

#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>

#include "common/frame.h"
#include "common/limits.h"
#include "common/message.h"
#include "daemon/core/effects.h"
#include "daemon/core/monitor.h"
#include "tests/unit/log/records.h"

namespace heartbeat::testing {
namespace {

Event leave_of(std::string client, Reason reason) {
  Event event = event_of(Event::Kind::Left, std::move(client));
  event.to = Status::Leave;
  event.reason = reason;
  return event;
}

TEST_CASE("a leave reads the same as a line and as fields") {
  Event event = leave_of("pump-7", Reason::Silent);
  event.silence = 5;
  event.strikes = 3;
  event.silent = 160s;

  const LogRecord record = RecordingLog{0}.told(event);
  CHECK(record.message ==
        "leave client=pump-7 from=alive to=leave reason=silent silence=5 strikes=3 steady=0 silent=160.000s");
  CHECK(record.level == spdlog::level::warn);
  CHECK(field(record, "event") == "leave");
  CHECK(field(record, "client") == "pump-7");
  CHECK(field(record, "peer") == "10.0.0.7:40000");
  CHECK(field(record, "address") == "10.0.0.7");
  CHECK(field(record, "ip") == "192.168.1.105");
  CHECK(field(record, "pid") == "26464");
  CHECK(field(record, "from") == "alive");
  CHECK(field(record, "to") == "leave");
  CHECK(field(record, "reason") == "silent");
  CHECK(field(record, "strikes") == "3");
  CHECK(field(record, "silent_ms") == "160000");
}

TEST_CASE("a close says how long the client was connected, and what was wrong with its input") {
  Event event = event_of(Event::Kind::Closed);
  event.to = Status::Close;
  event.reason = Reason::BadHeartbeat;
  event.connected = 61'005ms;
  event.heartbeats = 7;
  event.extra.edit().bad_input = BadInput::IpMissing;
  event.extra.edit().detail = "what is wrong";

  const LogRecord record = RecordingLog{0}.told(event);
  CHECK(record.message ==
        "close client=pump-7 from=alive to=close reason=bad_heartbeat by=daemon silence=0 strikes=0 steady=0 "
        "silent=0.000s connected=61.005s heartbeats=7 bad_input=ip_missing: what is wrong");
  CHECK(field(record, "connected_ms") == "61005");
  CHECK(field(record, "bad_input") == "ip_missing");
  CHECK(field(record, "detail") == "what is wrong");
}

TEST_CASE("the roster names as many clients as fit into what a pipe takes at once, and counts the others") {
  Monitor monitor{Settings{}};
  Effects effects;
  for (unsigned client = 0; client < limits::kRosterShown; ++client) {
    const Endpoint peer{.address = {10, 0, 0, 7}, .port = static_cast<std::uint16_t>(40'000 + client)};
    std::string id(limits::kIdMax - 1, '"');  // a character that is escaped, and that JSON escapes too
    id += static_cast<char>('a' + client);
    std::string frame;
    append_frame(frame, encode(Heartbeat{.ip = "10.0.0.1", .status = Status::Alive, .id = id}));
    const auto conn = monitor.open(peer, kStart, effects);
    REQUIRE(conn);
    monitor.receive(*conn, frame, kStart, effects);
  }
  spdlog::set_level(spdlog::level::debug);
  auto lines = std::make_shared<std::ostringstream>();
  const auto former = spdlog::default_logger();
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_st>(*lines)));
  spdlog::set_level(spdlog::level::debug);
  RecordingLog{0}.log().tell_roster(monitor);
  spdlog::set_default_logger(former);
  const std::string line = lines->str();
  CHECK(line.find("list (20): [") != std::string::npos);
  CHECK(line.find(", and 6 more]") != std::string::npos);  // 14 names of 266 bytes are 3724
  CHECK(line.size() <= PIPE_BUF);
}

TEST_CASE("a name that could pass for another pair is quoted in the line and as it is in the field") {
  const LogRecord record = RecordingLog{0}.told(event_of(Event::Kind::Connected, "a b=\"c\""));
  CHECK(record.message == R"(connected client="a b=\"c\"")");
  CHECK(field(record, "client") == "a b=\"c\"");
}

TEST_CASE("a stall belongs to no client") {
  Event event{.kind = Event::Kind::Stalled, .at = kStart};
  event.extra.edit().stalled = 1500ms;
  const LogRecord record = RecordingLog{0}.told(event);
  CHECK(record.message.starts_with("stall stalled=1.500s: "));
  CHECK(field(record, "stalled_ms") == "1500");
  CHECK(field(record, "client") == "(absent)");
  CHECK(field(record, "peer") == "(absent)");
}

TEST_CASE("what becomes of a connection that never brought a byte is for who asks for every line") {
  for (const Event::Kind kind : {Event::Kind::Struck, Event::Kind::Left, Event::Kind::Closed}) {
    Event event = event_of(kind);
    event.reason = Reason::NeverSpoke;
    CHECK(RecordingLog{0}.told(event).level > spdlog::level::debug);
    event.sent_bytes = false;
    // The daemon itself closes it: its peer may wait for an answer.
    const bool is_told = kind == Event::Kind::Closed;
    CHECK(RecordingLog{0}.told(event).level == (is_told ? spdlog::level::info : spdlog::level::debug));
    event.reason = Reason::PeerClosed;
    CHECK(RecordingLog{0}.told(event).level == spdlog::level::debug);
  }
  Event kicked = event_of(Event::Kind::Closed);
  kicked.reason = Reason::Kicked;
  kicked.sent_bytes = false;
  CHECK(RecordingLog{0}.told(kicked).level == spdlog::level::info);
}

TEST_CASE("one that beats too fast is told with what it sent in which time") {
  Event event = event_of(Event::Kind::Fast);
  event.connected = 2500ms;
  event.heartbeats = 1001;
  event.extra.edit().detail = "why";
  const LogRecord record = RecordingLog{0}.told(event);
  CHECK(record.message == "fast_beats client=pump-7 connected=2.500s heartbeats=1001: why");
  CHECK(record.level == spdlog::level::warn);
}

TEST_CASE("a pause of listening belongs to no client") {
  Event event{.kind = Event::Kind::AcceptPaused, .at = kStart};
  event.extra.edit().detail = "why";
  const LogRecord record = RecordingLog{0}.told(event);
  CHECK(record.message == "accept_paused by=daemon: why");
  CHECK(record.level == spdlog::level::warn);
  CHECK(field(record, "client") == "(absent)");
}

TEST_CASE("a condition is logged with its state, its count and how long it has lasted") {
  Event event{.kind = Event::Kind::RefusedAgain, .reason = Reason::BadFrame, .at = kStart};
  event.client = NameText{"10.0.0.5"};
  event.peer = {.address = {10, 0, 0, 5}, .port = 4001};
  event.extra.edit().detail = "why";
  event.extra.edit().condition = Event::OfCondition{Phase::Began, kStart, 3};
  LogRecord record = RecordingLog{0}.told(event);
  CHECK(record.message.starts_with(
      "refused_again client=10.0.0.5 reason=bad_frame state=began count=3 lasted=0.000s: "));
  CHECK(record.message.ends_with(": why"));
  CHECK(record.level == spdlog::level::warn);
  event.at = kStart + 1h;
  event.extra.edit().condition->phase = Phase::Lasts;
  event.extra.edit().condition->count = 1800;
  record = RecordingLog{0}.told(event);
  CHECK(record.message == "refused_again client=10.0.0.5 state=lasts count=1800 lasted=3600.000s: why");
  CHECK(record.level == spdlog::level::warn);
  event.extra.edit().condition->phase = Phase::Ended;
  CHECK(RecordingLog{0}.told(event).level == spdlog::level::info);
  event.kind = Event::Kind::Slow;
  event.client.clear();
  CHECK(RecordingLog{0}.told(event).message == "slow_beats state=ended count=1800 lasted=3600.000s: why");
}

TEST_CASE("an end that belongs to a condition is logged at the debug level") {
  Event event = event_of(Event::Kind::Closed);
  event.reason = Reason::BadFrame;
  event.counted = true;
  CHECK(RecordingLog{0}.told(event).level == spdlog::level::debug);
}

TEST_CASE("the brake on mass closing tells for whom it holds, and what they have in common") {
  const LogRecord record = RecordingLog{0}.told(event_of(Event::Kind::Braked));
  CHECK(record.message.starts_with(
      "brake concerned=40 clients=41 pause=12.000s subnet=10.1.0.0/16 listener=10.0.0.1:14000 "
      "heard_first=160.500s heard_last=160.000s: many clients"));
  CHECK(record.level == spdlog::level::warn);
  CHECK(field(record, "pause_ms") == "12000");
  CHECK(field(record, "client") == "(absent)");
  const LogRecord end = RecordingLog{0}.told(event_of(Event::Kind::BrakeEnded));
  CHECK(end.message == "brake_end ended=confirmed held=38 after=12.000s");
}

TEST_CASE("a suspension is not called a stall") {
  Event event{.kind = Event::Kind::Suspended, .at = kStart};
  event.extra.edit().stalled = 1500ms;
  const LogRecord record = RecordingLog{0}.told(event);
  CHECK(record.message.starts_with("suspend suspended=1.500s: "));
  CHECK(field(record, "suspended_ms") == "1500");
}

TEST_CASE("a restart is logged with both versions and its length") {
  Event event{.kind = Event::Kind::Restarted, .at = kStart};
  Event::Extra& extra = event.extra.edit();
  extra.previous = "1.0.0";
  extra.detail = "1.1.0";
  extra.stalled = 54ms;
  const LogRecord record = RecordingLog{0}.told(event);
  CHECK(record.message == "restarted from_version=1.0.0 to_version=1.1.0 restarted=0.054s");
  CHECK(record.level == spdlog::level::info);
  CHECK(field(record, "restarted_ms") == "54");
}

TEST_CASE("a close is a warning where the daemon judged, and information where somebody wanted it") {
  const auto level_of = [](Reason reason) {
    Event event = event_of(Event::Kind::Closed);
    event.reason = reason;
    return RecordingLog{0}.told(event).level;
  };
  CHECK(level_of(Reason::Silent) == spdlog::level::warn);
  CHECK(level_of(Reason::BadFrame) == spdlog::level::warn);
  CHECK(level_of(Reason::Goodbye) == spdlog::level::info);
  CHECK(level_of(Reason::PeerClosed) == spdlog::level::info);
  CHECK(level_of(Reason::Shutdown) == spdlog::level::info);
}

TEST_CASE("what the level hides is neither told nor counted") {
  RecordingLog recording{1};
  spdlog::set_level(spdlog::level::info);
  for (int i = 0; i < 5; ++i) recording.log().tell(event_of(Event::Kind::Heard), kStart);
  recording.log().finish();
  CHECK(recording.records().empty());
}

TEST_CASE("a thousand leaves in one second are so many records, and the rest in one") {
  RecordingLog recording{100};
  for (int i = 0; i < 1000; ++i) {
    recording.log().tell(leave_of("c" + std::to_string(i), i < 990 ? Reason::Silent : Reason::Declared),
                         kStart);
  }
  REQUIRE(recording.records().size() == 100);
  recording.log().turn(kStart + 999ms);
  REQUIRE(recording.records().size() == 100);
  recording.log().turn(kStart + 1s);
  REQUIRE(recording.records().size() == 101);

  const LogRecord& sum = recording.records().back();
  CHECK(
      sum.message ==
      "more event=leave count=900 reasons=silent:890,declared:10 first=c100,c101,c102,c103,c104: beyond the "
      "log's rate in one second, summed up");
  CHECK(sum.level == spdlog::level::warn);
  CHECK(field(sum, "event") == "leave");
  CHECK(field(sum, "count") == "900");
}

// The log of a fleet in trouble, at random instants: the logged and the summed-up events are all events.
TEST_CASE("nothing is lost between the records and the sums") {
  constexpr std::uint32_t kSeed = 20260101;
  CAPTURE(kSeed);
  std::mt19937 random{kSeed};
  RecordingLog recording{3};
  std::map<std::string, std::uint64_t> happened;
  MonoTime now = kStart;
  for (int i = 0; i < 20'000; ++i) {
    now += Millis{std::uniform_int_distribution{0, 300}(random) == 0 ? 1500 : random() % 20};
    const auto kind = static_cast<Event::Kind>(random() % kEventKindCount);
    recording.log().tell(event_of(kind), now);
    ++happened[std::string{to_string(kind)}];
    if (random() % 3 == 0) recording.log().turn(now);
  }
  recording.log().finish();

  std::map<std::string, std::uint64_t> told;
  for (const LogRecord& record : recording.records()) {
    const std::string count = field(record, "count");
    told[field(record, "event")] += count == "(absent)" ? 1 : std::stoull(count);
  }
  CHECK(told == happened);
}

}  // namespace
}  // namespace heartbeat::testing
