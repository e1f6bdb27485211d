// A world in virtual time for the real core: clients that beat, fall silent, fight and come back; a network
// that loses and delays; a daemon that is stopped again and again; operators that kick and reload.
//
// Everything is drawn from the seed, and nothing else: the same scenario is the same run on every machine.
// The daemon's loop is a model (loop_model.h).  What a turn of it does next is decided by the daemon's own
// code (daemon/core/turn.h), driven in the order in which daemon/io/server.cpp drives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <queue>
#include <string>
#include <vector>

#include "common/message.h"
#include "daemon/core/turn.h"
#include "tools/sim/kind.h"
#include "tools/sim/virtual/loop_model.h"
#include "tools/sim/virtual/random.h"
#include "tools/sim/virtual/watched_monitor.h"

namespace heartbeat::sim {

struct Scenario {
  std::uint64_t seed = 0;
  std::size_t clients = 100;
  Millis duration{600'000};
  // Each a group whose tick is the interval; empty: groups and ticks are drawn from the seed, too.
  std::vector<ClientKind> kinds{};
};

// What happened to the daemon in a run; what it reported is in Tally.
struct Happened {
  std::uint64_t turns = 0;
  std::uint64_t stalls = 0;
  std::uint64_t storms = 0;
  std::uint64_t reloads = 0;
  std::uint64_t kicks = 0;
  std::uint64_t holds = 0;
  std::uint64_t outages = 0;
  std::uint64_t brakes = 0;
  std::uint64_t restarts = 0;
  std::uint64_t events = 0;
  std::uint64_t sweeps = 0;  // looks at every single client
};

class World {
 public:
  explicit World(const Scenario& scenario);

  // Runs to the end of the scenario, or until a promise is broken.  Returns that promise; empty: none was.
  std::string run();

  [[nodiscard]] Millis elapsed() const { return loop_.now() - start_; }
  [[nodiscard]] const Happened& happened() const { return happened_; }
  [[nodiscard]] const Tally& tally() const { return watched_.oracle().tally(); }
  [[nodiscard]] const Rule& rule() const { return watched_.settings().rule; }

 private:
  // One client as it really is, whatever the daemon thinks of it.
  struct Actor {
    std::string id;          // empty: it gives none; a rival has that of another
    ConnId conn;             // while connected
    Millis interval{0};      // between its heartbeats
    std::uint32_t call = 0;  // the number of its next step; what was planned earlier is void
    std::uint32_t connections = 0;
    std::uint16_t loss = 0;       // of 1000 heartbeats
    std::uint16_t delay_max = 0;  // in ms
    bool connected = false;
    bool faithful = false;  // beats in time, without loss: it is never to be taken for silent
    bool asks = false;      // for notices about its state
    bool acks = false;
    std::string group;   // that it names; empty: none
    Millis tick{0};      // of its kind; 0: it is of none
    Millis declares{0};  // as its interval; 0: it declares none
  };
  struct Step {
    MonoTime at;
    std::uint64_t order;  // of two at one instant
    std::uint32_t actor;
    std::uint32_t call;

    friend bool operator>(const Step& a, const Step& b) {
      return a.at != b.at ? a.at > b.at : a.order > b.order;
    }
  };

  void create_actors(std::size_t count);
  void create_of_kind(std::uint32_t index, const ClientKind& kind);
  [[nodiscard]] const Rule& rule_for(const Actor& actor) const;
  void turn();
  [[nodiscard]] bool poll();
  void woke();
  void judge();
  void rest();
  void read_arrivals();
  void maybe_misfortune();
  void storm();
  void outage();
  void end_brake();
  void reload();
  void kick();
  void hold_some();
  void maybe_sweep();
  void maybe_restart();

  void step(std::uint32_t index);
  void connect(std::uint32_t index);
  void act(std::uint32_t index);
  void beat(Actor& actor, Status declared, Millis quiet = Millis{0});
  void send_half(Actor& actor);
  void send_nonsense(Actor& actor);
  void disconnect(Actor& actor, Reason reason);
  [[nodiscard]] Millis silence_length(const Rule& rule);
  [[nodiscard]] bool in_frame(const Actor& actor) const;
  void plan(std::uint32_t index, Millis later);

  // After each call of the monitor: looks at the closed connections and the events.
  void settle();
  void maybe_restart_monitor();
  void note_event(const Event& event);
  void hold(bool kept, const char* promise) {
    if (!kept && broken_.empty()) broken_ = promise;
  }

  [[nodiscard]] static Settings draw_settings(Random& random, const Scenario& scenario);
  [[nodiscard]] static SliceSize draw_slice(Random& random);

  Random random_;
  Scenario scenario_;
  MonoTime start_{Millis{1'000'000}};
  LoopModel loop_{start_};
  MonoTime woken_at_ = start_;  // on the machine's clock
  MonoTime now_ = start_;       // the same, on the listening clock
  WatchedMonitor watched_;
  Turn turn_;
  Millis tick_min_;                // of any rule in this run
  Millis rest_;                    // wanted before each poll
  MonoTime counted_ = start_;      // the listening time, worked out a second time
  MonoTime slept_until_ = start_;  // the end of the last sleep or rest, on the listening clock
  std::vector<Actor> actors_;
  std::vector<std::uint32_t> actor_by_slot_;
  std::priority_queue<Step, std::vector<Step>, std::greater<>> steps_;
  std::uint64_t steps_planned_ = 0;
  std::uint64_t looked_at_ = 0;  // since the last sweep
  Happened happened_;
  std::string broken_;
};

}  // namespace heartbeat::sim
