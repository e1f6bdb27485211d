#include "tools/bench/core_run.h"

#include <algorithm>
#include <ctime>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <malloc.h>

#include "common/frame.h"
#include "daemon/core/monitor.h"
#include "tools/bench/trouble.h"

namespace heartbeat::bench {
namespace {

constexpr std::size_t kSilentOneIn = 100;
constexpr std::uint64_t kSeed = 20261122;

Nanos thread_cpu() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds{used.tv_sec} + Nanos{used.tv_nsec};
}

std::size_t allocated() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

Endpoint peer_of(std::size_t client) {
  Endpoint peer;
  const auto byte = [&](unsigned shift) { return static_cast<std::uint8_t>(client >> shift); };
  peer.address = {10, byte(16), byte(8), byte(0)};
  peer.port = 40000;
  return peer;
}

std::string frame_of(std::size_t client) {
  const auto byte = [&](unsigned shift) { return std::to_string(client >> shift & 0xFFU); };
  std::string frame;
  append_frame(frame, R"({"ip": "10.)" + byte(16) + '.' + byte(8) + '.' + byte(0) +
                          R"(", "status": "alive", "pid": )" + std::to_string(10'000 + client) + '}');
  return frame;
}

// The bytes of one tick, in the order in which they are heard: as in the daemon, where the kernel has just
// written what is read, reading them is to cost next to nothing.
struct Traffic {
  std::string bytes;
  struct Beat {
    ConnId conn;
    std::uint32_t begin;
    std::uint32_t size;
  };
  std::vector<Beat> beats;
};

Traffic make_traffic(const std::vector<ConnId>& clients, BeatOrder order) {
  std::vector<std::size_t> turns(clients.size());
  std::iota(turns.begin(), turns.end(), 0U);
  if (order == BeatOrder::Shuffled) std::shuffle(turns.begin(), turns.end(), std::mt19937_64{kSeed});
  Traffic traffic;
  traffic.beats.reserve(clients.size());
  for (const std::size_t client : turns) {
    const std::string frame = frame_of(client);
    traffic.beats.push_back({clients[client], static_cast<std::uint32_t>(traffic.bytes.size()),
                             static_cast<std::uint32_t>(frame.size())});
    traffic.bytes += frame;
  }
  return traffic;
}

class CoreRun {
 public:
  CoreRun(std::size_t clients, BeatOrder order) : monitor_(settings()) {
    const std::size_t before = allocated();
    std::vector<ConnId> conns;
    conns.reserve(clients);
    for (std::size_t client = 0; client < clients; ++client) {
      conns.push_back(*monitor_.open(peer_of(client), now_, effects_));
      effects_.clear();
    }
    traffic_ = make_traffic(conns, order);
    const auto is_silent = [&](const Traffic::Beat& beat) { return beat.conn.slot % kSilentOneIn == 0; };
    std::stable_partition(traffic_.beats.begin(), traffic_.beats.end(), is_silent);
    silent_ =
        static_cast<std::size_t>(std::count_if(traffic_.beats.begin(), traffic_.beats.end(), is_silent));

    tick(0);
    const std::size_t own = conns.capacity() * sizeof(ConnId) + traffic_.bytes.capacity() +
                            traffic_.beats.capacity() * sizeof(Traffic::Beat);
    bytes_per_client_ = static_cast<double>(allocated() - before - own) / static_cast<double>(clients);
  }

  CoreFigures run(std::uint64_t heartbeats) {
    CoreFigures figures{.bytes_per_client = bytes_per_client_};
    const std::uint64_t already = monitor_.counters().heartbeats;
    const Nanos start = thread_cpu();
    // Long enough for the silent ones to be struck as often as it takes, and to leave.
    const std::uint64_t ticks =
        std::max<std::uint64_t>(heartbeats / traffic_.beats.size(), ticks_to_leave() + 1);
    for (std::uint64_t count = 0; count < ticks; ++count) tick(silent_);
    figures.cpu = thread_cpu() - start;
    figures.heartbeats = monitor_.counters().heartbeats - already;
    if (figures.heartbeats != ticks * (traffic_.beats.size() - silent_))
      throw Trouble{"the core lost a heartbeat"};
    check_verdicts();
    return figures;
  }

 private:
  static Settings settings() {
    // Nobody is closed during a run, however long it is.
    return {.rule = {.leave_timeout = limits::kLeaveTimeoutMax}, .clients_max = limits::kClientsMax};
  }

  static std::uint64_t ticks_to_leave() {
    const Rule rule;
    return std::uint64_t{rule.threshold} * rule.cursor;
  }

  // Everybody from the beat of that number on beats once, each at its own instant.
  void tick(std::size_t from) {
    const Millis length = monitor_.settings().rule.tick;
    const MonoTime start = now_;
    const auto count = static_cast<std::int64_t>(traffic_.beats.size());
    std::string_view bytes = traffic_.bytes;
    for (auto index = static_cast<std::int64_t>(from); index < count; ++index) {
      now_ = start + length * index / count;
      const Traffic::Beat& beat = traffic_.beats[static_cast<std::size_t>(index)];
      monitor_.receive(beat.conn, bytes.substr(beat.begin, beat.size), now_, effects_);
      if (monitor_.next_deadline() <= now_) monitor_.advance(now_, effects_);
      effects_.clear();
    }
    now_ = start + length;
  }

  void check_verdicts() {
    monitor_.advance(now_, effects_);
    const Counters& counters = monitor_.counters();
    const bool exact = counters.leaves == silent_ && counters.strikes == silent_ * Rule{}.cursor &&
                       counters.returns == 0 && monitor_.status_counts().leave == silent_;
    if (!exact) throw Trouble{"the core judged otherwise than the rule says"};
  }

  Monitor monitor_;
  Effects effects_;
  MonoTime now_;
  Traffic traffic_;
  std::size_t silent_ = 0;
  double bytes_per_client_ = 0;
};

}  // namespace

CoreFigures run_core(std::size_t clients, BeatOrder order, std::uint64_t heartbeats) {
  return CoreRun{clients, order}.run(heartbeats);
}

}  // namespace heartbeat::bench
