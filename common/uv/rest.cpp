#include "common/uv/rest.h"

#include <array>
#include <cstddef>
#include <ctime>

#include <poll.h>

#include "common/limits.h"

namespace heartbeat::uv {

void rest(std::chrono::nanoseconds length, std::span<const uv_os_fd_t> unless_readable) {
  if (length.count() <= 0) return;
  std::array<pollfd, limits::kUrgentDescriptorsMax> watched{};
  std::size_t count = 0;
  for (const uv_os_fd_t descriptor : unless_readable) {
    if (count == watched.size()) break;  // those beyond wait out the pause, as clients do
    watched.at(count++) = {.fd = descriptor, .events = POLLIN, .revents = 0};
  }
#ifdef __APPLE__
  poll(watched.data(), static_cast<nfds_t>(count),
       static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(length).count()));
#else
  const auto seconds = std::chrono::floor<std::chrono::seconds>(length);
  const timespec timeout{.tv_sec = static_cast<std::time_t>(seconds.count()),
                         .tv_nsec = static_cast<long>((length - seconds).count())};
  ppoll(watched.data(), static_cast<nfds_t>(count), &timeout, nullptr);
#endif
}

}  // namespace heartbeat::uv
