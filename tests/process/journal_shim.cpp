// Preloaded into the daemon: a disk that is full, broken or hanging when a test says so.
//
// The order is in a file that the test and the daemon map: 0 a disk that works, 1 no space is left, 2 an I/O
// error, 3 every write hangs until the order changes.  The event journal is all that the daemon writes by
// pwrite().
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <ctime>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

std::atomic<std::int64_t>* order = nullptr;

[[gnu::constructor]] void map_order() {
  const char* const path = std::getenv("JOURNAL_SHIM");
  const int file = path == nullptr ? -1 : open(path, O_RDWR | O_CLOEXEC);  // NOLINT
  if (file < 0) return;
  void* const memory = mmap(nullptr, sizeof(*order), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (memory != MAP_FAILED) order = static_cast<std::atomic<std::int64_t>*>(memory);
}

ssize_t write_as_ordered(int file, const void* bytes, std::size_t size, off_t at) {
  while (order != nullptr && *order == 3) {
    const timespec moment{.tv_sec = 0, .tv_nsec = 2'000'000};
    nanosleep(&moment, nullptr);
  }
  if (order != nullptr && *order != 0) {
    // A disk that fills up takes a part first.
    if (size > 1) static_cast<void>(syscall(SYS_pwrite64, file, bytes, size / 2, at));
    errno = *order == 1 ? ENOSPC : EIO;
    return -1;
  }
  return syscall(SYS_pwrite64, file, bytes, size, at);  // NOLINT
}

}  // namespace

extern "C" ssize_t pwrite(int file, const void* bytes, std::size_t size, off_t at) {
  return write_as_ordered(file, bytes, size, at);
}

extern "C" ssize_t pwrite64(int file, const void* bytes, std::size_t size, off_t at) {
  return write_as_ordered(file, bytes, size, at);
}
