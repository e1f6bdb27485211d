#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>

#include <sys/select.h>

#include "common/os/poll.h"

namespace heartbeat::os {

// macOS has no ppoll().  pselect() waits with the mask, and poll() then says what is ready, without waiting:
// only it distinguishes a hang-up from input.
int poll_with_mask(std::span<pollfd> descriptors, Millis wait, const sigset_t& mask) {
  fd_set to_read;
  fd_set to_write;
  FD_ZERO(&to_read);
  FD_ZERO(&to_write);
  int beyond_last = 0;
  for (const pollfd& descriptor : descriptors) {
    if (descriptor.fd < 0) continue;  // poll() ignores these
    if (descriptor.fd >= FD_SETSIZE) {
      errno = EINVAL;
      return -1;
    }
    if ((descriptor.events & POLLIN) != 0) FD_SET(descriptor.fd, &to_read);
    if ((descriptor.events & POLLOUT) != 0) FD_SET(descriptor.fd, &to_write);
    beyond_last = std::max(beyond_last, descriptor.fd + 1);
  }
  const auto seconds = std::chrono::floor<std::chrono::seconds>(wait);
  const timespec timeout{static_cast<time_t>(seconds.count()),
                         static_cast<long>(std::chrono::nanoseconds{wait - seconds}.count())};
  // A descriptor that is not open is an error of pselect(), and an answer (POLLNVAL) of poll().
  if (pselect(beyond_last, &to_read, &to_write, nullptr, &timeout, &mask) < 0 && errno != EBADF) return -1;
  return poll(descriptors.data(), static_cast<nfds_t>(descriptors.size()), 0);
}

}  // namespace heartbeat::os
