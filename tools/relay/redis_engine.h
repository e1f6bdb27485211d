// The six verbs in Redis' commands.  Knows no socket: commands are appended to bytes that the caller sends,
// and replies are passed in the order in which they came.
//
// Uses 14 commands, which systemd/heartbeat-relay.acl allows, and no script: auth, hello, ping, role, time,
// xadd, xread, xrevrange, hset, hget, hdel, set, pexpire and unlink.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "common/mono_time.h"
#include "tools/relay/fleet_engine.h"
#include "tools/relay/fleet_keys.h"
#include "tools/relay/redis_protocol.h"

namespace heartbeat::relay {

class RedisEngine final : public FleetEngine {
 public:
  struct Options {
    std::string fleet{};
    std::string node{};
    Millis lease{15'000};
  };

  explicit RedisEngine(Options options) : options_(std::move(options)), keys_(options_.fleet) {}

  void listen(EngineListener& listener) { listener_ = &listener; }

  // The commands since the last call, which the caller must send.
  [[nodiscard]] std::string take_commands();
  // The next reply.  Must not be called where nothing is expected.
  void take(const RedisReply& reply);
  [[nodiscard]] bool expects_reply() const { return !expected_.empty(); }
  // The connection is gone, and all that is under way.
  void forget();

  void attach(std::size_t tail) override;
  void begin(const Mark& mark) override;
  void publish(const Copy& copy, std::span<const RowChange> rows, std::span<const Record> records) override;
  void renew(const Copy& copy, std::string_view summary) override;
  void claim(const Claim& claim) override;
  void read_inbox(std::string_view behind) override;

 private:
  // Replies to come of one verb; the last one ends it.
  struct Expected {
    enum class Verb : std::uint8_t { Attach, Begin, Publish, Renew, Claim, OwnerCopy, OwnerRow, Keep, Inbox };
    Verb verb{};
    std::size_t replies = 1;
    std::size_t seen = 0;
    std::optional<EngineError> error{};
    Top top{};
    Claimed claimed{};
  };

  void expect(Expected expected) { expected_.push_back(std::move(expected)); }
  void finish(Expected& done, const RedisReply& last);
  void take_owner(Expected& done, const RedisReply& reply);

  Options options_;
  FleetKeys keys_;
  EngineListener* listener_ = nullptr;
  std::string commands_;
  std::deque<Expected> expected_;
};

}  // namespace heartbeat::relay
