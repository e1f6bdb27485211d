#include "tools/fleet/redis_client.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include "common/os/socket.h"
#include "common/text.h"
#include "tools/relay/redis_routes.h"
#include "tools/relay/tls_context.h"

namespace heartbeat::fleet {
namespace {

using Clock = std::chrono::steady_clock;

// Whether the descriptor became ready for these events by then.
bool wait_for(int descriptor, short events, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd watched{.fd = descriptor, .events = events, .revents = 0};
    const int ready = ::poll(&watched, 1, left > 0 ? static_cast<int>(left) : 0);
    if (ready < 0 && errno == EINTR) continue;
    return ready > 0;
  }
}

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

}  // namespace

tl::expected<RedisClient, std::string> RedisClient::connect(const HostPort& where, Millis timeout) {
  const std::string name = to_string(where);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int lookup = ::getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &hints, &found);
  if (lookup != 0) return tl::unexpected(name + ": " + ::gai_strerror(lookup));
  const std::unique_ptr<addrinfo, FreeAddresses> addresses{found};
  int error = 0;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    auto socket = os::stream_socket(each->ai_family);
    if (!socket) return tl::unexpected(name + ": " + std::strerror(socket.error()));
    const int flags = ::fcntl(socket->get(), F_GETFL);
    ::fcntl(socket->get(), F_SETFL,
            flags | O_NONBLOCK);  // NOLINT(hicpp-signed-bitwise): as the system has it
    if (::connect(socket->get(), each->ai_addr, each->ai_addrlen) == 0) {
      return RedisClient{std::move(*socket), name, timeout};
    }
    error = errno;
    if (error != EINPROGRESS) continue;
    error = ETIMEDOUT;
    if (!wait_for(socket->get(), POLLOUT, Clock::now() + timeout)) continue;
    socklen_t size = sizeof error;
    ::getsockopt(socket->get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) return RedisClient{std::move(*socket), name, timeout};
  }
  return tl::unexpected(name + ": " + std::strerror(error));
}

tl::expected<RedisClient, std::string> RedisClient::open(const relay::Config& config,
                                                         const std::string& password, Millis timeout) {
  std::vector<HostPort> places = config.redis;
  std::string failure = "no Sentinel answers";
  for (const HostPort& sentinel : config.sentinels) {
    auto asked = connect(sentinel, timeout);
    auto master = asked ? asked->ask(Words{"SENTINEL", "get-master-addr-by-name", config.master})
                        : tl::unexpected(asked.error());
    if (!master) failure = master.error();
    if (!master || master->items.size() != 2) continue;
    if (auto where = parse_host_port(master->items[0].text + ':' + master->items[1].text)) {
      places.push_back(std::move(*where));
      break;
    }
  }
  if (places.empty()) return tl::unexpected(failure);
  auto client = open_at(places.front(), config, password, timeout);
  if (!client) return client;
  client->open_other_ = [config, password, timeout](const HostPort& where) {
    return open_at(where, config, password, timeout);
  };
  return client;
}

tl::expected<RedisClient, std::string> RedisClient::open_at(const HostPort& where,
                                                            const relay::Config& config,
                                                            const std::string& password, Millis timeout) {
  auto client = connect(where, timeout);
  if (!client) return client;
  if (config.tls) {
    if (auto begun = client->begin_tls(config, where.host); !begun) return tl::unexpected(begun.error());
  }
  if (!password.empty()) {
    const auto authorized =
        client->ask(config.user.empty() ? Words{"AUTH", password} : Words{"AUTH", config.user, password});
    if (!authorized) return tl::unexpected(authorized.error());
  }
  return client;
}

tl::expected<void, std::string> RedisClient::begin_tls(const relay::Config& config,
                                                       const std::string& server) {
  const auto context = relay::tls_context(config, server);
  if (!context) return tl::unexpected(context.error());
  session_ = (*context)->begin();
  const Clock::time_point deadline = Clock::now() + timeout_;
  for (;;) {
    std::string_view input = unread_;
    std::string output;
    const auto state = session_->shake_hands(input, output);
    unread_.erase(0, unread_.size() - input.size());
    if (!output.empty()) {
      if (auto sent = send_bytes(output); !sent) return sent;
    }
    if (state == tls::Session::Handshake::Done) return {};
    if (state == tls::Session::Handshake::Failed) return tl::unexpected(where_ + ": TLS: " + session_->why());
    if (!wait_for(socket_.get(), POLLIN, deadline)) return tl::unexpected(where_ + ": no TLS handshake");
    std::array<char, tls::kRecordMax> bytes;
    const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (got <= 0) return tl::unexpected(where_ + ": the connection ended in the TLS handshake");
    unread_.append(bytes.data(), static_cast<std::size_t>(got));
  }
}

tl::expected<std::vector<relay::RedisReply>, std::string> RedisClient::ask(std::span<const Words> commands) {
  auto answers = ask_here(commands);
  if (!answers || !open_other_) return answers;
  for (std::size_t at = 0; at < answers->size(); ++at) {
    if (auto moved = ask_elsewhere(commands[at], (*answers)[at]); !moved)
      return tl::unexpected(moved.error());
  }
  return answers;
}

// Where the answer says that another server of the Cluster has the key: its answer in the place of that.
tl::expected<void, std::string> RedisClient::ask_elsewhere(const Words& command, relay::RedisReply& answer) {
  for (unsigned move = 0; move < relay::RedisRoutes::kMovesMax; ++move) {
    const auto to = relay::place_of_moved(answer, where_);
    if (!to) return {};
    auto other = others_.find(*to);
    if (other == others_.end()) {
      const auto address = parse_host_port(*to);
      auto opened = address ? open_other_(*address) : tl::unexpected(address.error());
      if (!opened) return tl::unexpected(opened.error());
      other = others_.emplace(*to, std::make_unique<RedisClient>(std::move(*opened))).first;
    }
    auto answers = other->second->ask_here({&command, 1});
    if (!answers) return tl::unexpected(answers.error());
    answer = std::move(answers->front());
  }
  return {};
}

tl::expected<std::vector<relay::RedisReply>, std::string> RedisClient::ask_here(
    std::span<const Words> commands) {
  std::string bytes;
  for (const Words& words : commands) {
    relay::RedisCommand command{bytes, words.size()};
    for (const std::string& word : words) command.word(word);
  }
  if (auto sent = send(bytes); !sent) return tl::unexpected(sent.error());
  std::vector<relay::RedisReply> answers;
  while (answers.size() < commands.size()) {
    auto reply = replies_->next();
    if (!reply) return tl::unexpected(where_ + ": " + reply.error());
    if (*reply) {
      answers.push_back(std::move(**reply));
    } else if (auto received = receive(Clock::now() + timeout_); !received) {
      return tl::unexpected(received.error());
    }
  }
  return answers;
}

tl::expected<relay::RedisReply, std::string> RedisClient::ask(const Words& command) {
  auto answers = ask(std::span{&command, 1});
  if (!answers) return tl::unexpected(answers.error());
  if (answers->front().is_error()) return tl::unexpected(where_ + ": " + answers->front().text);
  return std::move(answers->front());
}

tl::expected<void, std::string> RedisClient::send(std::string_view plain) {
  if (session_ == nullptr) return send_bytes(plain);
  std::string records;
  if (!session_->write(plain, records)) return tl::unexpected(where_ + ": TLS: " + session_->why());
  return send_bytes(records);
}

tl::expected<void, std::string> RedisClient::send_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = os::send_bytes(socket_.get(), bytes);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!wait_for(socket_.get(), POLLOUT, Clock::now() + timeout_))
        return tl::unexpected(where_ + " reads nothing");
    } else if (errno != EINTR) {
      return tl::unexpected(where_ + ": " + std::strerror(errno));
    }
  }
  return {};
}

tl::expected<void, std::string> RedisClient::receive(Deadline deadline) {
  if (!wait_for(socket_.get(), POLLIN, deadline)) return tl::unexpected(where_ + " does not answer");
  std::array<char, tls::kRecordMax> bytes;
  const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return {};
  if (got <= 0) return tl::unexpected(where_ + ": the connection was closed");
  const std::string_view came{bytes.data(), static_cast<std::size_t>(got)};
  if (session_ == nullptr) {
    replies_->feed(came);
    return {};
  }
  unread_ += came;
  std::string_view input = unread_;
  for (;;) {
    std::array<char, tls::kRecordMax> plain;
    std::size_t count = 0;
    std::string output;
    const auto read = session_->read(input, plain, count, output);
    if (read == tls::Session::Read::Bytes) {
      replies_->feed({plain.data(), count});
      continue;
    }
    if (read == tls::Session::Read::NeedMore) break;
    return tl::unexpected(where_ + ": the TLS connection ended");
  }
  unread_.erase(0, unread_.size() - input.size());
  return {};
}

}  // namespace heartbeat::fleet
