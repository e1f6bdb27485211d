#include "daemon/core/group.h"

#include <doctest/doctest.h>

using namespace heartbeat;

namespace {

NamePattern pattern(const std::string& text) {
  return {.text = text, .glob = *Glob::compile(text)};
}

Endpoint listener(std::uint16_t port) {
  return {.address = {127, 0, 0, 1}, .port = port};
}

}  // namespace

TEST_CASE("a client is in a group if it meets each condition that the group has") {
  const Endpoint here = listener(14000);
  const Endpoint there = listener(14001);
  const Group group{.name = "sensors",
                    .ids = {pattern("probe-*"), pattern("meter-*")},
                    .credentials = {pattern("plant")},
                    .listeners = {there}};
  CHECK(group.matches({.id = "probe-1", .credential = "plant", .listener = &there, .named = {}}));
  CHECK(group.matches({.id = "meter-1", .credential = "plant", .listener = &there, .named = {}}));
  CHECK_FALSE(group.matches({.id = "pump-1", .credential = "plant", .listener = &there, .named = {}}));
  CHECK_FALSE(group.matches({.id = {}, .credential = "plant", .listener = &there, .named = {}}));
  CHECK_FALSE(group.matches({.id = "probe-1", .credential = "field", .listener = &there, .named = {}}));
  CHECK_FALSE(group.matches({.id = "probe-1", .credential = {}, .listener = &there, .named = {}}));
  CHECK_FALSE(group.matches({.id = "probe-1", .credential = "plant", .listener = &here, .named = {}}));
  CHECK_FALSE(group.matches({.id = "probe-1", .credential = "plant", .listener = nullptr, .named = {}}));
}

TEST_CASE("a pattern for ids matches no client without an id, not even a star") {
  const Group group{.name = "all", .ids = {pattern("*")}};
  CHECK(group.matches({.id = "a", .credential = {}, .listener = nullptr, .named = {}}));
  CHECK_FALSE(group.matches({}));
}

TEST_CASE("a group by name is for the clients that name it, and for these only if they meet the rest") {
  const Group group{.name = "sensors", .ids = {pattern("probe-*")}, .by_name = true};
  CHECK(group.matches({.id = "probe-1", .credential = {}, .listener = nullptr, .named = "sensors"}));
  CHECK_FALSE(group.matches({.id = "probe-1", .credential = {}, .listener = nullptr, .named = {}}));
  CHECK_FALSE(group.matches({.id = "probe-1", .credential = {}, .listener = nullptr, .named = "pumps"}));
  CHECK_FALSE(group.matches({.id = "pump-1", .credential = {}, .listener = nullptr, .named = "sensors"}));
}

TEST_CASE("the first group that matches is the client's; no group, and a number beyond the list, is none") {
  const GroupList groups{
      {{.name = "one", .ids = {pattern("probe-1")}}, {.name = "all", .ids = {pattern("probe-*")}}}};
  CHECK(groups.match({.id = "probe-1", .credential = {}, .listener = nullptr, .named = {}}) == 1);
  CHECK(groups.match({.id = "probe-2", .credential = {}, .listener = nullptr, .named = {}}) == 2);
  CHECK(groups.match({.id = "pump-1", .credential = {}, .listener = nullptr, .named = {}}) == kNoGroup);
  CHECK(groups.number_of("all") == 2);
  CHECK(groups.number_of("none") == kNoGroup);
  CHECK(groups.find(kNoGroup) == nullptr);
  REQUIRE(groups.find(2) != nullptr);
  CHECK(groups.find(2)->name == "all");
  CHECK(groups.find(3) == nullptr);
  CHECK(GroupList{}.find(1) == nullptr);
  CHECK(GroupList{}.match({}) == kNoGroup);
}

TEST_CASE("lists are equal if their groups are, whatever they share") {
  const auto list = [](Millis tick) {
    return GroupList{{{.name = "one", .ids = {pattern("a*")}, .rule = {.tick = tick}}}};
  };
  CHECK(list(Millis{1000}) == list(Millis{1000}));
  CHECK_FALSE(list(Millis{1000}) == list(Millis{2000}));
  CHECK_FALSE(list(Millis{1000}) == GroupList{});
  CHECK(GroupList{} == GroupList{});
}
