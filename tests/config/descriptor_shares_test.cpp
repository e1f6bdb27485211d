#include "daemon/config/descriptor_shares.h"

#include <doctest/doctest.h>

using heartbeat::kDescriptorsKept;
using heartbeat::share_descriptors;
namespace limits = heartbeat::limits;

TEST_CASE("with descriptors to spare a thousand watchers and more have theirs") {
  const auto shares = share_descriptors(1'000'000, false);
  CHECK(shares.sessions == limits::kControlSessionsMax);
  CHECK(shares.clients == 1'000'000 - kDescriptorsKept - limits::kControlSessionsMax);
}

TEST_CASE("with few descriptors operators have one in eight") {
  const auto shares = share_descriptors(1024, false);
  CHECK(shares.sessions == 116);
  CHECK(shares.clients == 812);
}

TEST_CASE("with no more descriptors than the daemon's own, no share has any") {
  for (const std::size_t limit : {std::size_t{0}, std::size_t{1}, kDescriptorsKept}) {
    CHECK(share_descriptors(limit, false).clients == 0);
    CHECK(share_descriptors(limit, false).sessions == 0);
  }
  CHECK(share_descriptors(kDescriptorsKept + 1, false).clients == 1);
}

TEST_CASE("where there is HTTP, it has one in sixteen of few and its maximum of many") {
  const auto few = share_descriptors(1024, true);
  CHECK(few.http == 58);
  CHECK(few.clients == 754);
  CHECK(share_descriptors(1'000'000, true).http == limits::kHttpConnectionsMax + limits::kHttpClosingMax);
  CHECK(share_descriptors(1'000'000, false).http == 0);
}

TEST_CASE(
    "as many HTTP connections as there may be, and room for those that are about to be closed, and not one "
    "more") {
  const std::size_t most = limits::kHttpConnectionsMax + limits::kHttpClosingMax;
  const std::size_t enough = kDescriptorsKept + most * limits::kHttpConnectionsShare;
  CHECK(share_descriptors(enough - 1, true).http == most - 1);
  CHECK(share_descriptors(enough, true).http == most);
  CHECK(share_descriptors(enough + limits::kHttpConnectionsShare, true).http == most);
}
