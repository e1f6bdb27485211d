#include "common/os/memory_file.h"

#include <cerrno>

#include <sys/stat.h>
#include <unistd.h>

#include "common/os/unnamed_file.h"
#include "common/write_all.h"

namespace heartbeat::os {

tl::expected<Descriptor, int> memory_file(std::string_view bytes) {
  auto file = unnamed_file();
  if (!file) return file;
  if (const int error = write_all(file->get(), bytes); error != 0) return tl::unexpected(error);
  if (const int error = seal(file->get()); error != 0) return tl::unexpected(error);
  return file;
}

tl::expected<std::string, int> read_memory_file(int descriptor, std::size_t size_max) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) return tl::unexpected(errno);
  if (!S_ISREG(status.st_mode)) return tl::unexpected(EINVAL);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > size_max) return tl::unexpected(EFBIG);
  std::string bytes(size, '\0');
  for (std::size_t got = 0; got < size;) {
    const ssize_t count = pread(descriptor, bytes.data() + got, size - got, static_cast<off_t>(got));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return tl::unexpected(count < 0 ? errno : EIO);
    got += static_cast<std::size_t>(count);
  }
  return bytes;
}

}  // namespace heartbeat::os
