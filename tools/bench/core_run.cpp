#include "tools/bench/core_run.h"

#include <algorithm>
#include <cstddef>
#include <ctime>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <malloc.h>

#include "common/frame.h"
#include "common/limits.h"
#include "daemon/core/call_log.h"
#include "daemon/core/logged_monitor.h"
#include "daemon/core/monitor.h"
#include "tools/bench/trouble.h"

namespace heartbeat::bench {
namespace {

constexpr Millis kTick{10'000};
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

// One tick's heartbeats, in the order in which they are heard; their bytes in one piece, since in the daemon
// the kernel has just written what is read, and reading it costs next to nothing.
struct Traffic {
  struct Beat {
    ConnId conn;
    Millis after;  // the beginning of the tick
    std::uint32_t begin;
    std::uint32_t size;
  };
  std::string bytes;
  std::vector<Beat> beats;

  void add(ConnId conn, Millis after, const std::string& frame) {
    beats.push_back(
        {conn, after, static_cast<std::uint32_t>(bytes.size()), static_cast<std::uint32_t>(frame.size())});
    bytes += frame;
  }
  [[nodiscard]] std::string_view bytes_of(const Beat& beat) const {
    return std::string_view{bytes}.substr(beat.begin, beat.size);
  }
  [[nodiscard]] std::size_t memory() const { return bytes.capacity() + beats.capacity() * sizeof(Beat); }
};

class CoreRun {
 public:
  CoreRun(std::size_t clients, SlotOrder order, Calls calls) : monitor_(Monitor{settings()}) {
    if (order == SlotOrder::Shuffled) shuffle_slots(clients);
    const std::size_t before = allocated();
    // Spread over a whole tick, each client beating at once, as in a fleet whose programs were started one by
    // one.
    for (std::size_t client = 0; client < clients; ++client) {
      const Millis after = kTick * static_cast<std::int64_t>(client) / static_cast<std::int64_t>(clients);
      const ConnId conn = open(client, start_ + after);
      const std::string frame = frame_of(client);
      monitor_.receive(conn, frame, start_ + after, effects_);
      effects_.clear();
      client % kSilentOneIn == 0 ? ++silent_ : (traffic_.add(conn, after, frame), 0U);
    }
    bytes_per_client_ =
        static_cast<double>(allocated() - before - traffic_.memory()) / static_cast<double>(clients);
    start_ += kTick;
    if (calls == Calls::Kept) keep_calls();
  }

  CoreFigures run(std::uint64_t heartbeats) {
    CoreFigures figures{.bytes_per_client = bytes_per_client_};
    const std::uint64_t already = monitor_->counters().heartbeats;
    // Long enough for the silent ones to be struck as often as it takes, and to leave.
    const std::uint64_t ticks =
        std::max<std::uint64_t>(heartbeats / traffic_.beats.size(), ticks_to_leave() + 1);
    const Nanos start = thread_cpu();
    for (std::uint64_t count = 0; count < ticks; ++count) tick();
    figures.cpu = thread_cpu() - start;
    figures.heartbeats = monitor_->counters().heartbeats - already;
    if (figures.heartbeats != ticks * traffic_.beats.size()) throw Trouble{"the core lost a heartbeat"};
    check_verdicts();
    return figures;
  }

 private:
  static Settings settings() {
    // No client is closed during a run, however long it is.
    return {.rule = {.tick = kTick, .leave_timeout = limits::kLeaveTimeoutMax},
            .clients_max = limits::kClientsMax};
  }

  // Slots are given out again in the order in which they became free.
  void shuffle_slots(std::size_t clients) {
    std::vector<ConnId> conns;
    for (std::size_t client = 0; client < clients; ++client) {
      conns.push_back(open(client, start_));
      effects_.clear();
    }
    std::shuffle(conns.begin(), conns.end(), std::mt19937_64{kSeed});
    for (const ConnId conn : conns) {
      monitor_.disconnect(conn, Reason::PeerClosed, start_, effects_, {});
      effects_.clear();
    }
  }

  ConnId open(std::size_t client, MonoTime now) {
    return *monitor_.open(peer_of(client), now, effects_, {}, client);
  }

  // The daemon begins another log as soon as one is nearly full; here it begins the same one anew, so that
  // what a state costs is not in the figures.
  void keep_calls() {
    storage_.resize(limits::kCallLogMin);
    log_.emplace(head_, storage_);
    monitor_.write_to(&*log_);
  }

  static std::uint64_t ticks_to_leave() {
    const Rule rule;
    return std::uint64_t{rule.threshold} * rule.cursor;
  }

  // Each client that is not silent beats once, at its own instant.
  void tick() {
    for (const Traffic::Beat& beat : traffic_.beats) {
      const MonoTime now = start_ + beat.after;
      monitor_.handles(beat.conn);
      monitor_.receive(beat.conn, traffic_.bytes_of(beat), now, effects_);
      if (monitor_->next_deadline() <= now) judge(now);
      monitor_.commit({.machine = now, .listening = now});
      effects_.clear();
    }
    if (log_ && log_->room() < log_->size() / 4) keep_calls();
    start_ += kTick;
  }

  void judge(MonoTime now) {
    while (monitor_.advance(now, effects_)) effects_.clear();
  }

  void check_verdicts() {
    judge(start_);
    const Counters& counters = monitor_->counters();
    const bool exact = counters.leaves == silent_ && counters.strikes == silent_ * Rule{}.cursor &&
                       counters.returns == 0 && monitor_->status_counts().leave == silent_;
    if (!exact) throw Trouble{"the core judged otherwise than the rule says"};
    if (log_ && log_->is_broken()) throw Trouble{"a call was not kept"};
  }

  LoggedMonitor monitor_;
  CallLog::Head head_;
  std::vector<std::byte> storage_;
  std::optional<CallLog> log_;
  Effects effects_;
  MonoTime start_;  // of the tick
  Traffic traffic_;
  std::size_t silent_ = 0;
  double bytes_per_client_ = 0;
};

}  // namespace

CoreFigures run_core(std::size_t clients, SlotOrder order, std::uint64_t heartbeats, Calls calls) {
  return CoreRun{clients, order, calls}.run(heartbeats);
}

}  // namespace heartbeat::bench
