// The servers that a heartbeat's cost is compared with: they accept, read and discard, and count what came.
//
// Their counters lie in memory that is shared with the program that started them, so that reading them costs
// them nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace heartbeat::bench {

struct ReferenceCounters {
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> closed{0};
  std::atomic<std::uint64_t> bytes{0};
};

// One thread writes, so no read-modify-write of the processor is needed.
inline void count(std::atomic<std::uint64_t>& counter, std::uint64_t more) {
  counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

// What the one on epoll does beyond reading.
enum class Manner : std::uint8_t {
  Plain,
  Pausing,    // rests between two turns, by the daemon's own rule (daemon/core/pacing.h)
  Answering,  // answers each read with two bytes
};

// Serve what connects to the socket, which listens already, until they are killed.  The least that a program
// on epoll, and one on libuv, can do.
[[noreturn]] void serve_with_epoll(int listener, ReferenceCounters& counters, Manner manner);
[[noreturn]] void serve_with_libuv(int listener, ReferenceCounters& into);

}  // namespace heartbeat::bench
