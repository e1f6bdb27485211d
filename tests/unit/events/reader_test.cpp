#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "common/events/journal_reader.h"
#include "common/events/line.h"
#include "common/events/segments.h"
#include "daemon/events/segment_store.h"
#include "daemon/events/segment_writer.h"
#include "tests/unit/events/folder.h"

namespace heartbeat {
namespace {

using test::Folder;

constexpr WallTime kNow{Millis{1'790'000'000'000}};
constexpr StoreBounds kKeepAll{.keep = Millis{1LL << 50}, .bytes = 1U << 30U};

std::string line(const std::string& type, const std::string& boot, std::uint64_t seq,
                 const std::string& more = "") {
  std::string text =
      R"({"type":")" + type + R"(","boot":")" + boot + R"(","seq":)" + std::to_string(seq) + more + "}";
  events::seal_line(text, 0);
  return text;
}
std::string event_line(std::uint64_t seq, const std::string& more = "") {
  return line("event", "b1", seq, more);
}

// The numbers of the events from here on, with the losses between them.
std::vector<std::int64_t> rest_of(JournalReader& reader) {
  std::vector<std::int64_t> seen;
  for (;;) {
    const auto line = reader.next();
    REQUIRE(line);
    if (!*line) return seen;
    if (reader.lost_before() > 0) seen.push_back(-static_cast<std::int64_t>(reader.lost_before()));
    if (events::text_in(**line, "type") == "event") {
      seen.push_back(static_cast<std::int64_t>(events::number_in(**line, "seq").value_or(0)));
    }
  }
}

TEST_CASE("a reader finds what is appended, over rotation, compression and removal under its feet") {
  const Folder folder;
  SegmentWriter writer{folder.journal(), {.bytes = 200}};
  REQUIRE(writer.open());
  std::uint64_t seq = 0;
  const auto write = [&] {
    ++seq;
    REQUIRE(writer.append(event_line(seq), seq - 1, kNow) == 0);
  };
  write();
  JournalReader reader{folder.journal()};
  REQUIRE(reader.to_oldest());
  CHECK(rest_of(reader) == std::vector<std::int64_t>{1});
  CHECK(rest_of(reader).empty());
  for (int more = 0; more < 4; ++more) write();
  CHECK(rest_of(reader) == std::vector<std::int64_t>{2, 3, 4, 5});
  for (int more = 0; more < 4; ++more) write();
  CHECK(tidy_segments(folder.journal(), writer.serial(), kKeepAll, kNow).error == 0);
  CHECK(rest_of(reader) == std::vector<std::int64_t>{6, 7, 8, 9});
  for (int more = 0; more < 6; ++more) write();
  // Everything but the last segment is gone.  The one that the reader has open is read to its end, and what
  // the others had is counted.
  CHECK(tidy_segments(folder.journal(), writer.serial(), {.keep = kKeepAll.keep, .bytes = 0}, kNow).removed >
        0);
  const auto seen = rest_of(reader);
  std::int64_t lost = 0;
  std::int64_t events = 0;
  for (const std::int64_t item : seen) item < 0 ? lost -= item : ++events;
  CHECK(lost > 0);
  CHECK(lost + events == 6);
  CHECK(seen.back() == static_cast<std::int64_t>(seq));
}

TEST_CASE("a line that is not whole yet is waited for, and a damaged one is counted as missing") {
  const Folder folder;
  SegmentWriter writer{folder.journal()};
  REQUIRE(writer.open());
  REQUIRE(writer.append(event_line(1), 0, kNow) == 0);
  const std::string path = events::segment_path(folder.journal(), 1, false);
  const std::string two = event_line(2);
  JournalReader reader{folder.journal()};
  REQUIRE(reader.to_oldest());
  std::ofstream{path, std::ios::binary | std::ios::app} << two.substr(0, two.size() / 2);
  CHECK(rest_of(reader) == std::vector<std::int64_t>{1});
  std::ofstream{path, std::ios::binary | std::ios::app} << two.substr(two.size() / 2);
  CHECK(rest_of(reader) == std::vector<std::int64_t>{2});
  std::string damaged = event_line(3);
  damaged[damaged.find("b1")] ^= 1;  // its type and number can still be read
  std::ofstream{path, std::ios::binary | std::ios::app} << damaged << event_line(4);
  CHECK(rest_of(reader) == std::vector<std::int64_t>{-1, 4});
}

TEST_CASE("strikes that were left out, and events that a line names as lost, are not counted again") {
  const Folder folder;
  SegmentWriter writer{folder.journal()};
  REQUIRE(writer.open());
  REQUIRE(writer.append(event_line(1) + event_line(4, R"(,"left_out":2)") +
                            line("lost", "b1", 9, R"(,"count":4,"from_seq":6,"left_out":1)") +
                            event_line(10) + event_line(13),
                        0, kNow) == 0);
  JournalReader reader{folder.journal()};
  REQUIRE(reader.to_oldest());
  CHECK(rest_of(reader) == std::vector<std::int64_t>{1, 4, 10, -2, 13});
}

TEST_CASE("a cursor goes on behind its event, also behind one of an earlier run that was never written") {
  const Folder folder;
  SegmentWriter writer{folder.journal()};
  REQUIRE(writer.open());
  REQUIRE(writer.append(line("start", "b1", 0) + event_line(1) + event_line(2) + line("start", "b2", 2) +
                            line("event", "b2", 3) + line("event", "b2", 4),
                        0, kNow) == 0);
  JournalReader reader{folder.journal()};
  CHECK(reader.behind({"b1", 1}).value());
  CHECK(rest_of(reader) == std::vector<std::int64_t>{2, 3, 4});
  CHECK(reader.behind({"b1", 7}).value());
  CHECK(rest_of(reader) == std::vector<std::int64_t>{3, 4});
  CHECK(reader.behind({"b2", 4}).value());
  CHECK(rest_of(reader).empty());
  CHECK_FALSE(reader.behind({"b0", 4}).value());
  CHECK(rest_of(reader) == std::vector<std::int64_t>{1, 2, 3, 4});
}

TEST_CASE("where there is no journal, that is the error") {
  const Folder folder;
  JournalReader reader{folder.journal()};
  CHECK(reader.to_oldest().error() == ENOENT);
}

}  // namespace
}  // namespace heartbeat
