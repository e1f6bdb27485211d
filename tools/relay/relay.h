// A relay: the daemon's clients on one side, the engine on the other, the publisher between.  Decides when to
// connect, and how long to wait after which trouble.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "common/mono_time.h"
#include "common/uv/loop.h"
#include "common/uv/watchers.h"
#include "tools/relay/config.h"
#include "tools/relay/daemon_source.h"
#include "tools/relay/fights.h"
#include "tools/relay/publisher.h"
#include "tools/relay/redis_cluster.h"
#include "tools/relay/redis_engine.h"
#include "tools/relay/redis_link.h"

namespace heartbeat::relay {

class Relay {
 public:
  static constexpr Millis kPauseLeast{100};
  static constexpr Millis kPauseMost{5'000};
  static constexpr Millis kPauseOfOperators{30'000};  // after what an operator has to mend

  Relay(uv::Loop& loop, Config config, std::string password);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  Relay(Relay&&) = delete;
  Relay& operator=(Relay&&) = delete;

  // Whether only the way to Redis differs: then change() keeps what was published.
  [[nodiscard]] bool can_change_to(const Config& config) const;
  void change(Config config, std::string password);

 private:
  void soon();
  void turn();
  void connect();
  void connect_to(const HostPort& where);
  [[nodiscard]] tl::expected<RedisLink::Options, std::string> options_for(const HostPort& where) const;
  void ask_sentinel();
  void take_from_sentinel(const RedisReply& reply);
  void ready();
  void take(const RedisReply& reply);
  void lost(const EngineError& why);
  void report(const EngineError& why);
  void report_state();
  void renew(const ctl::Object& status);
  void note_fight(const DaemonOrder& order);
  void end_fights();
  [[nodiscard]] std::string summary(const ctl::Object& status) const;
  void write_metrics() const;

  uv::Loop& loop_;
  Config config_;
  std::string password_;
  RedisEngine engine_;
  Publisher publisher_;
  std::unique_ptr<RedisConnection> link_;
  std::unique_ptr<DaemonSource> source_;
  uv::Owned<uv::Timer> turn_;
  uv::Owned<uv::Timer> reconnect_;
  uv::Owned<uv::Timer> renew_;
  uv::Owned<uv::Timer> inbox_;
  Fights fights_;
  std::mt19937 random_;
  Millis pause_ = kPauseLeast;
  std::string reported_;     // the trouble that the log has, until it is over
  std::string master_;       // that a Sentinel named last; empty: it must be asked
  bool is_cluster_ = false;  // a server said so
  std::size_t next_sentinel_ = 0;
  bool is_asking_sentinel_ = false;
  bool awaits_role_ = false;
  Publisher::State state_ = Publisher::State::Away;  // that the log has
  bool was_publishing_ = false;
  std::uint64_t superseded_ = 0;  // that the log has
  std::uint64_t connections_ = 0;
};

}  // namespace heartbeat::relay
