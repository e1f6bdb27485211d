#include "tools/sim/virtual/swarm.h"

#include <cinttypes>
#include <cstdio>
#include <string>

#include "common/duration.h"
#include "common/limits.h"

namespace heartbeat::sim {
namespace {

// What all worlds together have seen.
struct Total {
  Millis elapsed{0};
  Happened happened;
  Tally tally;

  void add(const World& world) {
    elapsed += world.elapsed();
    const Happened& more = world.happened();
    happened.turns += more.turns;
    happened.stalls += more.stalls;
    happened.storms += more.storms;
    happened.reloads += more.reloads;
    happened.kicks += more.kicks;
    happened.holds += more.holds;
    happened.outages += more.outages;
    happened.brakes += more.brakes;
    happened.restarts += more.restarts;
    happened.events += more.events;
    happened.sweeps += more.sweeps;
    const Tally& told = world.tally();
    tally.connected += told.connected;
    tally.refused += told.refused;
    tally.heartbeats += told.heartbeats;
    tally.strikes += told.strikes;
    tally.leaves += told.leaves;
    tally.returns += told.returns;
    tally.takeovers += told.takeovers;
    for (std::size_t reason = 0; reason < kReasonCount; ++reason) {
      tally.closes.at(reason) += told.closes.at(reason);
    }
  }
};

void print(const char* what, std::uint64_t count) {
  std::printf("%-24s %12" PRIu64 "\n", what, count);
}

void print(const Swarm& swarm, const Total& total, std::size_t broken) {
  const Tally& tally = total.tally;
  std::printf("%-24s %12s\n", "virtual time, in all", describe_duration(total.elapsed).c_str());
  print("seeds", swarm.seeds);
  print("clients, in each", swarm.clients);
  print("heartbeats", tally.heartbeats);
  print("connections", tally.connected);
  print("refused", tally.refused);
  print("takeovers", tally.takeovers);
  print("strikes", tally.strikes);
  print("leaves", tally.leaves);
  print("returns", tally.returns);
  for (std::size_t reason = 0; reason < kReasonCount; ++reason) {
    if (tally.closes.at(reason) == 0) continue;
    const std::string name{to_string(static_cast<Reason>(reason))};
    print(("closed as " + name).c_str(), tally.closes.at(reason));
  }
  print("turns of the loop", total.happened.turns);
  print("pauses of the daemon", total.happened.stalls);
  print("reconnect storms", total.happened.storms);
  print("reloads", total.happened.reloads);
  print("kicks", total.happened.kicks);
  print("holds", total.happened.holds);
  print("outages", total.happened.outages);
  print("brakes on mass closing", total.happened.brakes);
  print("restarts of the daemon", total.happened.restarts);
  print("events compared", total.happened.events);
  print("looks at every client", total.happened.sweeps);
  print("seeds that broke a promise", broken);
}

std::string kinds_flag(const std::vector<ClientKind>& kinds) {
  std::string flag;
  for (const ClientKind& kind : kinds) {
    flag += (flag.empty() ? " --kinds " : ",") + kind.group + "=" + format_duration(kind.interval);
  }
  return flag;
}

void tell_broken(const Swarm& swarm, const Scenario& scenario, const World& world,
                 const std::string& promise) {
  std::fprintf(stderr,
               "heartbeat-sim: seed %" PRIu64
               " broke a promise after %s: %s\n"
               "heartbeat-sim: it comes back with: heartbeat-sim --virtual --seed %" PRIu64
               " --clients %zu --duration %s%s\n",
               scenario.seed, format_duration(world.elapsed()).c_str(), promise.c_str(), scenario.seed,
               swarm.clients, format_duration(swarm.duration).c_str(), kinds_flag(swarm.kinds).c_str());
}

}  // namespace

std::size_t run_swarm(const Swarm& swarm) {
  Total total;
  std::size_t broken = 0;
  for (std::size_t index = 0; index < swarm.seeds; ++index) {
    const Scenario scenario{swarm.first_seed + index, swarm.clients, swarm.duration, swarm.kinds};
    World world{scenario};
    const std::string promise = world.run();
    total.add(world);
    if (promise.empty()) continue;
    if (++broken <= limits::kViolationsTold) tell_broken(swarm, scenario, world, promise);
  }
  if (broken > limits::kViolationsTold) {
    std::fprintf(stderr, "heartbeat-sim: and %zu seeds more\n", broken - limits::kViolationsTold);
  }
  print(swarm, total, broken);
  return broken;
}

}  // namespace heartbeat::sim
