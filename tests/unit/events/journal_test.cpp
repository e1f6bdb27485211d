// The files of the event journal without a loop: what is written, where it goes on after a crash, and what is
// removed.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/events/compression.h"
#include "common/events/line.h"
#include "common/events/segments.h"
#include "daemon/events/event_journal.h"
#include "daemon/events/journal_worker.h"
#include "daemon/events/segment_store.h"
#include "daemon/events/segment_writer.h"
#include "tests/unit/events/folder.h"

namespace heartbeat {
namespace {

using test::Folder;

constexpr std::string_view kBoot = "00112233445566778899aabbccddeeff";

WallTime at(std::int64_t seconds) {
  return WallTime{Millis{1'790'000'000'000 + seconds * 1000}};
}

std::string line_of(std::uint64_t seq) {
  std::string line =
      R"({"type":"event","boot":")" + std::string{kBoot} + R"(","seq":)" + std::to_string(seq) + "}";
  events::seal_line(line, 0);
  return line;
}

std::vector<std::string> lines_of(const std::string& directory) {
  std::vector<std::string> lines;
  const auto segments = events::list_segments(directory);
  REQUIRE(segments);
  for (const events::Segment& segment : *segments) {
    const std::string path = events::segment_path(directory, segment.serial, segment.is_compressed);
    const auto content =
        segment.is_compressed ? events::read_compressed(path, 1U << 30U) : events::read_file(path, 1U << 30U);
    REQUIRE(content);
    for (std::size_t begin = 0; begin < content->size();) {
      const std::size_t end = content->find('\n', begin);
      REQUIRE(end != std::string::npos);
      lines.push_back(content->substr(begin, end - begin));
      CHECK(events::is_true_line(lines.back()));
      begin = end + 1;
    }
  }
  return lines;
}

std::vector<std::uint64_t> seqs_of(const std::vector<std::string>& lines) {
  std::vector<std::uint64_t> seqs;
  for (const std::string& line : lines) {
    if (events::text_in(line, "type") == "event") seqs.push_back(events::number_in(line, "seq").value_or(0));
  }
  return seqs;
}

Event event(std::uint64_t number, Event::Kind kind = Event::Kind::Joined) {
  return Event{.kind = kind, .number = number, .client = NameText{"pump-7"}};
}

JournalWorker::Batch batch_of(std::vector<JournalWorker::Entry> entries) {
  return {.entries = std::move(entries), .clock = WallClock{at(0), MonoTime{}}, .now = at(0)};
}

TEST_CASE("the writer goes on behind its last line, with the next number") {
  const Folder folder;
  {
    SegmentWriter writer{folder.journal()};
    const auto found = writer.open();
    REQUIRE(found);
    CHECK(found->last_seq == 0);
    REQUIRE(writer.append(line_of(1) + line_of(2), 0, at(0)) == 0);
  }
  SegmentWriter writer{folder.journal()};
  const auto found = writer.open();
  REQUIRE(found);
  CHECK(found->last_seq == 2);
  CHECK(found->last_boot == kBoot);
  CHECK(found->cut_bytes == 0);
  REQUIRE(writer.append(line_of(3), 2, at(1)) == 0);
  CHECK(seqs_of(lines_of(folder.journal())) == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE("the files are for the daemon's group to read, whatever the umask is") {
  const Folder folder;
  const mode_t before = ::umask(0077);
  SegmentWriter writer{folder.journal()};
  REQUIRE(writer.open());
  REQUIRE(writer.append(line_of(1), 0, at(0)) == 0);
  ::umask(before);
  struct stat status {};
  REQUIRE(::stat(events::segment_path(folder.journal(), 1, false).c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0640);
  REQUIRE(::stat(folder.journal().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0750);
}

TEST_CASE("a second writer of one directory is refused") {
  const Folder folder;
  SegmentWriter one{folder.journal()};
  REQUIRE(one.open());
  SegmentWriter other{folder.journal()};
  const auto found = other.open();
  REQUIRE_FALSE(found);
  CHECK(found.error() == EWOULDBLOCK);
}

TEST_CASE("a file that is cut at any byte of its last 4 KiB loses the torn line, and says how many bytes") {
  const Folder folder;
  {
    SegmentWriter writer{folder.journal()};
    REQUIRE(writer.open());
    for (std::uint64_t seq = 1; seq <= 60; ++seq) REQUIRE(writer.append(line_of(seq), seq - 1, at(0)) == 0);
  }
  const std::string path = events::segment_path(folder.journal(), 1, false);
  const auto whole = events::read_file(path, 1U << 20U);
  REQUIRE(whole);
  REQUIRE(whole->size() > 4096);
  for (std::size_t size = whole->size() - 4096; size <= whole->size(); ++size) {
    CAPTURE(size);
    std::ofstream{path, std::ios::binary | std::ios::trunc} << whole->substr(0, size);
    const std::size_t end = whole->rfind('\n', size - 1) + 1;
    const std::uint64_t last =
        events::number_in(events::last_line(std::string_view{*whole}.substr(0, end)), "seq").value_or(0);
    SegmentWriter writer{folder.journal()};
    const auto found = writer.open();
    REQUIRE(found);
    REQUIRE(found->last_seq == last);
    REQUIRE(found->cut_bytes == size - end);
    REQUIRE(events::read_file(path, 1U << 20U)->size() == end);
    REQUIRE(writer.append(line_of(last + 1), last, at(1)) == 0);
    const auto after = events::read_file(path, 1U << 20U);
    REQUIRE(after);
    REQUIRE(*after == whole->substr(0, end) + line_of(last + 1));
  }
}

TEST_CASE("a last segment without one whole line is left, and the number is that of the segment before") {
  const Folder folder;
  {
    SegmentWriter writer{folder.journal(), {.bytes = 1}};
    REQUIRE(writer.open());
    REQUIRE(writer.append(line_of(1), 0, at(0)) == 0);
    REQUIRE(writer.append(line_of(2), 1, at(0)) == 0);
  }
  REQUIRE(::truncate(events::segment_path(folder.journal(), 2, false).c_str(), 7) == 0);
  SegmentWriter writer{folder.journal()};
  const auto found = writer.open();
  REQUIRE(found);
  CHECK(found->last_seq == 1);
  CHECK(found->cut_bytes == 7);
  REQUIRE(writer.append(line_of(2), 1, at(0)) == 0);
  CHECK(writer.serial() == 3);
  CHECK(seqs_of(lines_of(folder.journal())) == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("a segment is closed at its bound of bytes, and at its age, and not before") {
  const Folder folder;
  SegmentWriter writer{folder.journal(), {.bytes = 16 * 1024, .age = Millis{60'000}}};
  REQUIRE(writer.open());
  REQUIRE(writer.append(line_of(1), 0, at(0)) == 0);
  REQUIRE(writer.append(line_of(2), 1, WallTime{at(60) - Millis{1}}) == 0);
  CHECK(writer.serial() == 1);
  REQUIRE(writer.append(line_of(3), 2, at(60)) == 0);
  CHECK(writer.serial() == 2);
  REQUIRE(writer.append(std::string(16 * 1024, ' '), 3, at(60)) == 0);
  CHECK(writer.serial() == 2);
  REQUIRE(writer.append(line_of(4), 3, at(60)) == 0);
  CHECK(writer.serial() == 3);
}

TEST_CASE(
    "closed segments are compressed and read the same; the oldest go first, and the written one never") {
  const Folder folder;
  SegmentWriter writer{folder.journal(), {.bytes = 1}};
  REQUIRE(writer.open());
  for (std::uint64_t seq = 1; seq <= 5; ++seq) REQUIRE(writer.append(line_of(seq), seq - 1, at(0)) == 0);
  const WallTime now{std::chrono::floor<Millis>(std::chrono::system_clock::now())};
  const StoreBounds all{.keep = Millis{3'600'000}, .bytes = 1U << 30U};
  const StoreReport first = tidy_segments(folder.journal(), writer.serial(), all, now);
  CHECK(first.error == 0);
  CHECK(first.segments == 5);
  CHECK(first.compressed == (events::can_compress() ? 4 : 0));
  CHECK(first.removed == 0);
  CHECK(seqs_of(lines_of(folder.journal())) == std::vector<std::uint64_t>{1, 2, 3, 4, 5});

  const StoreBounds fewer{.keep = all.keep, .bytes = first.bytes - 1};
  const StoreReport second = tidy_segments(folder.journal(), writer.serial(), fewer, now);
  CHECK(second.removed == 1);
  CHECK(seqs_of(lines_of(folder.journal())) == std::vector<std::uint64_t>{2, 3, 4, 5});

  const StoreReport third =
      tidy_segments(folder.journal(), writer.serial(), all, now + Millis{3'600'000 + 60'000});
  CHECK(third.removed == 3);
  CHECK(seqs_of(lines_of(folder.journal())) == std::vector<std::uint64_t>{5});
}

TEST_CASE("a compressed segment that is damaged or cut off is refused") {
  if (!events::can_compress()) return;
  const Folder folder;
  SegmentWriter writer{folder.journal(), {.bytes = 1}};
  REQUIRE(writer.open());
  for (std::uint64_t seq = 1; seq <= 2; ++seq) REQUIRE(writer.append(line_of(seq), seq - 1, at(0)) == 0);
  CHECK(
      tidy_segments(folder.journal(), 2, {.keep = Millis{1LL << 50}, .bytes = 1U << 30U}, at(0)).compressed ==
      1);
  const std::string path = events::segment_path(folder.journal(), 1, true);
  const auto packed = events::read_file(path, 1U << 20U);
  REQUIRE(packed);
  REQUIRE(::truncate(path.c_str(), static_cast<off_t>(packed->size() - 1)) == 0);
  CHECK(events::read_compressed(path, 1U << 20U).error() == EBADMSG);
}

TEST_CASE("a gap in the numbers is named exactly, before the event behind it and before a note behind it") {
  const Folder folder;
  JournalWorker worker{folder.journal(), std::string{kBoot}};
  REQUIRE(worker.open());
  auto batch =
      batch_of({event(1), event(5), JournalWorker::Note{.seq = 9, .object = R"({"type":"mark","seq":9})"}});
  const JournalWorker::Result result = worker.write(batch);
  CHECK(result.error == 0);
  CHECK(result.written == 2);
  CHECK(result.lost == 7);
  const auto lines = lines_of(folder.journal());
  REQUIRE(lines.size() == 6);
  CHECK(events::text_in(lines[2], "type") == "lost");
  CHECK(events::number_in(lines[2], "from_seq") == 2);
  CHECK(events::number_in(lines[2], "seq") == 4);
  CHECK(events::number_in(lines[2], "count") == 3);
  CHECK(events::number_in(lines[4], "from_seq") == 6);
  CHECK(events::number_in(lines[4], "seq") == 9);
}

TEST_CASE("strikes are left out unless they are asked for, and the next line says how many") {
  const Folder folder;
  JournalWorker worker{folder.journal(), std::string{kBoot}};
  REQUIRE(worker.open());
  auto batch = batch_of({event(1, Event::Kind::Struck), event(2, Event::Kind::Struck), event(3)});
  CHECK(worker.write(batch).lost == 0);
  auto with = batch_of({event(4, Event::Kind::Struck), event(5)});
  with.strikes = true;
  CHECK(worker.write(with).written == 2);
  const auto lines = lines_of(folder.journal());
  CHECK(seqs_of(lines) == std::vector<std::uint64_t>{3, 4, 5});
  CHECK(events::number_in(lines[1], "left_out") == 2);
  CHECK_FALSE(events::number_in(lines[2], "left_out"));
}

TEST_CASE("what another process of this run has written is not written twice") {
  const Folder folder;
  {
    JournalWorker before{folder.journal(), std::string{kBoot}};
    REQUIRE(before.open());
    auto batch = batch_of({event(1), event(2)});
    REQUIRE(before.write(batch).error == 0);
  }
  JournalWorker worker{folder.journal(), std::string{kBoot}};
  worker.skip_written();
  auto batch = batch_of({event(1), event(2), event(3)});
  CHECK(worker.write(batch).written == 1);
  CHECK(seqs_of(lines_of(folder.journal())) == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE("a batch that could not be written comes again, and nothing is written twice") {
  const Folder folder;
  JournalWorker worker{folder.journal() + "/absent/deeper", std::string{kBoot}};
  auto batch = batch_of({event(1), event(2)});
  CHECK(worker.write(batch).error == ENOENT);
  CHECK(batch.entries.size() == 2);
  REQUIRE(::mkdir(folder.journal().c_str(), 0700) == 0);
  REQUIRE(::mkdir((folder.journal() + "/absent").c_str(), 0700) == 0);
  CHECK(worker.write(batch).written == 2);
  CHECK(batch.entries.empty());
  CHECK(seqs_of(lines_of(folder.journal() + "/absent/deeper")) == std::vector<std::uint64_t>{1, 2});
}

// One past the bound of the queue, all before the loop turns once.
TEST_CASE("the queue takes its bound of events, and names the one beyond it as lost") {
  const Folder folder;
  uv::Loop loop;
  const WallClock clock{at(0), MonoTime{}};
  {
    EventJournal journal{
        loop, {.directory = folder.journal(), .sync = EventJournal::Sync::Never}, std::string{kBoot}};
    CHECK(journal.open() == 0);
    for (std::uint64_t number = 1; number <= limits::kJournalQueueMax + 1; ++number)
      journal.add(event(number));
    CHECK(journal.figures().waiting == limits::kJournalQueueMax);
    journal.after_turn(clock);
    loop.run();
    CHECK(journal.figures().written == limits::kJournalQueueMax);
    CHECK(journal.figures().lost == 0);
    journal.add(event(limits::kJournalQueueMax + 2));
    journal.after_turn(clock);
    loop.run();
    CHECK(journal.figures().lost == 1);
    journal.finish(clock, Millis{10'000}, true);
  }
  CHECK(loop.drain(Millis{10'000}).empty());
  const auto lines = lines_of(folder.journal());
  CHECK(events::text_in(lines.back(), "type") == "end");
  const std::string& lost = lines[lines.size() - 3];
  CHECK(events::text_in(lost, "type") == "lost");
  CHECK(events::number_in(lost, "seq") == limits::kJournalQueueMax + 1);
  CHECK(events::number_in(lost, "count") == 1);
}

// What the disk has refused waits in one queue with the lines behind it.
TEST_CASE("the bound of the queue holds while a batch is tried again") {
  const Folder folder;
  const std::string directory = folder.journal() + "/absent/deeper";
  uv::Loop loop;
  const WallClock clock{at(0), MonoTime{}};
  {
    EventJournal journal{
        loop, {.directory = directory, .sync = EventJournal::Sync::Never}, std::string{kBoot}};
    CHECK(journal.open() == 0);
    const auto turn_until = [&](const std::function<bool()>& condition) {
      for (int turn = 0; turn < 50'000 && !condition(); ++turn) {
        journal.after_turn(clock);
        loop.turn_once();
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
      }
      REQUIRE(condition());
    };
    constexpr std::uint64_t kFirst = 100'000;
    for (std::uint64_t number = 1; number <= kFirst; ++number) journal.add(event(number));
    turn_until([&] { return journal.figures().failures >= 2; });
    CHECK(journal.figures().waiting == kFirst);
    for (std::uint64_t number = kFirst + 1; number <= limits::kJournalQueueMax + 1; ++number) {
      journal.add(event(number));
    }
    CHECK(journal.figures().waiting == limits::kJournalQueueMax);
    REQUIRE(::mkdir(folder.journal().c_str(), 0700) == 0);
    REQUIRE(::mkdir((folder.journal() + "/absent").c_str(), 0700) == 0);
    turn_until([&] { return journal.figures().written == limits::kJournalQueueMax; });
    CHECK(journal.figures().waiting == 0);
    journal.finish(clock, Millis{10'000}, true);
    CHECK(journal.figures().lost == 1);
  }
  CHECK(loop.drain(Millis{10'000}).empty());
}

}  // namespace
}  // namespace heartbeat
