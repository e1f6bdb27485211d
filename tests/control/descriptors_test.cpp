#include "daemon/descriptors.h"

#include <doctest/doctest.h>

using heartbeat::share_descriptors;
namespace limits = heartbeat::limits;

TEST_CASE("with descriptors to spare a thousand watchers and more have theirs") {
  const auto shares = share_descriptors(1'000'000);
  CHECK(shares.sessions == limits::kControlSessionsMax);
  CHECK(shares.clients == 1'000'000 - limits::kDescriptorHeadroom - limits::kControlSessionsMax);
}

TEST_CASE("with few descriptors operators have one in eight") {
  const auto shares = share_descriptors(1024);
  CHECK(shares.sessions == 120);
  CHECK(shares.clients == 840);
}

TEST_CASE("with not more than our own there are none for anybody") {
  for (const std::size_t limit : {std::size_t{0}, std::size_t{1}, limits::kDescriptorHeadroom}) {
    CHECK(share_descriptors(limit).clients == 0);
    CHECK(share_descriptors(limit).sessions == 0);
  }
  CHECK(share_descriptors(limits::kDescriptorHeadroom + 1).clients == 1);
}
