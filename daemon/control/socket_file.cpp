#include "daemon/control/socket_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/os/socket.h"

namespace heartbeat {
namespace {

// The mode of the socket: what is not taken away here.
constexpr mode_t kModeMask = 0117;

std::string sentence(const std::string& path, const std::string& why) {
  return "control socket " + path + ": " + why;
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), std::begin(address.sun_path));
  return address;
}

// 0, or the error.
int bind_to(const Descriptor& socket, const sockaddr_un& address) {
  // In one step: a chmod() afterwards would leave a moment in which the mode is another.
  const mode_t before = umask(kModeMask);
  const int bound = bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = bound == 0 ? 0 : errno;
  umask(before);
  return error;
}

// Why the name cannot be taken from its owner; empty when it can.
std::string owner_of(const std::string& path, const sockaddr_un& address) {
  struct stat file {};
  if (lstat(path.c_str(), &file) != 0) return errno == ENOENT ? "" : std::strerror(errno);
  if (!S_ISSOCK(file.st_mode)) return "something that is not a socket has that name";

  const auto socket = os::stream_socket(AF_UNIX);
  if (!socket) return std::strerror(socket.error());
  const int connected = connect(socket->get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = connected == 0 ? 0 : errno;
  if (error == ECONNREFUSED || error == ENOENT) return "";
  // EAGAIN: a process listens, and its queue of connections is full.
  if (error == 0 || error == EAGAIN) return "another process listens there";
  return std::strerror(error);
}

// Only the last part of the way: where more than that is missing, the path was mistyped.
void make_directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash != std::string::npos && slash > 0) mkdir(path.substr(0, slash).c_str(), 0755);
}

}  // namespace

SocketFile::SocketFile(std::string path, Descriptor socket, LockFile lock)
    : lock_(std::move(lock)), path_(std::move(path)), socket_(std::move(socket)) {
  struct stat file {};
  if (lstat(path_.c_str(), &file) != 0) return;
  device_ = file.st_dev;
  inode_ = file.st_ino;
}

SocketFile::SocketFile(SocketFile&& other) noexcept
    : lock_(std::move(other.lock_)),
      path_(std::exchange(other.path_, {})),
      socket_(std::move(other.socket_)),
      device_(other.device_),
      inode_(other.inode_) {}

SocketFile::~SocketFile() {
  if (path_.empty()) return;
  struct stat file {};
  const bool there = lstat(path_.c_str(), &file) == 0;
  if (there && file.st_dev == device_ && file.st_ino == inode_) unlink(path_.c_str());
}

tl::expected<SocketFile, std::string> SocketFile::claim(const std::string& path) {
  // One byte is for the NUL at the end.
  constexpr std::size_t kPathMax = sizeof(sockaddr_un::sun_path) - 1;
  if (path.empty() || path.size() > kPathMax) {
    return tl::unexpected(sentence(path, "a path is 1 to " + std::to_string(kPathMax) + " bytes long"));
  }
  const sockaddr_un address = address_of(path);
  make_directory_of(path);
  auto lock = LockFile::take(path + ".lock");
  if (!lock) return tl::unexpected(sentence(path, lock.error()));
  auto socket = os::stream_socket(AF_UNIX);
  if (!socket) return tl::unexpected(sentence(path, std::strerror(socket.error())));

  int error = bind_to(*socket, address);
  if (error == EADDRINUSE) {
    if (const std::string owner = owner_of(path, address); !owner.empty()) {
      return tl::unexpected(sentence(path, owner));
    }
    unlink(path.c_str());
    error = bind_to(*socket, address);
  }
  if (error != 0) return tl::unexpected(sentence(path, std::strerror(error)));
  return SocketFile{path, std::move(*socket), std::move(*lock)};
}

tl::expected<SocketFile, std::string> SocketFile::adopt(const std::string& path) {
  struct stat file {};
  if (lstat(path.c_str(), &file) != 0) return tl::unexpected(sentence(path, std::strerror(errno)));
  if (!S_ISSOCK(file.st_mode)) {
    return tl::unexpected(sentence(path, "something that is not a socket has that name"));
  }
  auto lock = LockFile::take(path + ".lock");
  if (!lock) return tl::unexpected(sentence(path, lock.error()));
  return SocketFile{path, Descriptor{-1}, std::move(*lock)};
}

// Fails only where the file is not ours, and is then as it was.
void SocketFile::open_to_all(bool open) const {
  static_cast<void>(chmod(path_.c_str(), open ? 0666 : 0660));
}

int SocketFile::take_descriptor() {
  return socket_.release();
}

}  // namespace heartbeat
