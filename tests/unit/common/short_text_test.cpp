#include "common/short_text.h"

#include <string>
#include <utility>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "tests/unit/support/allocations.h"
#include "tests/unit/support/property.h"

using namespace heartbeat;
using namespace heartbeat::test;

TEST_CASE("fifteen bytes are kept inside, and one more in a block") {
  ShortText text;
  const auto before = allocations_made();
  text = std::string_view{"fifteen letters"};
  CHECK(text.view() == "fifteen letters");
  CHECK(allocations_made() == before);
  text = std::string_view{"sixteen letters!"};
  CHECK(text.view() == "sixteen letters!");
  CHECK(allocations_made() == before + 1);
  text = std::string_view{"sixteen LETTERS!"};  // as long as the one before
  CHECK(allocations_made() == before + 1);
}

TEST_CASE("the longest IPv4 address with its port is a name that needs no block") {
  const auto before = allocations_made();
  const NameText name{"255.255.255.255:65535"};
  CHECK(name.view() == "255.255.255.255:65535");
  CHECK(allocations_made() == before);
}

TEST_CASE("no text leaves anything behind") {
  const auto live = allocations_live();
  {
    ShortText text;
    text = std::string_view{"a text that does not fit inside"};
    ShortText other{std::move(text)};
    other.clear();
    CHECK(other.empty());
    CHECK(allocations_live() == live);
    other = std::string_view{"another text that does not fit inside"};
  }
  CHECK(allocations_live() == live);
}

TEST_CASE("as long a text as there may be") {
  const std::string longest(ShortText::kMax, 'x');
  ShortText text;
  text = std::string_view{longest};
  CHECK(text.view() == longest);
}

TEST_CASE("it is whatever text it was set to last, wherever that was moved") {
  check_property(1000, [] {
    ShortText text;
    const auto count = *between(1, 20);
    for (int change = 0; change < count; ++change) {
      const std::string next(*between<std::size_t>(0, 40), static_cast<char>(*between<int>('a', 'z')));
      text = std::string_view{next};
      ShortText moved{std::move(text)};
      RC_ASSERT(moved.view() == next);
      RC_ASSERT(moved.empty() == next.empty());
      text = std::move(moved);
      RC_ASSERT(text.view() == next);
    }
  });
}
