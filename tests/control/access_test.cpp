#include "daemon/control/access.h"

#include <array>
#include <cstdint>

#include <doctest/doctest.h>

using namespace heartbeat;

TEST_CASE("without a group of readers, whoever can connect may do everything") {
  CHECK(rights_of({.user = 7, .group = 8}, 1000, {}) == Rights::All);
}

TEST_CASE("with a group of readers, its members may read, and only the daemon's own may do everything") {
  const ControlAccess access{.readers = 30, .user = 7, .group = 8};
  const std::array<std::uint32_t, 2> reader{100, 30};
  const std::array<std::uint32_t, 2> both{8, 30};
  const std::array<std::uint32_t, 2> stranger{100, 29};
  CHECK(rights_of(access, 1000, reader) == Rights::Read);
  CHECK(rights_of(access, 1000, both) == Rights::All);
  CHECK(rights_of(access, 1000, stranger) == Rights::None);
  CHECK(rights_of(access, 1000, {}) == Rights::None);
  CHECK(rights_of(access, 7, stranger) == Rights::All);
  CHECK(rights_of(access, 0, stranger) == Rights::All);
}
