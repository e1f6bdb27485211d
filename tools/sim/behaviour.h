// The ways in which a simulated client may behave, and how they are dealt out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace heartbeat::sim {

enum class Behaviour : std::uint8_t {
  Steady,    // beats on time; every second one never asks anything, as the article's client
  Flaky,     // loses 30 % of its beats
  Glued,     // several heartbeats in one write
  Dribble,   // a byte at a time
  Late,      // beats, is quiet for long enough to be led to leave, and beats again
  Silent,    // beats once
  Declared,  // beats, declares `leave`, and is quiet
  Goodbye,   // beats, and declares `close`
  Illegal,   // beats, and sends something that is not allowed
  Takeover,  // beats, and connects a second time with the same id
};
inline constexpr std::size_t kBehaviourCount = 10;

[[nodiscard]] std::string_view to_string(Behaviour behaviour);

// What it does and what that must lead to, in one line for --help.
[[nodiscard]] std::string_view explain(Behaviour behaviour);

// How many of each there are among as many clients as all shares together.
using Mix = std::array<std::uint32_t, kBehaviourCount>;

// Reads `steady=8,silent=1`: one share at least is not 0.  The error is a sentence that names the text.
[[nodiscard]] tl::expected<Mix, std::string> parse_mix(std::string_view text);

// Deals behaviours by their shares, as evenly mixed as they can be, the same each time.
class Dealer {
 public:
  explicit Dealer(const Mix& mix) : mix_(mix) {}
  [[nodiscard]] Behaviour next();

 private:
  Mix mix_;
  std::array<std::int64_t, kBehaviourCount> owed_{};
};

}  // namespace heartbeat::sim
