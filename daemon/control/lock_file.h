// A file that one process at a time has locked; only that process may touch what the file stands for.
//
// The lock is the kernel's (flock), so that it ends with the process however that ends.  The file itself is
// removed at the end, by who has it locked; whoever waited for the lock of a file that was removed meanwhile
// has that of no file, and begins anew.  A file that a crashed process left behind is not locked, and
// used again.
#pragma once

#include <string>

#include <tl/expected.hpp>

namespace heartbeat {

class LockFile {
 public:
  // Locks the file, which is made with mode 0600 where it is missing.  The error is a sentence: who has it,
  // as far as that is known, or why it cannot be had.
  [[nodiscard]] static tl::expected<LockFile, std::string> take(const std::string& path);

  LockFile(LockFile&& other) noexcept;
  LockFile& operator=(LockFile&&) = delete;
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;
  ~LockFile();

 private:
  LockFile(std::string path, int descriptor);

  std::string path_;
  int descriptor_;  // -1: another one's by now
};

}  // namespace heartbeat
