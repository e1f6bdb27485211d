// Connections to the servers of a Cluster that behave like one connection: commands in, replies in their
// order. Where the commands go is what redis_routes.h says.  The end of one connection is the end of all.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "tools/relay/redis_link.h"
#include "tools/relay/redis_routes.h"

namespace heartbeat::relay {

class RedisCluster final : public RedisConnection {
 public:
  // Options of a connection to this server.  The error is a sentence: its certificates cannot be used.
  using OptionsFor = std::function<tl::expected<RedisLink::Options, std::string>(const HostPort& where)>;

  RedisCluster(uv::Loop& loop, const HostPort& seed, OptionsFor options_for, RedisLink::Callbacks callbacks);

  void send(std::string_view commands) override;
  void all_answered() override {}  // each connection knows of its own replies
  [[nodiscard]] bool is_ready() const override { return is_ready_; }
  [[nodiscard]] const HostPort& where() const override { return seed_; }

 private:
  struct Server {
    std::unique_ptr<RedisLink> link{};
    std::string waiting{};  // commands, until it is ready
  };

  Server& server_at(const std::string& where);
  void flush();
  void take(const std::string& where, const RedisReply& reply);
  void end(const EngineError& why);

  uv::Loop& loop_;
  HostPort seed_;
  OptionsFor options_for_;
  RedisLink::Callbacks callbacks_;
  RedisRoutes routes_;
  std::map<std::string, Server> servers_;
  uv::Owned<uv::Timer> soon_;  // an end that is found in a call is reported after it
  bool is_ready_ = false;
  bool is_ended_ = false;
};

}  // namespace heartbeat::relay
