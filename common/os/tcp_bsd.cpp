#include <algorithm>
#include <chrono>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "common/os/tcp.h"

namespace heartbeat::os {

bool set_tcp_limits(int socket, const TcpLimits& limits) noexcept {
  if (limits.keepalive == Millis{0}) return limits.user_timeout == Millis{0};
  const int on = 1;
#ifdef TCP_KEEPALIVE  // macOS
  constexpr int kIdle = TCP_KEEPALIVE;
#else
  constexpr int kIdle = TCP_KEEPIDLE;
#endif
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(limits.keepalive).count();
  const int idle = static_cast<int>(std::max<std::int64_t>(1, seconds));
  const bool done = setsockopt(socket, IPPROTO_TCP, kIdle, &idle, sizeof idle) == 0 &&
                    setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) == 0;
  return done && limits.user_timeout == Millis{0};
}

std::optional<TcpPath> tcp_path(int) noexcept {
  return {};
}

}  // namespace heartbeat::os
