#include "daemon/restart/socket_bag.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/socket.h>

#include "common/os/descriptor_passing.h"

namespace heartbeat {

int SocketBags::put(std::span<const int> sockets) {
  while (!sockets.empty()) {
    const bool is_full = bags_.empty() || messages_ == messages_max_;
    if (const int error = is_full ? add_bag() : 0; error != 0) return error;
    const auto message = sockets.first(std::min(sockets.size(), os::kDescriptorsPerMessage));
    int error = os::send_descriptors(sending_.get(), message);
    if (error == EAGAIN && messages_ > 0) {  // a machine with a smaller buffer
      error = add_bag();
      if (error == 0) error = os::send_descriptors(sending_.get(), message);
    }
    if (error != 0) return error;
    ++messages_;
    size_ += message.size();
    sockets = sockets.subspan(message.size());
  }
  return 0;
}

int SocketBags::add_bag() {
  int ends[2] = {-1, -1};  // NOLINT(cppcoreguidelines-avoid-c-arrays): socketpair()'s
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return errno;
  for (const int end : ends) fcntl(end, F_SETFD, FD_CLOEXEC);
  sending_ = Descriptor{ends[1]};
  bags_.emplace_back(ends[0]);
  messages_ = 0;
  return 0;
}

tl::expected<std::vector<Descriptor>, int> look_into_bag(int bag) {
  return os::peek_descriptors(bag);
}

}  // namespace heartbeat
