// A connection to Redis for a program that waits for each answer, every step with a deadline.
//
// Where Redis is a Cluster, a command that came to a wrong server is asked of the right one, on a connection
// of its own that stays open.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/descriptor.h"
#include "common/endpoint.h"
#include "common/mono_time.h"
#include "common/tls/session.h"
#include "tools/relay/config.h"
#include "tools/relay/redis_protocol.h"

namespace heartbeat::fleet {

class RedisClient {
 public:
  using Words = std::vector<std::string>;

  // Connects to what the configuration of a relay names, Sentinels asked and password given.  `timeout` is
  // for each step and each answer.  The error is a sentence.
  [[nodiscard]] static tl::expected<RedisClient, std::string> open(const relay::Config& config,
                                                                   const std::string& password,
                                                                   Millis timeout);

  // The answers to these commands, in their order.  The error is a sentence: the connection has ended, or is
  // of no use any more.  An error of Redis is an answer.
  [[nodiscard]] tl::expected<std::vector<relay::RedisReply>, std::string> ask(
      std::span<const Words> commands);
  // The same for one command, whose error reply is an error here.
  [[nodiscard]] tl::expected<relay::RedisReply, std::string> ask(const Words& command);

  [[nodiscard]] const std::string& where() const { return where_; }

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  RedisClient(Descriptor socket, std::string where, Millis timeout)
      : socket_(std::move(socket)), where_(std::move(where)), timeout_(timeout) {}

  [[nodiscard]] static tl::expected<RedisClient, std::string> connect(const HostPort& where, Millis timeout);
  [[nodiscard]] static tl::expected<RedisClient, std::string> open_at(const HostPort& where,
                                                                      const relay::Config& config,
                                                                      const std::string& password,
                                                                      Millis timeout);
  [[nodiscard]] tl::expected<std::vector<relay::RedisReply>, std::string> ask_here(
      std::span<const Words> commands);
  [[nodiscard]] tl::expected<void, std::string> ask_elsewhere(const Words& command,
                                                              relay::RedisReply& answer);
  [[nodiscard]] tl::expected<void, std::string> begin_tls(const relay::Config& config,
                                                          const std::string& server);
  [[nodiscard]] tl::expected<void, std::string> send(std::string_view plain);
  [[nodiscard]] tl::expected<void, std::string> send_bytes(std::string_view bytes);
  [[nodiscard]] tl::expected<void, std::string> receive(Deadline deadline);

  std::function<tl::expected<RedisClient, std::string>(const HostPort&)> open_other_;
  std::map<std::string, std::unique_ptr<RedisClient>> others_;  // of the Cluster, by HOST:PORT
  Descriptor socket_;
  std::string where_;
  Millis timeout_;
  std::unique_ptr<tls::Session> session_;
  std::string unread_;  // records of TLS
  std::unique_ptr<relay::RedisReplies> replies_ = std::make_unique<relay::RedisReplies>();
};

}  // namespace heartbeat::fleet
