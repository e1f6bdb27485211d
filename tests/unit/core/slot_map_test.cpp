#include "daemon/core/slot_map.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/unit/support/allocations.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

TEST_CASE("what is inserted is found by its id, and by its slot") {
  SlotMap<std::string> map;
  const ConnId one = map.insert("one");
  const ConnId two = map.insert("two");
  CHECK(*map.find(one) == "one");
  CHECK(*map.find(two) == "two");
  CHECK(map.at(two.slot) == map.find(two));
  CHECK(map.id_of(two.slot) == two);
  CHECK(map.size() == 2);
}

TEST_CASE("a slot is used again, under another name") {
  SlotMap<std::string> map;
  const ConnId first = map.insert("first");
  map.erase(first.slot);
  CHECK(map.find(first) == nullptr);
  CHECK(map.at(first.slot) == nullptr);
  const ConnId second = map.insert("second");
  CHECK(second.slot == first.slot);
  CHECK(second != first);
  CHECK(map.find(first) == nullptr);
  CHECK(*map.find(second) == "second");
  CHECK(map.slots() == 1);
}

TEST_CASE("nothing is found where nothing was ever put") {
  SlotMap<int> map;
  CHECK(map.find({0, 0}) == nullptr);
  CHECK(map.at(0) == nullptr);
  CHECK(map.find({1'000'000, 0}) == nullptr);
  CHECK(map.slots() == 0);
}

TEST_CASE("an object stays where it is while thousands come and go") {
  SlotMap<int> map;
  std::vector<std::pair<ConnId, const int*>> kept;
  for (int value = 0; value < 3000; ++value) {
    const ConnId id = map.insert(value);
    if (value % 3 == 0) {
      kept.emplace_back(id, map.find(id));
    } else {
      map.erase(id.slot);
    }
  }
  for (std::size_t at = 0; at < kept.size(); ++at) {
    REQUIRE(map.find(kept[at].first) == kept[at].second);
    REQUIRE(*kept[at].second == static_cast<int>(at) * 3);
  }
  CHECK(map.size() == kept.size());
}

TEST_CASE("a block whose last object is gone is given back") {
  constexpr int kBlocks = 4;
  SlotMap<int> map;
  // Once through, so that what is kept per slot has grown as far as it will.
  for (std::uint32_t value = 0; value < kBlocks * 256; ++value) static_cast<void>(map.insert(0));
  for (std::uint32_t slot = 0; slot < kBlocks * 256; ++slot) map.erase(slot);

  std::vector<std::uint32_t> slots(std::size_t{kBlocks} * 256);
  const auto empty = allocations_live();
  for (std::uint32_t& slot : slots) slot = map.insert(0).slot;
  const auto full = allocations_live();
  for (const std::uint32_t slot : slots) map.erase(slot);
  const auto empty_again = allocations_live();
  CHECK(full - empty == kBlocks);
  CHECK(empty_again == empty);
  CHECK(map.size() == 0);
}
