#include "common/keyed_hash.h"

#include <bit>
#include <cstddef>
#include <cstring>

namespace heartbeat {
namespace {

// The state of the hash, under the names that its authors gave.
struct SipHashState {
  std::uint64_t v0;
  std::uint64_t v1;
  std::uint64_t v2;
  std::uint64_t v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  void take(std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
};

constexpr std::size_t kWord = sizeof(std::uint64_t);

// Up to eight bytes, the first of them lowest.
std::uint64_t word_of(std::string_view bytes) {
  std::uint64_t word = 0;
  if (std::endian::native == std::endian::little && bytes.size() == kWord) {
    std::memcpy(&word, bytes.data(), kWord);
    return word;
  }
  for (std::size_t at = bytes.size(); at-- > 0;) word = word << 8U | static_cast<std::uint8_t>(bytes[at]);
  return word;
}

}  // namespace

std::uint64_t keyed_hash(const HashKey& key, std::string_view bytes) {
  // "somepseudorandomlygeneratedbytes", as the definition wants it.
  SipHashState state{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
                     key[1] ^ 0x7465646279746573};
  std::string_view rest = bytes;
  for (; rest.size() >= kWord; rest.remove_prefix(kWord)) state.take(word_of(rest.substr(0, kWord)));
  state.take(std::uint64_t{bytes.size()} << 56U | word_of(rest));
  state.v2 ^= 0xFF;
  for (int round = 0; round < 4; ++round) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace heartbeat
