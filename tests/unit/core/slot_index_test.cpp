#include "daemon/core/slot_index.h"

#include <algorithm>
#include <cstdint>
#include <map>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "daemon/core/sharded_slot_index.h"
#include "tests/unit/support/allocations.h"
#include "tests/unit/support/property.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

constexpr auto kAny = [](std::uint32_t) { return true; };

}  // namespace

TEST_CASE("an empty index finds nothing") {
  const SlotIndex index;
  CHECK(!index.find(0, kAny));
  CHECK(index.capacity() == 0);
}

TEST_CASE("of slots with one hash, the asker says which it is") {
  SlotIndex index;
  for (std::uint32_t slot = 0; slot < 5; ++slot) index.insert(77, slot);
  CHECK(index.find(77, [](std::uint32_t slot) { return slot == 3; }) == 3U);
  CHECK(!index.find(78, kAny));
  index.erase(77, 3);
  CHECK(!index.find(77, [](std::uint32_t slot) { return slot == 3; }));
  CHECK(index.find(77, [](std::uint32_t slot) { return slot == 4; }) == 4U);
}

TEST_CASE("it grows before it is full, and shrinks when it is nearly empty") {
  SlotIndex index;
  for (std::uint32_t slot = 0; slot < 10'000; ++slot) {
    index.insert(slot * 0x9E3779B1U, slot);
    CHECK(4 * index.size() <= 3 * index.capacity());
    if (slot > 100) CHECK(4 * index.size() > index.capacity());
  }
  for (std::uint32_t slot = 0; slot < 10'000; ++slot) index.erase(slot * 0x9E3779B1U, slot);
  CHECK(index.size() == 0);
  CHECK(index.capacity() < 32);
}

TEST_CASE("it finds exactly the slots that were put in and not taken out") {
  check_property(1000, [] {
    SlotIndex index;
    std::map<std::uint32_t, std::uint32_t> model;  // slot to hash
    const auto steps = *between(1, 200);
    // Few hashes, close upon one another at both ends of the range: crowds that reach round the table's end.
    const auto any_hash = [] {
      return *between<std::uint32_t>(0, 7) * 0x20000000U + *between<std::uint32_t>(0, 2);
    };
    for (int step = 0; step < steps; ++step) {
      const auto slot = *between<std::uint32_t>(0, 60);
      const auto known = model.find(slot);
      if (known == model.end()) {
        const std::uint32_t hash = any_hash();
        index.insert(hash, slot);
        model.emplace(slot, hash);
      } else {
        index.erase(known->second, slot);
        model.erase(known);
      }
      RC_ASSERT(index.size() == model.size());
      for (const auto& [there, hash] : model) {
        RC_ASSERT(index.find(hash, [&](std::uint32_t found) { return found == there; }) == there);
      }
      RC_ASSERT(!index.find(any_hash(), [&](std::uint32_t found) { return !model.contains(found); }));
    }
  });
}

TEST_CASE("with a reserve for so many, that many are put in without any memory, and one more asks for some") {
  SlotIndex index;
  index.reserve(1000);
  const std::uint64_t before = allocations_made();
  for (std::uint32_t slot = 0; slot < 1000; ++slot) index.insert(slot * 2'654'435'761U, slot);
  CHECK(allocations_made() == before);
  for (std::uint32_t slot = 1000; slot < 1100; ++slot) index.insert(slot * 2'654'435'761U, slot);
  CHECK(allocations_made() > before);
}

TEST_CASE("of very many slots, no insert and no erase moves more than a few in a hundred") {
  constexpr std::uint32_t kSlots = 100'000;
  constexpr std::uint32_t kSpread = 2'654'435'761U;
  ShardedSlotIndex index;
  std::size_t worst = 0;
  std::size_t before = 0;
  const auto note_change = [&] {
    const std::size_t now = index.capacity();
    worst = std::max(worst, std::max(now, before) - std::min(now, before));
    before = now;
  };
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    index.insert(slot * kSpread, slot);
    note_change();
  }
  for (std::uint32_t slot = 0; slot < kSlots; slot += 997) {
    CHECK(index.find(slot * kSpread, [&](std::uint32_t found) { return found == slot; }) == slot);
  }
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    index.erase(slot * kSpread, slot);
    note_change();
  }
  CHECK(worst < kSlots / 50);
  CHECK(index.capacity() <= 32 * ShardedSlotIndex::kShards);
}
