#include <array>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/uio.h>

#include "common/os/descriptor_passing.h"

namespace heartbeat::os {
namespace {

// One message of one byte, with room for the descriptors beside it; a stream socket keeps none without a
// byte. The header points into the object, which therefore stays where it is.
class Message {
 public:
  explicit Message(std::size_t descriptors) {
    header_.msg_iov = &data_;
    header_.msg_iovlen = 1;
    header_.msg_control = control_.data();
    header_.msg_controllen = CMSG_SPACE(descriptors * sizeof(int));
  }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  Message(Message&&) = delete;
  Message& operator=(Message&&) = delete;
  ~Message() = default;

  [[nodiscard]] msghdr& header() { return header_; }

 private:
  char byte_ = 'd';
  iovec data_{.iov_base = &byte_, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kDescriptorsPerMessage * sizeof(int))> control_{};
  msghdr header_{};
};

}  // namespace

int send_descriptors(int socket, std::span<const int> descriptors) {
  Message message{descriptors.size()};
  cmsghdr* const header = CMSG_FIRSTHDR(&message.header());
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  return sendmsg(socket, &message.header(), MSG_DONTWAIT | MSG_NOSIGNAL) == 1 ? 0 : errno;
}

tl::expected<std::vector<Descriptor>, int> peek_descriptors(int socket) {
  // From the first byte on; each peek then moves the offset past what it saw.
  const int start = 0;
  if (setsockopt(socket, SOL_SOCKET, SO_PEEK_OFF, &start, sizeof start) != 0) return tl::unexpected(errno);
  std::vector<Descriptor> found;
  for (;;) {
    Message message{kDescriptorsPerMessage};
    msghdr& got = message.header();
    const ssize_t size = recvmsg(socket, &got, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size == 0 || (size < 0 && errno == EAGAIN)) return found;
    if (size < 0) return tl::unexpected(errno);
    for (cmsghdr* header = CMSG_FIRSTHDR(&got); header != nullptr; header = CMSG_NXTHDR(&got, header)) {
      if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
      const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int descriptor = -1;
        std::memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof descriptor);
        found.emplace_back(descriptor);
      }
    }
    // The kernel leaves out the descriptors for which this process has no room.
    if ((got.msg_flags & MSG_CTRUNC) != 0) return tl::unexpected(EMFILE);
  }
}

}  // namespace heartbeat::os
