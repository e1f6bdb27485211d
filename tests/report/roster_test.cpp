// The roster: its file, and which of its clients are there.
#include "daemon/report/roster.h"

#include <string>

#include <doctest/doctest.h>

#include "common/limits.h"
#include "tests/control/support/desk.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

Roster roster_of(std::string_view text) {
  auto roster = Roster::parse(text);
  REQUIRE(roster);
  return std::move(*roster);
}

std::string fault_of(std::string_view text) {
  const auto roster = Roster::parse(text);
  return roster ? "" : roster.error();
}

}  // namespace

TEST_CASE("a roster is an id a line, in any order, with comments and blank lines") {
  CHECK(roster_of("pump-2\r\n\n# hall B\npump-1").ids() == std::vector<std::string>{"pump-1", "pump-2"});
  CHECK(roster_of("").ids().empty());
  CHECK(roster_of("a\nc\n").find("c") == 1);
  CHECK(roster_of("a\nc\n").find("b") == 2);
}

TEST_CASE("what is wrong with a roster is named") {
  CHECK(fault_of("a\n10.0.0.1\n").starts_with("line 2: '10.0.0.1' is no id of a client"));
  CHECK(fault_of("a\nb\na\n") == "'a' is there twice");
  CHECK(fault_of(std::string(limits::kIdMax, 'x')).empty());
  CHECK(fault_of(std::string(limits::kIdMax + 1, 'x')).starts_with("line 1: "));
}

TEST_CASE("as many ids as are allowed are read, and no more") {
  std::string text;
  for (std::size_t at = 0; at < kRosterNamesMax; ++at) text += std::to_string(at) + "x\n";
  CHECK(roster_of(text).ids().size() == kRosterNamesMax);
  CHECK(
      fault_of(text + "one-more").starts_with("line " + std::to_string(kRosterNamesMax + 1) + ": more than"));
}

TEST_CASE("clients that were never there are missing from the start, and events and looks agree") {
  Desk desk;
  desk.join("pump-1");
  Attendance attendance{roster_of("pump-1\npump-2\npump-3\n")};
  CHECK_FALSE(attendance.is_complete());
  attendance.look(desk.monitor().clients());
  CHECK(attendance.is_complete());
  CHECK(attendance.missing() == 2);

  std::uint64_t heard = desk.feed().next();
  const auto note = [&] {
    for (; heard < desk.feed().next(); ++heard) attendance.note(*desk.feed().find(heard));
  };
  const ConnId pump = desk.join("pump-2");
  desk.join("valve-1");
  note();
  CHECK(attendance.missing() == 1);
  const ConnId again = desk.join("pump-2");  // takes over
  note();
  CHECK(attendance.missing() == 1);
  CHECK(desk.monitor().clients().find(pump) == nullptr);
  desk.leave(again);
  note();
  CHECK(attendance.missing() == 2);
  attendance.look(desk.monitor().clients());
  CHECK(attendance.missing() == 2);
}

TEST_CASE("no turn looks for more names than a step") {
  std::string text;
  for (std::size_t at = 0; at <= kRosterStep; ++at) text += "c" + std::to_string(at) + "\n";
  Desk desk;
  Attendance attendance{roster_of(text)};
  attendance.look(desk.monitor().clients());
  CHECK_FALSE(attendance.is_complete());
  attendance.look(desk.monitor().clients());
  CHECK(attendance.is_complete());
}

TEST_CASE("an operator is answered who is missing, and who is not expected") {
  Desk desk;
  CHECK(member(desk.answer(R"({"command":"roster"})")[0], "code") == "no_roster");
  for (const char* const id : {"pump-1", "valve-1"}) desk.join(id);
  desk.beat(desk.connect());  // without an id
  desk.roster.emplace(roster_of("pump-1\npump-2\n"));
  desk.roster->look(desk.monitor().clients());
  CHECK(desk.answer(R"({"command":"roster"})") ==
        std::vector<std::string>{R"({"type":"missing","client":"pump-2"})",
                                 R"({"type":"done","count":1,"expected":2,"missing":1})"});
  CHECK(desk.answer(R"({"command":"roster","list":"unexpected"})") ==
        std::vector<std::string>{R"({"type":"unexpected","client":"valve-1"})",
                                 R"({"type":"done","count":1,"expected":2,"missing":1})"});
}
