#include "daemon/restart/state_file.h"

#include <chrono>
#include <string>

#include <doctest/doctest.h>
#include <unistd.h>

using namespace heartbeat;
using namespace std::chrono_literals;

namespace {

constexpr ListeningClock::State kClock{.machine = MonoTime{9s}, .listening = MonoTime{8s}, .owed = Millis{3}};

StateFile some_file(bool is_planned = false) {
  auto file = StateFile::create({.number = 7, .is_planned = is_planned}, kClock, 4096);
  REQUIRE(file);
  CHECK_FALSE(file->has_handover());
  CHECK(read_state_file(file->descriptor())->handover.empty());
  REQUIRE(file->write("the handover") == 0);
  CHECK(file->has_handover());
  return std::move(*file);
}

std::string six_bytes() {
  return "abcdef";
}

}  // namespace

TEST_CASE("what a process left is read as far as its calls are committed") {
  StateFile file = some_file();
  file.log().add(LoggedCall::Kind::Receive, MonoTime{9s}, {}, six_bytes());
  file.log().handles({.slot = 4, .generation = 2});
  file.log().commit(kClock);
  const std::size_t committed = file.log().size();
  file.log().handles({.slot = 5, .generation = 1});
  file.log().add(LoggedCall::Kind::Receive, MonoTime{9s}, {}, six_bytes());

  CHECK(state_file_number(file.descriptor()) == 7);
  const auto left = read_state_file(file.descriptor());
  REQUIRE(left);
  CHECK(left->label.number == 7);
  CHECK_FALSE(left->label.is_planned);
  CHECK(left->handover == "the handover");
  CHECK(left->calls.size() == committed);
  CHECK(left->calls.find(six_bytes()) == sizeof(LoggedCall));
  CHECK(left->head.clock.listening == kClock.listening);
  CHECK(left->head.handled == ConnId{.slot = 5, .generation = 1});
  CHECK(left->head.is_broken == 0);
}

TEST_CASE("a file without a call has the clock of its handover") {
  const StateFile file = some_file(true);
  const auto left = read_state_file(file.descriptor());
  REQUIRE(left);
  CHECK(left->label.is_planned);
  CHECK(left->calls.empty());
  CHECK(left->head.clock.machine == kClock.machine);
  CHECK(left->head.handled == kNoConn);
}

TEST_CASE("each process that reads it counts one attempt more") {
  const StateFile file = some_file();
  for (unsigned attempt = 2; attempt <= LeftState::kAttemptsMax + 1; ++attempt) {
    CHECK(read_state_file(file.descriptor())->attempts == attempt);
  }
}

TEST_CASE("the file is whole while its writer is moved, and after the writer is gone") {
  const int kept = [] {
    StateFile file = some_file();
    StateFile moved = std::move(file);
    moved.log().add(LoggedCall::Kind::Advance, MonoTime{9s});
    moved.log().commit(kClock);
    return dup(moved.descriptor());
  }();
  const Descriptor file{kept};
  const auto left = read_state_file(file.get());
  REQUIRE(left);
  CHECK(left->calls.size() == sizeof(LoggedCall));
}

TEST_CASE("bytes that are no such file are refused, wherever they are cut off") {
  const StateFile file = some_file();
  const Descriptor empty{dup(file.descriptor())};
  CHECK(state_file_number(-1) == 0);
  CHECK_FALSE(read_state_file(-1));
  for (const off_t size : {off_t{8200}, off_t{5000}, off_t{4096}, off_t{100}, off_t{8}, off_t{0}}) {
    REQUIRE(ftruncate(empty.get(), size) == 0);
    CHECK_FALSE(read_state_file(empty.get()));
  }
}
