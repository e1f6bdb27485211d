// Memory kept back for the moment when an allocation fails: what is in hand then can still be finished.
//
// Where an allocation fails, by new or by libuv, the reserve is given back to the allocator and the
// allocation is tried again.  From then on it is lent, and its owner should ask for no more than it must
// (no new clients) until it could be had again.  An allocation that fails even so ends as it would have
// without: in std::bad_alloc.  libuv 1.44 has one such allocation that ends the process instead, the table of
// its descriptors.
//
// It is the thread's that made it: an allocation that fails on another thread draws nothing.
//
// At most one at a time.  The first has to be there before libuv allocates anything, and libuv keeps the way
// to it for good.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <thread>

#include "common/limits.h"

namespace heartbeat {

class MemoryReserve {
 public:
  MemoryReserve();
  ~MemoryReserve();
  MemoryReserve(const MemoryReserve&) = delete;
  MemoryReserve& operator=(const MemoryReserve&) = delete;
  MemoryReserve(MemoryReserve&&) = delete;
  MemoryReserve& operator=(MemoryReserve&&) = delete;

  // Some of it is in use, for want of other memory.
  [[nodiscard]] bool is_lent() const { return lent_; }
  // How often it was.
  [[nodiscard]] std::uint64_t times_lent() const { return times_lent_; }

  // Takes it back where that much can be had again.  To be called now and then while it is lent.
  void restore();

 private:
  // In blocks, so that it can be had again from memory in pieces.
  static constexpr std::size_t kBlock = std::size_t{64} * 1024;
  static constexpr std::size_t kBlocks = limits::kMemoryReserve / kBlock;

  static void on_new_failed();
  [[nodiscard]] static bool lend();
  bool fill();
  void give_back();

  std::array<void*, kBlocks> blocks_{};
  std::new_handler before_;
  std::thread::id thread_ = std::this_thread::get_id();
  bool lent_ = false;
  std::uint64_t times_lent_ = 0;
};

}  // namespace heartbeat
