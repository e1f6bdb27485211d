// All simulated clients of a run: plays their scripts over sockets, and keeps a record of each.
//
// One timer for all: each client waits for one step, and the steps stand in a queue by their instants.  A
// heartbeat allocates nothing: each client's frame is made once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/endpoint.h"
#include "common/message.h"
#include "common/mono_time.h"
#include "common/uv/handle.h"
#include "common/uv/loop.h"
#include "common/uv/watchers.h"
#include "daemon/core/deadlines.h"
#include "daemon/core/listening_clock.h"
#include "tools/sim/behaviour.h"
#include "tools/sim/connection.h"
#include "tools/sim/kind.h"
#include "tools/sim/record.h"
#include "tools/sim/script.h"

namespace heartbeat::sim {

// What is fixed for a run.
struct Plan {
  Endpoint server;
  std::size_t clients;
  Millis add_every;
  std::size_t sources;  // addresses, from 127.0.0.1; 1: whichever the system chooses
  std::string id_prefix;
  std::uint64_t seed;
  Mix mix;
  std::vector<ClientKind> kinds;            // in turn; one at least
  std::vector<Pace> paces;                  // of each kind
  std::shared_ptr<const tls::Context> tls;  // null: plain
  std::string token;                        // empty: none
  bool proxied;  // each connection begins with a PROXY header, for an address of 10.0.0.0/8
};

class Fleet {
 public:
  // `on_daemon_ended` is called, perhaps more than once, when a client receives the notice that the daemon
  // shuts down.
  Fleet(uv::Loop& loop, Plan plan, std::function<void()> on_daemon_ended);

  [[nodiscard]] std::span<const Record> records() const { return records_; }

  // How long this process was not running when it should have been.
  [[nodiscard]] Millis stalled() const { return stalled_; }

  // --- what happens to a connection ---
  void connected(Connection& connection, int error);
  void received(Connection& connection, std::string_view bytes);
  void ended(Connection& connection, int error);

 private:
  // What plays one client; its record stands at the same index.
  struct Actor {
    Script script;
    Step step;
    std::string frame;  // its heartbeat, whole
    uv::Owned<Connection> connection;
    uv::Owned<Connection> earlier;  // the first one, after a takeover
    bool connecting = false;
    std::uint16_t sent_bytes = 0;  // of a heartbeat that is sent a byte at a time
  };

  // Behaviours so far, of one kind.
  struct Dealt {
    Dealer dealer;
    std::size_t steady = 0;
  };

  void due();
  void add_due(MonoTime now);
  void add(MonoTime now);
  void connect(std::uint32_t slot);
  void play(std::uint32_t slot, MonoTime now);
  void act(std::uint32_t slot, Act act, MonoTime now);
  void wait_for(std::uint32_t slot, Step step);
  void send(std::uint32_t slot, std::string_view bytes);
  void send_status(std::uint32_t slot, Status status);
  void send_byte(std::uint32_t slot, MonoTime now);
  void hear(Connection& connection, const ServerFrame& frame);
  void fail(std::uint32_t slot, const char* fault, bool own_fault);
  void wake_up_in_time();
  void pulse();
  void watch_stalls();
  [[nodiscard]] std::string heartbeat_frame(std::uint32_t slot, Status status) const;
  [[nodiscard]] Endpoint source_of(std::uint32_t slot) const;

  uv::Loop& loop_;
  Plan plan_;
  std::function<void()> on_daemon_ended_;
  std::vector<Dealt> dealt_;  // by kind
  std::vector<Record> records_;
  std::vector<Actor> actors_;
  Deadlines steps_;
  uv::Owned<uv::Timer> timer_;
  uv::Owned<uv::Timer> pulse_;
  ListeningClock clock_;
  MonoTime next_add_;
  MonoTime wake_at_ = MonoTime::never();
  Millis stalled_{0};
  std::size_t connecting_ = 0;
  std::size_t illegal_ = 0;  // bad inputs sent: their kinds come in turn
};

}  // namespace heartbeat::sim
