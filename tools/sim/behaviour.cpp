#include "tools/sim/behaviour.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>

namespace heartbeat::sim {
namespace {

struct Words {
  std::string_view name;
  std::string_view explanation;
};

// In the order of the enumeration.
constexpr std::array<Words, kBehaviourCount> kWords{{
    {"steady", "beats on time: stays alive; every second one never asks, and must never be sent a byte"},
    {"flaky", "loses 30 % of its beats at random: must not be kicked"},
    {"glued", "three heartbeats in one write: stays alive, and each is answered"},
    {"dribble", "heartbeats a byte at a time: stays alive, and each is answered"},
    {"late", "is quiet until it is in leave, then beats again: must return to alive"},
    {"silent", "beats once: must be led to leave, and kicked as silent"},
    {"declared", "declares leave, then nothing: in leave at once, and kicked as away"},
    {"goodbye", "declares close: must be closed at once, as goodbye"},
    {"illegal", "sends bad input, of eight kinds in turn: must be closed for it, at once and alone"},
    {"takeover", "connects twice with one id: the first connection is superseded, the second stays alive"},
}};
static_assert(static_cast<std::size_t>(Behaviour::Takeover) + 1 == kBehaviourCount);

// Enough to say one in a million, and far from overflow.
constexpr std::uint32_t kShareMax = 1'000'000;

std::optional<std::size_t> index_of(std::string_view name) {
  for (std::size_t index = 0; index < kBehaviourCount; ++index) {
    if (kWords.at(index).name == name) return index;
  }
  return {};
}

std::string quoted(std::string_view text) {
  return "'" + std::string{text} + "'";
}

tl::expected<void, std::string> read_share(std::string_view text, Mix& mix) {
  const std::size_t equals = text.find('=');
  const auto index = index_of(text.substr(0, equals));
  if (!index) {
    std::string known;
    for (const Words& words : kWords) known.append(known.empty() ? "" : ", ").append(words.name);
    return tl::unexpected(quoted(text.substr(0, equals)) + " is not a behaviour (use " + known + ")");
  }
  const std::string_view digits = equals == std::string_view::npos ? "" : text.substr(equals + 1);
  std::uint32_t share = 0;
  const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), share);
  if (error != std::errc{} || rest != digits.data() + digits.size() || share > kShareMax) {
    return tl::unexpected(quoted(text) + " has no share from 0 to " + std::to_string(kShareMax) +
                          " (write it like steady=8)");
  }
  mix.at(*index) = share;
  return {};
}

}  // namespace

std::string_view to_string(Behaviour behaviour) {
  return kWords.at(static_cast<std::size_t>(behaviour)).name;
}

std::string_view explain(Behaviour behaviour) {
  return kWords.at(static_cast<std::size_t>(behaviour)).explanation;
}

tl::expected<Mix, std::string> parse_mix(std::string_view text) {
  Mix mix{};
  for (std::string_view rest = text;;) {
    const std::size_t comma = rest.find(',');
    if (const auto read = read_share(rest.substr(0, comma), mix); !read) return tl::unexpected(read.error());
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (std::all_of(mix.begin(), mix.end(), [](std::uint32_t share) { return share == 0; })) {
    return tl::unexpected(quoted(text) + " leaves no client to simulate");
  }
  return mix;
}

// In each turn every behaviour earns its share, and the one with the largest credit is dealt and pays a whole
// round.
Behaviour Dealer::next() {
  const auto round = std::accumulate(mix_.begin(), mix_.end(), std::int64_t{0});
  for (std::size_t index = 0; index < kBehaviourCount; ++index) owed_.at(index) += mix_.at(index);
  auto* const most = std::max_element(owed_.begin(), owed_.end());
  *most -= round;
  return static_cast<Behaviour>(most - owed_.begin());
}

}  // namespace heartbeat::sim
