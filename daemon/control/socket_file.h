// A listening Unix socket by its name in the file system: claimed at the start, given up at the end.
//
// The name is ours only if no process answers there; and what is removed at the end is only what was made
// here. From the claim to the end a file beside it, `NAME.lock`, is locked: of two that start at one moment
// and find a stale socket, both would otherwise remove it, and the later one the new socket of the other.
#pragma once

#include <string>

#include <sys/types.h>
#include <tl/expected.hpp>

#include "common/descriptor.h"
#include "daemon/control/lock_file.h"

namespace heartbeat {

class SocketFile {
 public:
  // Binds a socket of mode 0660 to the path.  Its directory is made where only that one is missing.  A socket
  // that no process listens on any more is replaced; one that a living process listens on, or anything else
  // of that name, is left alone and refused.  The error is a sentence that names the path.
  [[nodiscard]] static tl::expected<SocketFile, std::string> claim(const std::string& path);

  // The name of a socket that another process bound to the path, and whose descriptor this one has.  The
  // error is a sentence that names the path.
  [[nodiscard]] static tl::expected<SocketFile, std::string> adopt(const std::string& path);

  SocketFile(SocketFile&& other) noexcept;
  SocketFile& operator=(SocketFile&&) = delete;
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;
  // Removes the name, unless another process has taken it.
  ~SocketFile();

  [[nodiscard]] const std::string& path() const { return path_; }

  // Whether every user of the machine can connect (mode 0666), or only its own and its group (0660).
  void open_to_all(bool open) const;

  // From here on the name is another process's, which adopts it.
  void leave() { path_.clear(); }

  // The bound socket, which belongs to the caller from then on.
  [[nodiscard]] int take_descriptor();

 private:
  SocketFile(std::string path, Descriptor socket, LockFile lock);

  LockFile lock_;      // until the name is removed
  std::string path_;   // empty: nothing to remove
  Descriptor socket_;  // negative: taken
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace heartbeat
