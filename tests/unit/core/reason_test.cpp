#include "daemon/core/reason.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

using heartbeat::facts_of;
using heartbeat::kReasons;
using heartbeat::Reason;
using heartbeat::ReasonFacts;
using heartbeat::Status;
using heartbeat::Transition;
using heartbeat::transition;

TEST_CASE("every reason has a word of its own, in small letters, and a sentence") {
  std::set<std::string_view> words;
  for (const ReasonFacts& facts : kReasons) {
    CAPTURE(facts.word);
    CHECK(words.insert(facts.word).second);
    CHECK(std::all_of(facts.word.begin(), facts.word.end(),
                      [](unsigned char c) { return std::islower(c) != 0 || c == '_'; }));
    CHECK(facts.sentence.find(' ') != std::string_view::npos);
    CHECK(facts.sentence.back() != '.');
    CHECK(&facts_of(facts.reason) == &facts);
  }
}

TEST_CASE("only a reason for a close ends a client, and only such a reason is a warning") {
  for (const ReasonFacts& facts : kReasons) {
    CAPTURE(facts.word);
    const bool ends = contains(facts.usual, Transition::Dies) || contains(facts.usual, Transition::Expires);
    if (ends) CHECK(facts.closes());
    if (facts.warns) CHECK(facts.closes());
    if (!facts.closes()) CHECK(facts.usual != Transition::None);
  }
}

TEST_CASE("each pair of statuses is one transition, or none") {
  CHECK(transition(Status::Alive, Status::Leave) == Transition::Leaves);
  CHECK(transition(Status::Leave, Status::Alive) == Transition::Returns);
  CHECK(transition(Status::Leave, Status::Close) == Transition::Expires);
  CHECK(transition(Status::Alive, Status::Close) == Transition::Dies);
  for (const Status status : {Status::Alive, Status::Leave, Status::Close}) {
    CHECK(transition(status, status) == Transition::None);
    CHECK(transition(Status::Close, status) == Transition::None);
  }
  // None is in no set, so that a walk over all pairs asks for a transition without looking at it first.
  CHECK_FALSE(contains(facts_of(Reason::Kicked).usual, Transition::None));
}
