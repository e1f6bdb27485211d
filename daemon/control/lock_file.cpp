#include "daemon/control/lock_file.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace heartbeat {
namespace {

// Whether the file that is open is the one of that name.
bool is_still(int descriptor, const std::string& path) {
  struct stat opened {};
  struct stat named {};
  return fstat(descriptor, &opened) == 0 && lstat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

// The process that holds the lock has written its id into the file, or is about to.
std::string owner_in(int descriptor) {
  std::array<char, 16> text{};
  const ssize_t size = pread(descriptor, text.data(), text.size(), 0);
  int pid = 0;
  const bool known = size > 0 && std::from_chars(text.data(), text.data() + size, pid).ec == std::errc{};
  return known ? "another process listens there (pid " + std::to_string(pid) + ")"
               : "another process listens there";
}

// For people alone: nothing is lost where it cannot be written.
void write_owner(int descriptor) {
  const std::string pid = std::to_string(getpid()) + '\n';
  if (ftruncate(descriptor, 0) == 0) static_cast<void>(pwrite(descriptor, pid.data(), pid.size(), 0) == 0);
}

}  // namespace

LockFile::LockFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

LockFile::LockFile(LockFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

LockFile::~LockFile() {
  if (descriptor_ < 0) return;
  if (is_still(descriptor_, path_)) unlink(path_.c_str());
  close(descriptor_);
}

tl::expected<LockFile, std::string> LockFile::take(const std::string& path) {
  for (;;) {
    const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) return tl::unexpected(path + ": " + std::strerror(errno));
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      const std::string why =
          errno == EWOULDBLOCK ? owner_in(descriptor) : path + ": " + std::strerror(errno);
      close(descriptor);
      return tl::unexpected(why);
    }
    if (!is_still(descriptor, path)) {  // its owner has just ended
      close(descriptor);
      continue;
    }
    write_owner(descriptor);
    return LockFile{path, descriptor};
  }
}

}  // namespace heartbeat
