#include "daemon/io/memory_reserve.h"

#include <memory>
#include <string>

#include <doctest/doctest.h>

#include "tests/unit/support/allocations.h"

using namespace heartbeat;
using namespace heartbeat::test;

TEST_CASE("an allocation that fails gets what was kept back, and that is taken again when it can be had") {
  MemoryReserve reserve;
  CHECK_FALSE(reserve.is_lent());
  std::unique_ptr<std::string> got;
  {
    FailingAllocations failing{1, Fail::Once};
    failing.cover([&] { got = std::make_unique<std::string>(); });
  }
  CHECK(got != nullptr);
  CHECK(reserve.is_lent());
  CHECK(reserve.times_lent() == 1);
  reserve.restore();
  CHECK_FALSE(reserve.is_lent());
  reserve.restore();  // it is whole already
  CHECK(reserve.times_lent() == 1);
}

TEST_CASE("what is kept back is as much as said, and all of it is given back at once") {
  const auto before = allocations_live();
  {
    const MemoryReserve reserve;
    CHECK(allocations_live() - before == static_cast<std::int64_t>(limits::kMemoryReserve / 65'536));
  }
  CHECK(allocations_live() == before);

  MemoryReserve reserve;
  std::unique_ptr<int> got;
  const auto held = allocations_live();
  {
    FailingAllocations failing{1, Fail::Once};
    failing.cover([&] { got = std::make_unique<int>(); });
  }
  CHECK(allocations_live() == held + 1 - static_cast<std::int64_t>(limits::kMemoryReserve / 65'536));
}

TEST_CASE("where there is no memory even so, an allocation fails as ever") {
  MemoryReserve reserve;
  bool threw = false;
  {
    FailingAllocations failing{1, Fail::FromThereOn};
    failing.cover([&] {
      try {
        const std::string text(100, 'x');
      } catch (const std::bad_alloc&) {
        threw = true;
      }
      reserve.restore();  // nor can it be had again
    });
  }
  CHECK(threw);
  CHECK(reserve.is_lent());
  CHECK(reserve.times_lent() == 1);
}
