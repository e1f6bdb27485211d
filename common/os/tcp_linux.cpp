#include <algorithm>
#include <chrono>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "common/os/tcp.h"

namespace heartbeat::os {
namespace {

constexpr int kProbes = 3;

bool set(int socket, int level, int option, int value) noexcept {
  return setsockopt(socket, level, option, &value, sizeof value) == 0;
}

// At least 1: the kernel refuses 0.
int whole_seconds(Millis length) noexcept {
  return static_cast<int>(std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(length).count()));
}

}  // namespace

bool set_tcp_limits(int socket, const TcpLimits& limits) noexcept {
  bool done = set(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(limits.user_timeout.count()));
  if (limits.keepalive == Millis{0}) return done;
  done = set(socket, IPPROTO_TCP, TCP_KEEPIDLE, whole_seconds(limits.keepalive)) && done;
  done = set(socket, IPPROTO_TCP, TCP_KEEPINTVL, whole_seconds(limits.keepalive / kProbes)) && done;
  done = set(socket, IPPROTO_TCP, TCP_KEEPCNT, kProbes) && done;
  return set(socket, SOL_SOCKET, SO_KEEPALIVE, 1) && done;
}

std::optional<TcpPath> tcp_path(int socket) noexcept {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {};
  const auto micros = [](std::uint32_t count) {
    return std::chrono::duration_cast<Millis>(std::chrono::microseconds{count});
  };
  return TcpPath{.unanswered = std::uint32_t{std::max(info.tcpi_retransmits, info.tcpi_probes)},
                 .unacknowledged = info.tcpi_unacked,
                 .retry = micros(info.tcpi_rto),
                 .round_trip = micros(info.tcpi_rtt),
                 .last_packet = Millis{std::min(info.tcpi_last_data_recv, info.tcpi_last_ack_recv)}};
}

}  // namespace heartbeat::os
