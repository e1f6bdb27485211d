// One connection to a Redis or a Sentinel: the name resolved, connected, TLS and password, then bytes out and
// replies in.
//
// Nothing of it blocks.  A connection that is not ready within kConnectMax ends, and so does one whose peer
// has sent nothing for kSilenceMax while a reply is due.  What is under way at the end may or may not have
// been done.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/endpoint.h"
#include "common/mono_time.h"
#include "common/tls/session.h"
#include "common/uv/handle.h"
#include "common/uv/loop.h"
#include "common/uv/watchers.h"
#include "tools/relay/redis_protocol.h"

namespace heartbeat::relay {

// What sends commands and brings their replies: one connection, or those to the servers of a Cluster.
class RedisConnection {
 public:
  RedisConnection() = default;
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;
  RedisConnection(RedisConnection&&) = delete;
  RedisConnection& operator=(RedisConnection&&) = delete;
  virtual ~RedisConnection() = default;

  // Sends commands; a reply is due from now on.  Must be ready.
  virtual void send(std::string_view commands) = 0;
  // No reply is due any more: the peer may be silent.
  virtual void all_answered() = 0;

  [[nodiscard]] virtual bool is_ready() const = 0;
  [[nodiscard]] virtual const HostPort& where() const = 0;
};

class RedisLink final : public RedisConnection {
 public:
  static constexpr Millis kConnectMax{2'000};
  static constexpr Millis kSilenceMax{3'000};
  // Bytes that wait for the kernel.  The publisher has a bounded number of commands under way, far below
  // this.
  static constexpr std::size_t kOutputMax = std::size_t{8} * 1024 * 1024;

  struct Options {
    HostPort where{};
    std::string user{};
    std::string password{};
    std::shared_ptr<const tls::Context> tls{};  // null: plain
  };

  struct Callbacks {
    std::function<void()> on_ready;
    std::function<void(const RedisReply&)> on_reply;
    // The connection has ended, or never came to be.  The object may be let go of in it.
    std::function<void(const EngineError& why)> on_end;
  };

  RedisLink(uv::Loop& loop, Options options, Callbacks callbacks);
  RedisLink(const RedisLink&) = delete;
  RedisLink& operator=(const RedisLink&) = delete;
  RedisLink(RedisLink&&) = delete;
  RedisLink& operator=(RedisLink&&) = delete;
  ~RedisLink() override;

  void send(std::string_view commands) override;
  void all_answered() override;
  [[nodiscard]] bool is_ready() const override { return is_ready_; }
  [[nodiscard]] const HostPort& where() const override { return options_.where; }

 private:
  class Connection;
  struct Lookup;

  void resolve();
  void resolved(std::vector<Endpoint> addresses, const std::string& error);
  void connect_next();
  void opened(int error);
  void take(std::string_view plain);
  void write(std::string_view plain);
  void end(EngineError::Kind kind, const std::string& why);

  uv::Loop& loop_;
  Options options_;
  Callbacks callbacks_;
  uv::Owned<uv::Timer> limit_;    // until it is ready
  uv::Owned<uv::Timer> silence_;  // of the peer, while a reply is due
  uv::Owned<uv::Timer> soon_;     // an end that is found in a call is reported after it
  Lookup* lookup_ = nullptr;      // deletes itself
  std::vector<Endpoint> addresses_;
  std::size_t next_address_ = 0;
  uv::Owned<Connection> connection_;
  RedisReplies replies_;
  std::string last_error_;  // of the last reply, if it was one
  bool is_ready_ = false;
  bool is_ended_ = false;
  bool awaits_auth_ = false;
  bool awaits_reply_ = false;
};

}  // namespace heartbeat::relay
