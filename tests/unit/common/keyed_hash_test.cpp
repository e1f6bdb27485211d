#include "common/keyed_hash.h"

#include <set>
#include <string>

#include <doctest/doctest.h>

using namespace heartbeat;

namespace {

constexpr HashKey kKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};

// The bytes 0, 1, 2 …: what the authors' own examples are made of.
std::string counting(std::size_t size) {
  std::string bytes;
  for (std::size_t byte = 0; byte < size; ++byte) bytes.push_back(static_cast<char>(byte));
  return bytes;
}

}  // namespace

TEST_CASE("the hash is SipHash-2-4: its authors' examples") {
  CHECK(keyed_hash(kKey, counting(0)) == 0x726fdb47dd0e0e31);
  CHECK(keyed_hash(kKey, counting(1)) == 0x74f839c593dc67fd);
  CHECK(keyed_hash(kKey, counting(15)) == 0xa129ca6149be45e5);
}

TEST_CASE("under another key the same names fall elsewhere") {
  std::set<std::uint64_t> hashes;
  for (std::uint64_t key = 0; key < 1000; ++key) hashes.insert(keyed_hash({key, 0}, "pump-7") % 16);
  CHECK(hashes.size() == 16);
}
