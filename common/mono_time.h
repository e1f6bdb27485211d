// Instants and lengths of time, in whole milliseconds.
//
// There is deliberately no way to ask for *now* here: a function that needs an instant takes it as an
// argument. So every test states its own times, and the daemon's clock can stand still while the daemon is
// stopped.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>

namespace heartbeat {

using Millis = std::chrono::duration<std::int64_t, std::milli>;

// An instant on some monotonic clock: milliseconds since an unspecified origin.
class MonoTime {
 public:
  constexpr MonoTime() = default;
  constexpr explicit MonoTime(Millis since_origin) : since_origin_(since_origin) {}

  [[nodiscard]] constexpr Millis since_origin() const { return since_origin_; }

  // Later than every instant that can come: what a deadline that will never be due is set to.
  [[nodiscard]] static constexpr MonoTime never() {
    return MonoTime{Millis{std::numeric_limits<std::int64_t>::max()}};
  }

  // By the numbers: libc++ has no three-way comparison of durations before LLVM 17.
  friend constexpr auto operator<=>(MonoTime one, MonoTime other) {
    return one.since_origin_.count() <=> other.since_origin_.count();
  }
  friend constexpr bool operator==(MonoTime, MonoTime) = default;
  friend constexpr MonoTime operator+(MonoTime at, Millis by) { return MonoTime{at.since_origin_ + by}; }
  friend constexpr MonoTime operator-(MonoTime at, Millis by) { return MonoTime{at.since_origin_ - by}; }
  friend constexpr Millis operator-(MonoTime later, MonoTime earlier) {
    return later.since_origin_ - earlier.since_origin_;
  }
  constexpr MonoTime& operator+=(Millis by) {
    since_origin_ += by;
    return *this;
  }

 private:
  Millis since_origin_{0};
};

}  // namespace heartbeat
