#include "tools/bench/generator.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <numeric>
#include <random>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "common/limits.h"
#include "tools/bench/trouble.h"

namespace heartbeat::bench {
namespace {

constexpr std::uint32_t kSources = 250;  // 127.0.0.2 and on
constexpr std::uint64_t kSeed = 20261122;
constexpr int kConnectMaxMs = 10'000;

// One after another, so that the ports of earlier runs that are in TIME_WAIT do not get in the way.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): over all generators of a run
std::uint32_t next_source = 0;

double as_seconds(Nanos length) {
  return std::chrono::duration<double>(length).count();
}

Nanos nanos(double seconds) {
  return std::chrono::duration_cast<Nanos>(std::chrono::duration<double>(seconds));
}

void set(int descriptor, int level, int option) {
  const int on = 1;
  setsockopt(descriptor, level, option, &on, sizeof on);
}

sockaddr_in ipv4(std::uint32_t address, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_addr.s_addr = htonl(address);
  result.sin_port = htons(port);
  return result;
}

// The instants of a period's writes, each client's own phase, in order; and the client of each.
struct Turns {
  std::vector<Nanos> at;
  std::vector<std::size_t> client;
};

Turns make_turns(std::size_t first, std::size_t clients, double period) {
  std::mt19937_64 random{kSeed};
  std::uniform_real_distribution<double> phase{0, period};
  Turns turns;
  turns.at.resize(clients);
  turns.client.resize(clients);
  std::generate(turns.at.begin(), turns.at.end(), [&] { return nanos(phase(random)); });
  std::sort(turns.at.begin(), turns.at.end());
  std::iota(turns.client.begin(), turns.client.end(), first);
  std::shuffle(turns.client.begin(), turns.client.end(), random);
  return turns;
}

}  // namespace

int Generator::open_socket() {
  if (opened_++ % limits::kClientsPerSource == 0) ++next_source;
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (client < 0) throw system_trouble("cannot open a socket");
  set(client, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
  set(client, IPPROTO_TCP, TCP_NODELAY);
  const sockaddr_in source = ipv4(INADDR_LOOPBACK + 1 + next_source % kSources, 0);
  const sockaddr_in server = ipv4(INADDR_LOOPBACK, server_.port);
  const auto generic = [](const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); };
  if (bind(client, generic(source), sizeof source) != 0 ||
      (::connect(client, generic(server), sizeof server) != 0 && errno != EINPROGRESS)) {
    const int error = errno;
    close(client);
    errno = error;
    throw system_trouble("cannot connect");
  }
  return client;
}

void Generator::connect(std::size_t clients, double per_second) {
  const Nanos start = monotonic_now();
  for (std::size_t index = 0; index < clients; ++index) {
    wait_until(start + nanos(static_cast<double>(index) / per_second), precise_);
    clients_.push_back(open_socket());
    pollfd connected{clients_.back(), POLLOUT, 0};
    if (poll(&connected, 1, kConnectMaxMs) != 1 || (connected.revents & (POLLERR | POLLHUP)) != 0) {
      throw Trouble{"client " + std::to_string(clients_.size()) + " could not connect"};
    }
    greet(clients_.back(), clients_.size());
  }
}

Sent Generator::beat(double per_second, std::chrono::milliseconds length, std::size_t heartbeats_per_write,
                     std::size_t first) {
  const std::size_t clients = clients_.size() - first;
  const Nanos period = nanos(static_cast<double>(clients) / per_second);
  const Turns turns = make_turns(first, clients, as_seconds(period));
  const auto wanted = static_cast<std::uint64_t>(per_second * as_seconds(length));

  // In the order in which they are sent: the generator's own memory is not what is measured.
  const std::size_t write_size = frame_size() * heartbeats_per_write;
  std::string bytes;
  for (const std::size_t client : turns.client) {
    const std::string frame = dialect_.beat(client);
    for (std::size_t index = 0; index < heartbeats_per_write; ++index) bytes += frame;
  }

  Sent sent;
  const Nanos start = monotonic_now();
  for (std::uint64_t write = 0; write < wanted; ++write) {
    const std::size_t turn = write % clients;
    const Nanos at = start + period * static_cast<std::int64_t>(write / clients) + turns.at[turn];
    if (at - start >= length) break;
    wait_until(at, precise_);
    if (dialect_.is_answered()) read_answers(clients_[turns.client[turn]]);
    const char* const from = bytes.data() + turn * write_size;
    const Nanos before = monotonic_now();
    const ssize_t put = send(clients_[turns.client[turn]], from, write_size, MSG_NOSIGNAL);
    const Nanos after = monotonic_now();
    if (put != static_cast<ssize_t>(write_size)) {
      throw system_trouble("the server does not take what it is sent, or has closed a client");
    }
    ++sent.writes;
    sent.worst_late = std::max(sent.worst_late, after - at);
    sent.in_writes += after - before;
  }
  wait_until(start + length, false);
  sent.took = monotonic_now() - start;
  sent.heartbeats = sent.writes * heartbeats_per_write;
  return sent;
}

Churned Generator::churn(std::size_t at_once, std::chrono::milliseconds length) {
  const Descriptor epoll{epoll_create1(EPOLL_CLOEXEC)};
  if (epoll.get() < 0) throw system_trouble("cannot make an epoll");
  std::vector<std::string> frames;
  for (std::size_t client = 0; client < at_once; ++client) {
    frames.push_back(dialect_.greeting(client) + dialect_.beat(client) + dialect_.goodbye());
  }

  std::size_t open = 0;
  const auto begin = [&](const std::string& frame) {
    const int client = open_socket();
    epoll_event event{};
    event.events = EPOLLRDHUP;
    event.data.fd = client;
    if (send(client, frame.data(), frame.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(frame.size()) ||
        shutdown(client, SHUT_WR) != 0 || epoll_ctl(epoll.get(), EPOLL_CTL_ADD, client, &event) != 0) {
      throw system_trouble("a client could not send its heartbeat");
    }
    ++open;
  };

  Churned churned;
  const Nanos start = monotonic_now();
  for (std::size_t client = 0; client < at_once; ++client) begin(frames[client]);
  std::array<epoll_event, 64> events;
  while (open > 0) {
    const int ready = epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()), kConnectMaxMs);
    if (ready <= 0) throw Trouble{"the server does not close a client that has ended"};
    const bool enough = monotonic_now() - start >= length;
    for (int index = 0; index < ready; ++index) {
      const epoll_event& event = events.at(static_cast<std::size_t>(index));
      const bool is_reset = (event.events & EPOLLERR) != 0 && !dialect_.is_answered();
      if (is_reset) throw Trouble{"the server reset a client's connection"};
      close(event.data.fd);
      --open;
      ++churned.connections;
      if (!enough) begin(frames[churned.connections % at_once]);
    }
  }
  churned.took = monotonic_now() - start;
  return churned;
}

void Generator::greet(int client, std::size_t number) {
  const std::string greeting = dialect_.greeting(number);
  if (greeting.empty()) return;
  std::array<char, 64> answer;
  pollfd answered{client, POLLIN, 0};
  if (send(client, greeting.data(), greeting.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(greeting.size()) ||
      poll(&answered, 1, kConnectMaxMs) != 1 ||
      read(client, answer.data(), answer.size()) != static_cast<ssize_t>(dialect_.greeting_answer())) {
    throw Trouble{"client " + std::to_string(number) + " was not greeted"};
  }
}

void Generator::read_answers(int client) {
  std::array<char, 4096> answers;
  const ssize_t got = recv(client, answers.data(), answers.size(), MSG_DONTWAIT);
  if (got > 0) answer_bytes_ += static_cast<std::uint64_t>(got);
}

std::uint64_t Generator::answered() {
  for (const int client : clients_) read_answers(client);
  return answer_bytes_ / dialect_.beat_answer();
}

void Generator::close_all() {
  for (const int client : clients_) close(client);
  clients_.clear();
}

}  // namespace heartbeat::bench
