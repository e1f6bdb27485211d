#include "tools/ctl/event_text.h"

#include <cstdlib>
#include <ctime>

#include <doctest/doctest.h>

#include "tests/ctl/lines.h"

namespace heartbeat::ctl {
namespace {

std::string told(const char* body, Line (*line)(const Object&)) {
  setenv("TZ", "UTC0", 1);
  tzset();
  const auto reply = Reply::parse(body);
  REQUIRE(reply.has_value());
  return plain({line(reply->object())});
}

TEST_CASE("an event is one line: when, what, whose, and the rest by name") {
  CHECK(told(R"({"type":"event","cursor":"b:7","boot":"b","seq":7,"at":"2026-11-22T09:55:14.570Z",)"
             R"("event":"leave","client":"pump-7","peer":"127.0.0.1:4","from":"alive","to":"leave",)"
             R"("reason":"silent","silence":5,"strikes":3,"silent_ms":160000,"heartbeats":1})",
             event_line) ==
        "2026-11-22 09:55:14.570  leave       pump-7                 from=alive to=leave reason=silent "
        "silence=5 strikes=3 silent=160.000s heartbeats=1 peer=127.0.0.1:4\n");
}

TEST_CASE("the daemon's own events have no client") {
  CHECK(told(R"({"type":"event","at":"2026-11-22T09:55:14.570Z","event":"stall","stalled_ms":3200})",
             event_line) == "2026-11-22 09:55:14.570  stall       -                      stalled=3.200s\n");
}

TEST_CASE("no value can look like a second one, or move the cursor") {
  CHECK(told(R"({"type":"event","at":"\u001b[2J","event":"close","client":"a\nb",)"
             R"("detail":"x reason=kicked \u001b"})",
             event_line) ==
        "\\x1b[2J  close       a\\nb                   detail=\"x reason=kicked \\x1b\"\n");
}

TEST_CASE("what was lost is counted, or said to be beyond counting") {
  CHECK(told(R"({"type":"lost","count":1})", lost_line) == "-- lost 1 event --\n");
  CHECK(told(R"({"type":"lost","count":12})", lost_line) == "-- lost 12 events --\n");
  CHECK(told(R"({"type":"lost"})", lost_line) ==
        "-- lost events: the daemon was started anew, and their number is unknown --\n");
}

}  // namespace
}  // namespace heartbeat::ctl
