#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

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
               Answers answers) {
  const ssize_t got = read(client, buffer.data(), buffer.size());
  if (got > 0) {
    count(counters.bytes, static_cast<std::uint64_t>(got));
    if (answers == Answers::TwoBytes && write(client, "ok", 2) != 2) std::abort();
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    close(client);
    count(counters.closed, 1);
  }
}

}  // namespace

void serve_with_epoll(int listener, ReferenceCounters& counters, Answers answers) {
  static std::array<char, kBufferSize> buffer;
  static std::array<epoll_event, kEventsAtOnce> events;
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  watch(epoll, listener);
  for (;;) {
    const int ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int index = 0; index < ready; ++index) {
      const int descriptor = events.at(static_cast<std::size_t>(index)).data.fd;
      descriptor == listener ? accept_all(epoll, listener, counters)
                             : read_once(descriptor, buffer, counters, answers);
    }
  }
}

}  // namespace heartbeat::bench
