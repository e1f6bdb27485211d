#include <array>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/uio.h>

#include "common/os/descriptor_passing.h"

namespace heartbeat::os {
namespace {

// Room for the ancillary data of one message, aligned for its header.
struct alignas(cmsghdr) Control {
  std::array<char, CMSG_SPACE(kDescriptorsPerMessage * sizeof(int))> bytes;
};

}  // namespace

int send_descriptors(int socket, std::span<const int> descriptors) {
  char byte = 'd';  // a stream socket keeps no descriptors without a byte beside them
  iovec data{.iov_base = &byte, .iov_len = 1};
  Control control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 ? 0 : errno;
}

tl::expected<std::vector<Descriptor>, int> peek_descriptors(int socket) {
  // From the first byte on; each peek then moves the offset past what it saw.
  const int start = 0;
  if (setsockopt(socket, SOL_SOCKET, SO_PEEK_OFF, &start, sizeof start) != 0) return tl::unexpected(errno);
  std::vector<Descriptor> found;
  for (;;) {
    char byte = 0;
    iovec data{.iov_base = &byte, .iov_len = 1};
    Control control{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    const ssize_t size = recvmsg(socket, &message, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size == 0 || (size < 0 && errno == EAGAIN)) return found;
    if (size < 0) return tl::unexpected(errno);
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
      const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int descriptor = -1;
        std::memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof descriptor);
        found.emplace_back(descriptor);
      }
    }
    // The kernel leaves out the descriptors for which this process has no room.
    if ((message.msg_flags & MSG_CTRUNC) != 0) return tl::unexpected(EMFILE);
  }
}

}  // namespace heartbeat::os
