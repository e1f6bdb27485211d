#include "tools/follower/follower.h"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/events/line.h"
#include "common/events/segments.h"
#include "common/frame.h"
#include "common/os/socket.h"
#include "daemon/events/segment_store.h"
#include "daemon/events/segment_writer.h"
#include "tests/unit/events/folder.h"
#include "tools/follower/cursor_file.h"

namespace heartbeat {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kAt{Millis{1'790'000'000'000}};
constexpr StoreBounds kAll{.keep = Millis{1LL << 50}, .bytes = 1U << 30U};
constexpr Millis kNever{24LL * 60 * 60 * 1000};

std::string sealed(const std::string& type, const std::string& boot, std::uint64_t seq,
                   const std::string& more = "") {
  std::string text =
      R"({"type":")" + type + R"(","boot":")" + boot + R"(","seq":)" + std::to_string(seq) + more + "}";
  events::seal_line(text, 0);
  return text;
}

class Journal {
 public:
  explicit Journal(SegmentBounds bounds = {}) : bounds_(bounds) {}

  void start(const std::string& boot) {
    writer_.emplace(directory(), bounds_);
    const auto found = writer_->open();
    REQUIRE(found);
    boot_ = boot;
    seq_ = found->last_seq;
    REQUIRE(writer_->append(sealed("start", boot_, seq_), seq_, kAt) == 0);
  }
  void end() { writer_.reset(); }
  void add(int count = 1, const std::string& more = "") {
    for (int added = 0; added < count; ++added) {
      ++seq_;
      REQUIRE(writer_->append(sealed("event", boot_, seq_, more), seq_ - 1, kAt) == 0);
    }
  }
  void lose(std::uint64_t count) { seq_ += count; }
  void compress() { CHECK(tidy_segments(directory(), writer_->serial(), kAll, kAt).error == 0); }
  void remove_closed() {
    CHECK(tidy_segments(directory(), writer_->serial(), {.keep = kAll.keep, .bytes = 0}, kAt).removed > 0);
  }

  [[nodiscard]] const std::string& folder() const { return folder_.path(); }
  [[nodiscard]] std::string directory() const { return folder_.journal(); }
  [[nodiscard]] std::string current() const {
    return events::segment_path(directory(), writer_->serial(), false);
  }

 private:
  SegmentBounds bounds_;
  test::Folder folder_;
  std::optional<SegmentWriter> writer_;
  std::string boot_;
  std::uint64_t seq_ = 0;
};

// What the follower has, in words: `b1:7` an event, `lost 3 to b1:9`, `lost ? to b1:9`.
std::vector<std::string> items_of(Follower& follower) {
  std::vector<std::string> items;
  while (const auto item = follower.next()) {
    if (item->kind == Follower::Item::Kind::Note) continue;
    const bool is_event = item->kind == Follower::Item::Kind::Event;
    const std::string count = item->count ? std::to_string(*item->count) : "?";
    items.push_back((is_event ? "" : "lost " + count + " to ") + to_string(item->cursor));
  }
  return items;
}

// A follower on a loop of its own.
struct Followed {
  Followed(const Journal& journal, std::optional<JournalCursor> cursor, std::string control = "",
           Millis look_every = kNever)
      : follower(std::in_place, loop, Follower::Options{journal.directory(), std::move(control), look_every},
                 std::move(cursor), [this] { ++calls; }) {}
  ~Followed() {
    follower.reset();
    CHECK(loop.drain(20s) == std::vector<std::string>{});
  }
  std::vector<std::string> items() { return items_of(*follower); }
  void turn_until(const std::function<bool()>& condition) {
    for (int turn = 0; turn < 2000 && !condition(); ++turn) {
      loop.turn_once();
      if (!condition()) std::this_thread::sleep_for(5ms);
    }
    REQUIRE(condition());
  }

  uv::Loop loop;
  int calls = 0;
  std::optional<Follower> follower;
};

using Items = std::vector<std::string>;

TEST_CASE(
    "a follower without a cursor begins with what comes from now on, and a change of the file wakes it") {
  Journal journal;
  journal.start("b1");
  journal.add(3);
  Followed followed{journal, {}};
  CHECK(followed.follower->source() == Follower::Source::Journal);
  CHECK(followed.items().empty());
  CHECK(to_string(followed.follower->cursor().value()) == "b1:3");
  // The timer that looks again is a day away: it is inotify that calls.
  followed.loop.turn_once();
  followed.calls = 0;
  journal.add(2);
  followed.turn_until([&] { return followed.calls > 0; });
  CHECK(followed.items() == Items{"b1:4", "b1:5"});
}

TEST_CASE("the place in a journal without an event is kept, too") {
  Journal journal;
  journal.start("b1");
  std::optional<JournalCursor> place;
  {
    Followed followed{journal, {}};
    place = followed.follower->cursor();
  }
  REQUIRE(place);
  journal.add(2);
  Followed again{journal, place};
  CHECK(again.items() == Items{"b1:1", "b1:2"});
}

TEST_CASE("a journal that appears after the follower is read from its first event") {
  Journal journal;
  Followed followed{journal, {}, "", 1ms};
  CHECK(followed.follower->source() == Follower::Source::None);
  CHECK(followed.follower->error().find("No such file") != std::string::npos);
  journal.start("b1");
  journal.add(2);
  followed.turn_until([&] { return followed.follower->source() == Follower::Source::Journal; });
  CHECK(followed.items() == Items{"b1:1", "b1:2"});
}

TEST_CASE("a follower reads over rotation and compression under its feet, while the journal is written") {
  Journal journal{{.bytes = 300}};
  journal.start("b1");
  journal.add();
  Followed followed{journal, JournalCursor{"b1", 0}};
  Items seen;
  Items wanted;
  const auto read = [&] {
    for (std::string& item : followed.items()) seen.push_back(std::move(item));
  };
  // A second follower begins anew behind each event.
  for (std::uint64_t seq = 1; seq <= 60; ++seq) {
    wanted.push_back("b1:" + std::to_string(seq));
    if (seq % 2 == 0) read();
    if (seq % 7 == 0) journal.compress();
    Followed late{journal, JournalCursor{"b1", seq - 1}};
    CHECK(late.items() == Items{"b1:" + std::to_string(seq)});
    if (seq < 60) journal.add();
  }
  read();
  CHECK(seen == wanted);
}

TEST_CASE("segments that were removed before they were read are a loss with its exact number") {
  Journal journal{{.bytes = 300}};
  journal.start("b1");
  journal.add(2);
  Followed followed{journal, JournalCursor{"b1", 0}};
  CHECK(followed.items() == Items{"b1:1", "b1:2"});
  Followed late{journal, JournalCursor{"b1", 1}};
  journal.add(18);
  journal.remove_closed();
  for (Followed* const each : {&followed, &late}) {
    const Items seen = each->items();
    std::size_t events = 0;
    std::uint64_t lost = 0;
    for (const std::string& item : seen) {
      if (item.starts_with("lost "))
        lost += std::stoul(item.substr(5));
      else
        ++events;
    }
    CHECK(seen.back() == "b1:20");
    CHECK(lost > 0);
    CHECK(lost + events == (each == &late ? 19 : 18));
  }
  // The same for a cursor that was kept while the program was away.
  Followed again{journal, JournalCursor{"b1", 2}};
  const Items seen = again.items();
  REQUIRE(seen.size() > 1);
  CHECK(seen.front() ==
        "lost " + std::to_string(19 - seen.size()) + " to b1:" + std::to_string(21 - seen.size()));
  // A loss that was taken is a place, too: behind it nothing is lost a second time.
  Followed behind{journal, JournalCursor{"b1", 21 - seen.size()}};
  CHECK(behind.items() == Items(seen.begin() + 1, seen.end()));
}

TEST_CASE("events that the daemon lost, and lines that are damaged, are losses in their place") {
  Journal journal;
  journal.start("b1");
  journal.add();
  journal.lose(4);
  std::ofstream{journal.current(), std::ios::app} << sealed("lost", "b1", 5, R"(,"count":4,"from_seq":2)")
                                                  << std::string("{\"type\":\"event\",\"seq\":6}\n")
                                                  << sealed("event", "b1", 7);
  Followed followed{journal, JournalCursor{"b1", 0}};
  CHECK(followed.items() == Items{"b1:1", "lost 4 to b1:5", "lost 1 to b1:6", "b1:7"});
  Followed inside{journal, JournalCursor{"b1", 3}};
  CHECK(inside.items() == Items{"lost 2 to b1:5", "lost 1 to b1:6", "b1:7"});
}

TEST_CASE("a torn tail is waited for, and what the next run writes in its place is read") {
  Journal journal;
  journal.start("b1");
  journal.add(2);
  const std::string torn = sealed("event", "b1", 3);
  std::ofstream{journal.current(), std::ios::app} << torn.substr(0, torn.size() - 20);
  Followed followed{journal, JournalCursor{"b1", 1}};
  CHECK(followed.items() == Items{"b1:2"});
  CHECK(followed.items().empty());
  journal.end();
  journal.start("b2");  // cuts the torn line off
  journal.add(2);
  CHECK(followed.items() == Items{"b2:3", "b2:4"});
}

TEST_CASE("lines that were cut off again after they were read come once") {
  Journal journal;
  journal.start("b1");
  journal.add(2);
  const std::string path = journal.current();
  struct stat before {};
  REQUIRE(::stat(journal.current().c_str(), &before) == 0);
  std::ofstream{journal.current(), std::ios::app} << sealed("event", "b1", 3);
  Followed followed{journal, JournalCursor{"b1", 1}};
  CHECK(followed.items() == Items{"b1:2", "b1:3"});
  REQUIRE(::truncate(journal.current().c_str(), before.st_size) == 0);
  CHECK(followed.items().empty());
  journal.add(2);
  CHECK(followed.items() == Items{"b1:4"});
  // The daemon that had lines cut off ends, and other ones take their place.
  std::ofstream{journal.current(), std::ios::app} << sealed("event", "b1", 5, R"(,"more":"longer")");
  CHECK(followed.items() == Items{"b1:5"});
  journal.end();
  REQUIRE(::truncate(path.c_str(), before.st_size) == 0);
  CHECK(followed.items().empty());
  journal.start("b2");
  journal.add(2);
  CHECK(followed.items() == Items{"b2:3", "b2:4"});
}

TEST_CASE("a cursor goes on over runs of other names, and one beyond its run goes on with the next run") {
  Journal journal;
  journal.start("b1");
  journal.add(3);
  journal.end();
  journal.start("b2");
  journal.add(2);
  Followed followed{journal, JournalCursor{"b1", 2}};
  CHECK(followed.items() == Items{"b1:3", "b2:4", "b2:5"});
  Followed beyond{journal, JournalCursor{"b1", 9}};  // reported by a feed, and never written
  CHECK(beyond.items() == Items{"b2:4", "b2:5"});
  Followed unknown{journal, JournalCursor{"b0", 9}};
  CHECK(unknown.items() == Items{"lost ? to b1:0", "b1:1", "b1:2", "b1:3", "b2:4", "b2:5"});
  journal.end();
  journal.start("b3");
  journal.add();
  CHECK(followed.items() == Items{"b3:6"});
}

// --- the feed ---------------------------------------------------------------------------------------------

// The other end of a control socket, which the test speaks for.
class Control {
 public:
  explicit Control(std::string path) : path_(std::move(path)), listener_(os::stream_socket(AF_UNIX).value()) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_.get(), 8) == 0);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

  // Accepts a connection that has been made, and returns what it asks.
  std::string accept() {
    for (int attempt = 0; attempt < 2000; ++attempt) {
      session_ = Descriptor{::accept(listener_.get(), nullptr, nullptr)};
      if (session_.get() >= 0) break;
      std::this_thread::sleep_for(5ms);
    }
    std::string bytes(4096, '\0');
    const auto got = ::recv(session_.get(), bytes.data(), bytes.size(), 0);
    REQUIRE(got > 4);
    return bytes.substr(4, static_cast<std::size_t>(got) - 4);
  }
  void say(const std::string& object) {
    std::string frame;
    append_frame(frame, object);
    REQUIRE(::send(session_.get(), frame.data(), frame.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(frame.size()));
  }

 private:
  std::string path_;
  Descriptor listener_;
  Descriptor session_{-1};
};

TEST_CASE(
    "where no journal can be read the feed is followed, and the files again as soon as they know the place") {
  Journal journal;
  Control control{journal.folder() + "/control.sock"};
  Followed followed{journal, JournalCursor{"b1", 2}, control.path(), 1ms};
  CHECK(followed.follower->source() == Follower::Source::Feed);
  CHECK(control.accept() == R"({"command":"watch","since":"b1:2"})");
  control.say(R"({"type":"lost","count":3})");
  control.say(R"({"type":"event","cursor":"b1:6","boot":"b1","seq":6})");
  Items seen;
  followed.turn_until([&] {
    for (std::string& item : followed.items()) seen.push_back(std::move(item));
    return seen.size() == 2;
  });
  CHECK(seen == Items{"lost 3 to b1:5", "b1:6"});

  // Files of another time do not know the place, so the feed goes on.
  journal.start("b0");
  journal.add(2);
  for (int turn = 0; turn < 20; ++turn) {
    std::this_thread::sleep_for(1ms);
    followed.loop.turn_once();
  }
  CHECK(followed.follower->source() == Follower::Source::Feed);
  journal.end();
  journal.start("b1");
  journal.add(6);
  followed.turn_until([&] { return followed.follower->source() == Follower::Source::Journal; });
  CHECK(followed.items() == Items{"b1:7", "b1:8"});
}

TEST_CASE("a feed that is not read holds a bounded number of objects, and loses none of them") {
  Journal journal;
  Control control{journal.folder() + "/control.sock"};
  Followed followed{journal, JournalCursor{"b1", 0}, control.path(), 1ms};
  static_cast<void>(control.accept());
  constexpr int kCount = 20'000;
  const std::string more(200, 'x');
  std::thread daemon{[&] {
    for (int seq = 1; seq <= kCount; ++seq) {
      control.say(R"({"type":"event","boot":"b1","seq":)" + std::to_string(seq) + R"(,"more":")" + more +
                  "\"}");
    }
  }};
  // The sender is held up by the two sockets' buffers, and so has much left.
  for (int turn = 0; turn < 200; ++turn) {
    std::this_thread::sleep_for(1ms);
    followed.loop.turn_once();
  }
  std::size_t held = 0;
  while (followed.follower->next()) ++held;
  // The bound, and the rest of one read of 64 KiB.
  CHECK(held >= FeedSource::kWaitingMax);
  CHECK(held <= FeedSource::kWaitingMax + 300);
  std::string last;
  std::size_t count = held;
  followed.turn_until([&] {
    while (auto item = followed.follower->next()) {
      ++count;
      last = to_string(item->cursor);
    }
    return count == kCount;
  });
  daemon.join();
  CHECK(last == "b1:20000");
}

TEST_CASE("a feed that ends is asked for again behind the last event that was taken") {
  Journal journal;
  auto control = std::make_unique<Control>(journal.folder() + "/control.sock");
  Followed followed{journal, JournalCursor{"b1", 0}, control->path(), 1ms};
  static_cast<void>(control->accept());
  control->say(R"({"type":"event","boot":"b1","seq":1})");
  Items seen;
  followed.turn_until([&] {
    for (std::string& item : followed.items()) seen.push_back(std::move(item));
    return !seen.empty();
  });
  const std::string path = control->path();
  control.reset();
  ::unlink(path.c_str());
  followed.turn_until([&] {
    static_cast<void>(followed.items());
    return followed.follower->source() == Follower::Source::None;
  });
  control = std::make_unique<Control>(path);
  followed.turn_until([&] { return followed.follower->source() == Follower::Source::Feed; });
  CHECK(control->accept() == R"({"command":"watch","since":"b1:1"})");
}

// --- the cursor on disk -----------------------------------------------------------------------------------

TEST_CASE("a cursor file holds the last object that was saved, and one that is damaged is an error") {
  const Journal folder;
  const CursorFile file{folder.folder() + "/cursor"};
  CHECK(file.load().value() == std::nullopt);
  REQUIRE(file.save(R"({"cursor":"b1:7"})") == 0);
  REQUIRE(file.save(R"({"cursor":"b1:8"})") == 0);
  const auto loaded = file.load();
  REQUIRE((loaded && *loaded));
  CHECK(events::text_in(**loaded, "cursor") == "b1:8");
  std::ofstream{file.path(), std::ios::in | std::ios::out} << "{\"cursor\":\"b1:9\"";
  CHECK(file.load().error() == EBADMSG);
  ::truncate(file.path().c_str(), 5);
  CHECK(file.load().error() == EBADMSG);
  CHECK(CursorFile{folder.folder() + "/none/cursor"}.save("{}") == ENOENT);
}

TEST_CASE("a cursor is read from its text, and nothing else is one") {
  CHECK(parse_cursor("0a1b:17") == JournalCursor{"0a1b", 17});
  for (const char* const text : {"", "17", ":17", "a:", "a:x", "a:1x", "a:-1"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_cursor(text));
  }
}

TEST_CASE("a reader holds a piece of a segment in memory, not the segment") {
  Journal journal;
  journal.start("b1");
  std::string lines;
  const std::string more = R"(,"more":")" + std::string(400, 'x') + '"';
  for (std::uint64_t seq = 1; seq <= 100'000; ++seq) lines += sealed("event", "b1", seq, more);
  std::ofstream{journal.current(), std::ios::app} << lines;
  const std::size_t bytes = lines.size();
  lines = std::string{};
  const auto resident_kib = [] {
    std::ifstream statm{"/proc/self/statm"};
    long size = 0;
    long resident = 0;
    statm >> size >> resident;
    return resident * (::sysconf(_SC_PAGESIZE) / 1024);
  };
  const long before = resident_kib();
  JournalReader reader{journal.directory()};
  REQUIRE(reader.to_oldest());
  long most = before;
  std::size_t count = 0;
  for (;;) {
    const auto line = reader.next();
    REQUIRE(line);
    if (!*line) break;
    if (++count % 1000 == 0) most = std::max(most, resident_kib());
  }
  CHECK(count == 100'002);
  CHECK(bytes > std::size_t{40} * 1024 * 1024);
  CHECK(most - before < 8 * 1024);
}

}  // namespace
}  // namespace heartbeat
