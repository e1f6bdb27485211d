// Preloaded into the daemon: a malloc() that fails when a test says so.
//
// The order is in a file that the test and the daemon map: of the allocations whose size is in a range, let
// the first `skip` pass, and fail the next `left`.
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

extern "C" void* __libc_malloc(std::size_t size);  // NOLINT(clang-diagnostic-reserved-identifier): glibc

namespace {

struct Order {
  std::atomic<std::int64_t> least;  // bytes
  std::atomic<std::int64_t> most;
  std::atomic<std::int64_t> skip;
  std::atomic<std::int64_t> left;
  std::atomic<std::int64_t> failed;
};

Order* order = nullptr;

// Before main(), so that malloc() itself has nothing to set up.
[[gnu::constructor]] void map_order() {
  const char* const path = std::getenv("MEMORY_SHIM");
  const int file = path == nullptr ? -1 : open(path, O_RDWR | O_CLOEXEC);  // NOLINT
  if (file < 0) return;
  void* const memory = mmap(nullptr, sizeof(Order), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (memory != MAP_FAILED) order = static_cast<Order*>(memory);
}

bool fails(std::size_t size) {
  if (order == nullptr || order->left <= 0) return false;
  const auto bytes = static_cast<std::int64_t>(size);
  if (bytes < order->least || bytes > order->most) return false;
  if (order->skip > 0) {
    --order->skip;
    return false;
  }
  --order->left;
  ++order->failed;
  return true;
}

}  // namespace

extern "C" void* malloc(std::size_t size) noexcept {
  if (!fails(size)) return __libc_malloc(size);
  errno = ENOMEM;
  return nullptr;
}
