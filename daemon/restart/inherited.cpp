#include "daemon/restart/inherited.h"

#include <charconv>
#include <string_view>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/os/socket.h"

namespace heartbeat {
namespace {

// The numbers of all open descriptors of this process.
std::vector<int> open_descriptors() {
  std::vector<int> open;
  DIR* const directory = opendir("/dev/fd");
  if (directory == nullptr) return open;
  while (const dirent* const entry = readdir(directory)) {
    const std::string_view name{static_cast<const char*>(entry->d_name)};
    int number = -1;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc{} && number != dirfd(directory)) open.push_back(number);
  }
  closedir(directory);
  return open;
}

// SO_ACCEPTCONN is 1 on Linux; on macOS and the BSDs it is another number above 0.
bool accepts_connections(int socket) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value > 0;
}

bool is_connected_tcp(int socket) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return false;
  if (peer.ss_family != AF_INET && peer.ss_family != AF_INET6) return false;
  pollfd asked{.fd = socket, .events = 0, .revents = 0};
  return ::poll(&asked, 1, 0) == 0;  // a connection that was shut down hangs up
}

}  // namespace

InheritedSockets InheritedSockets::after_exec() {
  InheritedSockets inherited;
  for (const int number : open_descriptors()) {
    if (number <= STDERR_FILENO || (fcntl(number, F_GETFD) & FD_CLOEXEC) != 0) continue;
    if (os::socket_cookie(number) != 0) inherited.add(Descriptor{number});
  }
  return inherited;
}

void InheritedSockets::add(Descriptor socket) {
  fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
  const Handover::Cookie cookie = os::socket_cookie(socket.get());
  sockets_.emplace(cookie, std::move(socket));
}

Descriptor InheritedSockets::take(Handover::Cookie cookie) {
  const auto at = sockets_.find(cookie);
  if (at == sockets_.end()) return Descriptor{-1};
  Descriptor socket = std::move(at->second);
  sockets_.erase(at);
  return socket;
}

std::vector<int> InheritedSockets::listening() const {
  std::vector<int> numbers;
  for (const auto& [cookie, socket] : sockets_) {
    if (accepts_connections(socket.get())) numbers.push_back(socket.get());
  }
  return numbers;
}

std::vector<Descriptor> InheritedSockets::take_connections() {
  std::vector<Descriptor> connections;
  for (auto& [cookie, socket] : sockets_) {
    if (is_connected_tcp(socket.get())) connections.push_back(std::move(socket));
  }
  sockets_.clear();
  return connections;
}

}  // namespace heartbeat
