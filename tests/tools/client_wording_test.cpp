#include <doctest/doctest.h>

#include "tools/client/wording.h"

namespace heartbeat::client {
namespace {

ServerFrame read(std::string_view body) {
  const auto frame = parse_server_frame(body);
  REQUIRE(frame.has_value());
  return *frame;
}

TEST_CASE("a heartbeat is printed in the article's manner") {
  const std::string line = beat_line(0, 26464, Status::Alive);  // the hour is the machine's local one
  CHECK(line.starts_with(R"({"time": "19)"));
  CHECK(line.ends_with(R"(", "fd": 26464, "status": "alive"})"
                       "\n"));
  CHECK(line.size() ==
        std::string_view{R"({"time": "1970-01-01 00:00:00", "fd": 26464, "status": "alive"})"}.size() + 1);
}

TEST_CASE("each frame that a daemon can send is one line") {
  CHECK(frame_line(read(R"({"type":"ack","seq":7,"status":"alive"})")) == "daemon: ack seq=7 status=alive\n");
  CHECK(frame_line(read(R"({"type":"ack","status":"leave"})")) == "daemon: ack status=leave\n");
  CHECK(frame_line(read(R"({"type":"status","status":"leave","reason":"silent"})")) ==
        "daemon: status=leave reason=silent\n");
  CHECK(frame_line(read(R"({"type":"status","status":"close","reason":"kicked","detail":"by hand"})")) ==
        "daemon: status=close reason=kicked detail=\"by hand\"\n");
  CHECK(frame_line(read(R"({"type":"welcome","tick_ms":10000,"threshold":5,"cursor":3,"recover":5,)"
                        R"("leave_timeout_ms":1800000,"max_frame":4096})")) ==
        "daemon: welcome tick=10s threshold=5 cursor=3 recover=5 leave_timeout=30min max_frame=4096\n");
}

TEST_CASE("a type that this version does not know is named, and escaped") {
  CHECK(frame_line(read(R"({"type":"eclipse\u001b[2J\n"})")) ==
        "daemon: type=\"eclipse\\x1b[2J\\n\" (not known to this version, and ignored)\n");
}

}  // namespace
}  // namespace heartbeat::client
