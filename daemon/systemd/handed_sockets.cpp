#include "daemon/systemd/handed_sockets.h"

#include <sys/socket.h>

#include "common/text.h"
#include "daemon/systemd/libsystemd.h"

namespace heartbeat {
namespace {

constexpr std::string_view kControlName = "control";

// An option of the socket at SOL_SOCKET; -1 where it has none, or is no socket.
int option(int descriptor, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  return getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

// SO_ACCEPTCONN is 1 on Linux; on macOS and the BSDs it is another number above 0.
bool is_listening_stream(int descriptor) {
  return option(descriptor, SO_TYPE) == SOCK_STREAM && option(descriptor, SO_ACCEPTCONN) > 0;
}

// The address family of a socket: AF_INET, AF_UNIX ...
int family(int descriptor) {
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  return getsockname(descriptor, reinterpret_cast<sockaddr*>(&own), &size) == 0 ? own.ss_family : AF_UNSPEC;
}

bool is_tcp(int descriptor) {
  return family(descriptor) == AF_INET || family(descriptor) == AF_INET6;
}

}  // namespace

std::vector<int>* HandedSockets::kept_under(std::string_view name) {
  if (name.starts_with(kKeptState)) return &kept_states;
  if (name.starts_with(kKeptBag)) return &kept_bags;
  if (name.starts_with(kKeptSocket)) return &kept_sockets;
  return nullptr;
}

tl::expected<HandedSockets, std::string> take_handed_sockets() {
  HandedSockets sockets;
  for (const auto& [descriptor, name] : libsystemd::take_descriptors()) {
    const auto refuse = [&name = name](const std::string& why) {
      return tl::unexpected("the service manager handed over a socket named " + log_value(name) + " that " +
                            why);
    };
    if (std::vector<int>* const kept = sockets.kept_under(name)) {
      kept->push_back(descriptor);
      sockets.kept_names.push_back(name);
      continue;
    }
    if (!is_listening_stream(descriptor)) return refuse("is not a listening stream socket");
    if (name == kControlName) {
      if (family(descriptor) != AF_UNIX) return refuse("is not a Unix socket");
      if (sockets.control) return refuse("is the second of that name");
      sockets.control = descriptor;
    } else {
      if (!is_tcp(descriptor)) return refuse("is not a TCP socket (a Unix socket must be named 'control')");
      sockets.clients.push_back(descriptor);
    }
  }
  return sockets;
}

}  // namespace heartbeat
