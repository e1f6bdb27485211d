#include "daemon/io/memory_reserve.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <uv.h>

namespace heartbeat {
namespace {

// The reserve that a failed allocation draws on; null for none.  new and libuv ask a function that is told
// nothing.
MemoryReserve* in_force = nullptr;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

// NOLINTBEGIN(cppcoreguidelines-no-malloc): it stands where new and libuv allocate
MemoryReserve::MemoryReserve() : before_(std::set_new_handler(on_new_failed)) {
  assert(in_force == nullptr);
  in_force = this;
  // libuv says itself that it has no memory, in all places but one; so it need not know the reserve is not
  // its.
  uv_replace_allocator(
      [](std::size_t size) {
        void* const block = std::malloc(size);
        return block != nullptr || size == 0 || !lend() ? block : std::malloc(size);
      },
      [](void* block, std::size_t size) {
        void* const grown = std::realloc(block, size);
        return grown != nullptr || size == 0 || !lend() ? grown : std::realloc(block, size);
      },
      [](std::size_t count, std::size_t size) {
        void* const block = std::calloc(count, size);
        return block != nullptr || count * size == 0 || !lend() ? block : std::calloc(count, size);
      },
      std::free);
  lent_ = !fill();
}

MemoryReserve::~MemoryReserve() {
  give_back();
  in_force = nullptr;
  std::set_new_handler(before_);
}

void MemoryReserve::restore() {
  if (lent_ && fill()) lent_ = false;
}

void MemoryReserve::on_new_failed() {
  if (!lend()) throw std::bad_alloc{};
}

// Whether there was any.
bool MemoryReserve::lend() {
  if (in_force == nullptr || in_force->thread_ != std::this_thread::get_id() || in_force->lent_) return false;
  in_force->give_back();
  in_force->lent_ = true;
  ++in_force->times_lent_;
  return true;
}

// All of it or nothing.  It is written to, so that the machine really gives it.
bool MemoryReserve::fill() {
  for (void*& block : blocks_) {
    block = std::malloc(kBlock);
    if (block == nullptr) {
      give_back();
      return false;
    }
    std::memset(block, 1, kBlock);
  }
  return true;
}

void MemoryReserve::give_back() {
  for (void*& block : blocks_) std::free(std::exchange(block, nullptr));
}
// NOLINTEND(cppcoreguidelines-no-malloc)

}  // namespace heartbeat
