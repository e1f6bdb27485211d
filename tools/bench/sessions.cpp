#include "tools/bench/sessions.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <thread>

#include "common/duration.h"
#include "tools/bench/core_run.h"
#include "tools/bench/daemon_server.h"
#include "tools/bench/trouble.h"

namespace heartbeat::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kBatch = 16;
constexpr std::size_t kAtOnce = 64;

// Longer than any pause of the daemon, so that what was sent before is handled before the clock is read.
constexpr milliseconds kSettle{150};
constexpr milliseconds kWarmUp{500};
constexpr milliseconds kGiveBack{3000};  // the daemon looks once a second whether to give memory back
constexpr milliseconds kAwaitEvery{20};
constexpr seconds kAwaitMax{30};

// A write that was so much behind its instant was not the load that was asked for.
constexpr milliseconds kLateMax{100};

constexpr std::array kCurveRates{500.0, 1'500.0, 5'000.0, 15'000.0, 50'000.0};
constexpr std::array kCurveClients{100UL, 1'000UL, 5'000UL, 15'000UL};
constexpr double kCurveClientsRate = 10'000;
constexpr milliseconds kCurveLength{1'000};

constexpr std::array kCoreClients{1'000UL, 10'000UL, 100'000UL, 1'000'000UL};

// The rule of the row `lateness`: a client that was heard leaves three silent ticks later.
constexpr int kSilentTicks = 3;

void pause(milliseconds length) {
  wait_until(monotonic_now() + length, false);
}

template <class Done>
void await(const char* what, Done done) {
  const Nanos limit = monotonic_now() + kAwaitMax;
  while (!done()) {
    if (monotonic_now() > limit) throw Trouble{std::string{"the server did not come to "} + what};
    pause(kAwaitEvery);
  }
}

double per(Nanos total, std::uint64_t count) {
  return static_cast<double>(total.count()) / static_cast<double>(count);
}

double kibi(std::uint64_t bytes) {
  return static_cast<double>(bytes) / 1024;
}

std::string number(double value) {
  return std::to_string(static_cast<long>(value));
}

// Lists all clients again and again until it goes away.
class Lister {
 public:
  explicit Lister(const DaemonServer& daemon) : thread_([this, &daemon] { run(daemon); }) {}
  ~Lister() {
    ended_ = true;
    if (thread_.joinable()) thread_.join();
  }
  Lister(const Lister&) = delete;
  Lister& operator=(const Lister&) = delete;
  Lister(Lister&&) = delete;
  Lister& operator=(Lister&&) = delete;

  // How many lists were answered in full; throws what went wrong.
  unsigned stop() {
    ended_ = true;
    if (thread_.joinable()) thread_.join();
    if (trouble_) throw Trouble{*std::exchange(trouble_, {})};
    return lists_;
  }

 private:
  void run(const DaemonServer& daemon) {
    try {
      for (; !ended_; ++lists_) static_cast<void>(daemon.list_all());
    } catch (const Trouble& trouble) {
      trouble_ = trouble.what();
    }
  }

  std::atomic<bool> ended_{false};
  unsigned lists_ = 0;
  std::optional<std::string> trouble_;
  std::thread thread_;
};

}  // namespace

void Sessions::say(std::string_view server, const std::string& what) const {
  progress_("round " + std::to_string(round_ + 1) + " of " + std::to_string(options_.repeat) + ": " +
            std::string{server} + ", " + what);
}

void Sessions::note(const std::string& what) {
  results_.note("round " + std::to_string(round_ + 1) + ", " + what);
}

Sessions::Start Sessions::starter(ServerKind kind) const {
  return [this, kind] { return start_server(kind, options_.daemon, cores_.server); };
}

Generator Sessions::generator_for(const Server& server) const {
  Dialect dialect{.kind = server.dialect(), .with_ids = options_.with_ids};
  return Generator{server.address(), dialect, cores_.apart()};
}

void Sessions::run() {
  for (; round_ < options_.repeat; ++round_) round(round_);
}

void Sessions::round(unsigned number) {
  // Which server comes first changes from round to round.
  for (std::size_t turn = 0; turn < kServerCount; ++turn) {
    const auto kind = static_cast<ServerKind>((turn + number) % kServerCount);
    if (options_.wants(kind)) every_row(starter(kind));
  }
  if (!options_.peers.empty()) every_row(starter(ServerKind::RawAnswering));
  for (const Peer& peer : options_.peers) every_row([&] { return attach_to(peer); });

  if (!options_.wants(ServerKind::Daemon)) return;
  if (options_.wants(Row::Lateness)) {
    lateness(false);
    lateness(true);
  }
  if (options_.wants(Row::Core)) core();
}

void Sessions::every_row(const Start& start) {
  if (options_.wants(Row::Rate) || options_.wants(Row::Batch)) busy(*start());
  if (options_.wants(Row::Slow) || options_.wants(Row::Accept) || options_.wants(Row::Memory) ||
      options_.wants(Row::Idle)) {
    held(*start());
  }
  if (options_.wants(Row::Churn)) churn(*start());
  if (!options_.wants(Row::Curve)) return;
  curve_by_rate(*start());
  curve_by_clients(*start());
}

void Sessions::busy(Server& server) {
  const std::string name = server.name();
  Generator generator = generator_for(server);
  generator.connect(size_.clients, size_.connects_per_second);
  await_accepted(server, size_.clients);
  if (options_.wants(Row::Rate)) {
    say(name, number(size_.per_second) + " heartbeats a second");
    const Cost cost = cost_of_beats(server, generator, size_.per_second, 1, options_.length);
    add("rate", name, cost.server);
    add("rate_sum", name, cost.with_writes);
  }
  if (options_.wants(Row::Batch)) {
    say(name, "16 heartbeats in a write");
    add("batch", name, cost_of_beats(server, generator, size_.per_second, kBatch, options_.length).server);
  }
}

void Sessions::held(Server& server) {
  const std::string name = server.name();
  Generator generator = generator_for(server);

  pause(kSettle);
  const Memory before = server.account().memory();
  say(name, "accepting " + std::to_string(size_.clients_held) + " clients");
  const Nanos cpu_before = server.account().cpu();
  generator.connect(size_.clients_held, size_.connects_per_second);
  pause(kSettle);
  const Nanos cpu = server.account().cpu() - cpu_before;
  await_accepted(server, size_.clients_held);
  if (options_.wants(Row::Accept)) add("accept", name, per(cpu, size_.clients_held) / 1000);

  beat_once(server, generator);
  if (options_.wants(Row::Memory)) held_memory(server, generator, before);
  if (options_.wants(Row::Idle)) {
    say(name, "idle");
    pause(kWarmUp);
    const Nanos start = server.account().cpu();
    pause(options_.length);
    const double used = per(server.account().cpu() - start, 1) / 1e6;
    add("idle", name, used / std::chrono::duration<double>(options_.length).count());
  }
  if (options_.wants(Row::Slow)) {
    say(name, number(size_.per_second_slow) + " heartbeats a second");
    const Cost cost = cost_of_beats(server, generator, size_.per_second_slow, 1, options_.length);
    add("slow", name, cost.server);
    add("slow_sum", name, cost.with_writes);
  }
  if (options_.wants(Row::Memory)) memory_after(server, generator, before);
}

void Sessions::held_memory(Server& server, const Generator& generator, const Memory& before) {
  const std::string name = server.name();
  const Memory held = server.account().memory();
  const auto clients = static_cast<double>(generator.clients());
  const auto grown = [&](std::uint64_t from, std::uint64_t to) {
    return (static_cast<double>(to) - static_cast<double>(from)) / clients;
  };
  add("memory_rss", name, grown(before.rss, held.rss));
  add("memory_pss", name, grown(before.pss, held.pss));
  add("memory_before", name, kibi(before.rss));
  add("memory_held", name, kibi(held.rss));
}

void Sessions::memory_after(Server& server, Generator& generator, const Memory& before) {
  const std::string name = server.name();
  say(name, "all clients go away");
  generator.close_all();
  await_closed(server);
  pause(kGiveBack);
  const Memory after = server.account().memory();
  add("memory_after", name, kibi(after.rss));
  add("memory_back", name, static_cast<double>(after.rss) / static_cast<double>(before.rss));
}

void Sessions::churn(Server& server) {
  const std::string name = server.name();
  Generator generator = generator_for(server);
  say(name, "connect, beat, close");
  generator.churn(kAtOnce, std::min<milliseconds>(kWarmUp, options_.length));
  pause(kSettle);
  await_closed(server);
  const std::uint64_t before = handled_by(server, generator);
  pause(kSettle);

  const Nanos start = server.account().cpu();
  const Churned churned = generator.churn(kAtOnce, options_.length);
  pause(kSettle);
  const Nanos cpu = server.account().cpu() - start;
  if (!generator.dialect().is_answered()) await_heartbeats(server, generator, before, churned.connections);
  await_closed(server);
  add("churn_cpu", name, per(cpu, churned.connections) / 1000);
  add("churn_rate", name, 1e9 / per(churned.took, churned.connections));
}

void Sessions::curve_by_rate(Server& server) {
  const std::string name = server.name();
  Generator generator = generator_for(server);
  generator.connect(size_.clients, size_.connects_per_second);
  await_accepted(server, size_.clients);
  for (const double rate : kCurveRates) {
    if (options_.quick && rate > size_.per_second) break;
    say(name, number(rate) + " heartbeats a second");
    const auto length = std::min<milliseconds>(kCurveLength, options_.length);
    add("by_rate/" + number(rate), name, cost_of_beats(server, generator, rate, 1, length).server);
  }
}

void Sessions::curve_by_clients(Server& server) {
  const std::string name = server.name();
  Generator generator = generator_for(server);
  for (const std::size_t clients : kCurveClients) {
    if (clients > size_.clients_held) break;
    say(name, std::to_string(clients) + " clients");
    generator.connect(clients - generator.clients(), size_.connects_per_second);
    const double rate = std::min(kCurveClientsRate, size_.per_second);
    const auto length = std::min<milliseconds>(kCurveLength, options_.length);
    add("by_clients/" + std::to_string(clients), name,
        cost_of_beats(server, generator, rate, 1, length).server);
  }
}

void Sessions::lateness(bool listing) {
  DaemonOptions options = options_.daemon;
  const Millis tick = options_.tick;
  options.flags.insert(options.flags.end(), {"--tick", format_duration(tick), "--threshold",
                                             std::to_string(kSilentTicks), "--cursor", "1"});
  DaemonServer daemon{options, cores_.server};
  // Asleep between its writes: the program that asks for lists has to run on the same core.
  Generator generator{daemon.address(), {}, false};
  say("heartbeatd", listing ? "late verdicts, while clients are listed" : "late verdicts");
  generator.connect(size_.clients_held, size_.connects_per_second);
  const double rate = static_cast<double>(size_.clients_held) / std::chrono::duration<double>(tick).count();
  generator.beat(rate, tick, 1);

  std::optional<Lister> lister;
  if (listing) lister.emplace(daemon);
  const double others =
      rate * static_cast<double>(size_.clients_held - size_.silent) / static_cast<double>(size_.clients_held);
  generator.beat(others, tick * (kSilentTicks + 1), 1, size_.silent);
  if (lister && lister->stop() == 0) throw Trouble{"no list of all clients was answered in time"};

  // A strike and a leave for each of the silent ones, and nothing for anybody else.
  const auto due = static_cast<std::int64_t>(2 * size_.silent);
  Lateness late;
  await("the verdicts that were due", [&] { return (late = daemon.verdict_lateness()).count >= due; });
  if (late.count > due) note("there were verdicts on clients that were to beat: the load came too late");
  const std::string key = listing ? "lateness_listing" : "lateness";
  add(key, "heartbeatd", static_cast<double>(late.p99));
  add(key + "_max", "heartbeatd", static_cast<double>(late.max));
}

void Sessions::core() {
  stay_on(cores_.server);
  for (const std::size_t clients : kCoreClients) {
    if (clients > size_.core_clients_max) break;
    for (const SlotOrder order : {SlotOrder::Accepted, SlotOrder::Shuffled}) {
      say("the core alone", std::to_string(clients) + " clients");
      const CoreFigures figures = run_core(clients, order, size_.core_heartbeats);
      const double rate = 1e3 / per(figures.cpu, figures.heartbeats);
      const std::string key = "core/" + std::to_string(clients);
      add(key, order == SlotOrder::Accepted ? "M/s in order" : "M/s shuffled", rate);
      if (order == SlotOrder::Shuffled) add(key, "bytes a client", figures.bytes_per_client);
    }
  }
  stay_on(cores_.generator);
}

Sessions::Cost Sessions::cost_of_beats(Server& server, Generator& generator, double per_second,
                                       std::size_t in_a_write, milliseconds length) {
  generator.beat(per_second, std::min(kWarmUp, length), in_a_write);
  pause(kSettle);
  const std::uint64_t before = handled_by(server, generator);
  pause(kSettle);

  const Nanos start = server.account().cpu();
  const Sent sent = generator.beat(per_second, length, in_a_write);
  pause(kSettle);
  const Nanos cpu = server.account().cpu() - start;
  await_heartbeats(server, generator, before, sent.heartbeats);
  if (sent.worst_late > kLateMax) {
    const auto late = std::chrono::duration_cast<milliseconds>(sent.worst_late).count();
    note(server.name() + ": a write came " + std::to_string(late) +
         " ms late, the machine was busy with something else");
  }
  return {.server = per(cpu, sent.heartbeats), .with_writes = per(cpu + sent.in_writes, sent.heartbeats)};
}

void Sessions::beat_once(Server& server, Generator& generator) const {
  const std::uint64_t before = handled_by(server, generator);
  const auto clients = static_cast<double>(generator.clients());
  const auto length = milliseconds{static_cast<std::int64_t>(clients * 1000 / size_.connects_per_second)};
  const double rate = clients / std::chrono::duration<double>(length).count();
  const Sent sent = generator.beat(rate, length, 1);
  await_heartbeats(server, generator, before, sent.heartbeats);
}

std::uint64_t Sessions::handled_by(Server& server, Generator& generator) {
  if (generator.dialect().is_answered()) return generator.answered();
  const Handled handled = server.handled();
  return server.kind() == ServerKind::Daemon ? handled.heartbeats : handled.bytes / generator.frame_size();
}

void Sessions::await_heartbeats(Server& server, Generator& generator, std::uint64_t before,
                                std::uint64_t sent) {
  std::uint64_t handled = 0;
  await("handle the heartbeats that it was sent", [&] {
    handled = handled_by(server, generator) - before;
    return handled >= sent;
  });
  if (handled != sent) {
    throw Trouble{"the server counts " + std::to_string(handled) + " heartbeats where " +
                  std::to_string(sent) + " were sent"};
  }
}

void Sessions::await_accepted(Server& server, std::uint64_t clients) {
  if (server.kind() == ServerKind::Peer)
    return;  // a client that was greeted, or will be answered, is accepted
  await("accept its clients", [&] { return server.handled().accepted >= clients; });
}

void Sessions::await_closed(Server& server) {
  if (server.kind() == ServerKind::Peer) return pause(kWarmUp);
  await("close its clients", [&] {
    const Handled now = server.handled();
    return now.closed == now.accepted;
  });
}

}  // namespace heartbeat::bench
