#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdlib>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/uv/loop.h"
#include "common/uv/rest.h"
#include "daemon/core/pacing.h"
#include "daemon/core/rule.h"
#include "tools/bench/reference_server.h"

namespace heartbeat::bench {
namespace {

constexpr std::size_t kEventsAtOnce = 1024;  // as libuv
constexpr std::size_t kBufferSize = std::size_t{64} * 1024;

void watch(int epoll, int descriptor) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) std::abort();
}

void accept_all(int epoll, int listener, ReferenceCounters& counters) {
  for (;;) {
    const int client = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) return;
    watch(epoll, client);
    count(counters.accepted, 1);
  }
}

void read_once(int client, std::array<char, kBufferSize>& buffer, ReferenceCounters& counters,
               Manner manner) {
  const ssize_t got = read(client, buffer.data(), buffer.size());
  if (got > 0) {
    count(counters.bytes, static_cast<std::uint64_t>(got));
    if (manner == Manner::Answering && write(client, "ok", 2) != 2) std::abort();
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    close(client);
    count(counters.closed, 1);
  }
}

void rest_before_next_turn(Pacing& pacing, int listener) {
  Nanos instant = uv::Loop::fine_now();
  if (const Nanos length = pacing.pause(instant); length > Nanos{0}) {
    const std::array<uv_os_fd_t, 1> urgent{listener};
    uv::rest(length, urgent);
    instant = uv::Loop::fine_now();
  }
  pacing.resumed(instant);
}

}  // namespace

void serve_with_epoll(int listener, ReferenceCounters& counters, Manner manner) {
  static std::array<char, kBufferSize> buffer;
  static std::array<epoll_event, kEventsAtOnce> events;
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  watch(epoll, listener);
  Pacing pacing;
  if (manner == Manner::Pausing) pacing.set_longest(longest_pause(limits::kPauseMax, Rule{}.tick));
  for (;;) {
    const int ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int index = 0; index < ready; ++index) {
      const int descriptor = events.at(static_cast<std::size_t>(index)).data.fd;
      if (descriptor == listener) {
        accept_all(epoll, listener, counters);
        pacing.hurry(uv::Loop::fine_now());
      } else {
        read_once(descriptor, buffer, counters, manner);
        pacing.read();
      }
    }
    if (manner == Manner::Pausing) rest_before_next_turn(pacing, listener);
  }
}

}  // namespace heartbeat::bench
