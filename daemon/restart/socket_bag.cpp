#include "daemon/restart/socket_bag.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>

#include "common/os/descriptor_passing.h"

namespace heartbeat {
namespace {

struct Ends {
  Descriptor receiving{-1};
  Descriptor sending{-1};
};

tl::expected<Ends, int> make_bag() {
  int ends[2] = {-1, -1};  // NOLINT(cppcoreguidelines-avoid-c-arrays): socketpair()'s
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return tl::unexpected(errno);
  for (const int end : ends) fcntl(end, F_SETFD, FD_CLOEXEC);
  return Ends{Descriptor{ends[0]}, Descriptor{ends[1]}};
}

}  // namespace

// A bag that is full before it holds `per_bag` (a machine with a smaller buffer) is followed by another.
tl::expected<std::vector<Descriptor>, int> put_into_bags(std::span<const int> sockets, std::size_t per_bag) {
  std::vector<Descriptor> bags;
  while (!sockets.empty()) {
    auto bag = make_bag();
    if (!bag) return tl::unexpected(bag.error());
    std::size_t room = per_bag;
    while (!sockets.empty() && room > 0) {
      const auto message = sockets.first(std::min({sockets.size(), room, os::kDescriptorsPerMessage}));
      const int error = os::send_descriptors(bag->sending.get(), message);
      if (error == EAGAIN && room < per_bag) break;
      if (error != 0) return tl::unexpected(error);
      sockets = sockets.subspan(message.size());
      room -= message.size();
    }
    bags.push_back(std::move(bag->receiving));
  }
  return bags;
}

tl::expected<std::vector<Descriptor>, int> look_into_bag(int bag) {
  return os::peek_descriptors(bag);
}

}  // namespace heartbeat
