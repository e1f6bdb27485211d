#include "common/uv/machine.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <system_error>

namespace heartbeat::uv {

WallTime wall_time(Loop& loop) {
  constexpr std::uint64_t kNanosPerMilli = 1'000'000;
  const auto wall = std::chrono::floor<Millis>(std::chrono::system_clock::now());
  const Millis since_poll =
      Millis{static_cast<std::int64_t>(uv_hrtime() / kNanosPerMilli)} - loop.now().since_origin();
  return wall - since_poll;
}

namespace {

template <class Bits>
Bits random_bits() {
  Bits bits{};
  // Fails only where the system has no randomness at all.
  if (uv_random(nullptr, nullptr, bits.data(), sizeof bits, 0, nullptr) != 0) std::abort();
  return bits;
}

}  // namespace

HashKey random_key() {
  return random_bits<HashKey>();
}

std::string random_id() {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string id;
  for (const unsigned char byte : random_bits<std::array<unsigned char, 16>>()) {
    id += kDigits[byte >> 4U];
    id += kDigits[byte & 0xFU];
  }
  return id;
}

std::uint64_t memory_bytes() {
  std::size_t bytes = 0;
  return uv_resident_set_memory(&bytes) == 0 ? bytes : 0;
}

double processor_seconds() {
  constexpr double kMicrosPerSecond = 1e6;
  uv_rusage_t used{};
  if (uv_getrusage(&used) != 0) return 0;
  const auto seconds = [](const uv_timeval_t& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / kMicrosPerSecond;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

std::size_t count_descriptors() {
  std::error_code error;
  const std::filesystem::directory_iterator all{"/dev/fd", error};
  // One is that of the directory itself.
  return error ? 0 : static_cast<std::size_t>(std::distance(begin(all), end(all))) - 1;
}

std::string describe(int error) {
  return uv_strerror(error);
}

}  // namespace heartbeat::uv
