// heartbeat-sim: parse, ask for the rule, simulate, judge, exit code.
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <sys/ioctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/control_path.h"
#include "common/descriptors.h"
#include "common/duration.h"
#include "common/limits.h"
#include "common/uv/address.h"
#include "common/uv/loop.h"
#include "common/uv/watchers.h"
#include "tools/sim/fleet.h"
#include "tools/sim/options.h"
#include "tools/sim/private_daemon.h"
#include "tools/sim/report.h"
#include "tools/sim/restarts.h"
#include "tools/sim/scout.h"
#include "tools/sim/virtual/swarm.h"

namespace heartbeat::sim {
namespace {

constexpr int kExitBroken = 1;
constexpr Millis kProgressEvery{500};

// Ctrl-C in a terminal may end the daemon as well: the simulator waits for its last notices, so
// that its shutdown is not taken for a promise that it broke.
constexpr Millis kShutdownHeard{200};

void say(const std::string& line) {
  std::fprintf(stderr, "heartbeat-sim: %s\n", line.c_str());
}

// One line on the terminal that is written over itself.
class Progress {
 public:
  explicit Progress(bool wanted) : shown_(wanted && isatty(STDERR_FILENO) != 0) {}

  void show(const std::string& line) const {
    if (!shown_) return;
    // A line that is wider than the terminal would begin a new one each time.
    winsize size{};
    const bool is_known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    const std::size_t width = is_known ? size.ws_col : 80U;
    std::fprintf(stderr, "\r%s\x1b[K", line.substr(0, width - 1).c_str());
  }
  void clear() const { show(""); }

 private:
  bool shown_;
};

bool is_loopback_v4(const Endpoint& server) {
  return server.family == Endpoint::Family::V4 && server.address.at(0) == 127;
}

// What is kept back is also for the second connection that a takeover has for a moment.
std::size_t clients_for(std::size_t wanted) {
  const std::size_t descriptors = raise_descriptor_limit();
  const std::size_t free = descriptors - std::min(descriptors, limits::kDescriptorHeadroom);
  return std::min(wanted, free);
}

// Why the run ended.
enum class Ending : std::uint8_t { Running, Done, DaemonEnded, NoRestart };

Millis finest_tick(const Plan& plan) {
  const auto is_finer = [](const Pace& a, const Pace& b) { return a.rule.tick < b.rule.tick; };
  return std::min_element(plan.paces.begin(), plan.paces.end(), is_finer)->rule.tick;
}

int tell(const Fleet& fleet, const Plan& plan, const Circumstances& circumstances, Ending ending) {
  const Report report = make_report(fleet.records(), plan.paces, circumstances, plan.id_prefix);
  std::fputs(table(report).c_str(), stdout);
  std::fflush(stdout);

  for (const std::string& line : report.told) say(line);
  if (report.untold > 0) say("and " + std::to_string(report.untold) + " more");
  if (report.late_max > finest_tick(plan) || fleet.stalled() > Millis{0}) {
    say("the simulator itself was late, by up to " + format_duration(report.late_max) + ", and stalled for " +
        format_duration(fleet.stalled()) + ": the clients that it affected are judged leniently");
  }
  const bool own_fault = std::any_of(fleet.records().begin(), fleet.records().end(),
                                     [](const Record& record) { return record.own_fault; });
  if (own_fault) say("not all clients could connect: give more --sources, or a higher ulimit -n");
  if (ending == Ending::DaemonEnded) say("the daemon ended");

  if (report.count(Verdict::Broken) > 0) return kExitBroken;
  if (ending == Ending::DaemonEnded || ending == Ending::NoRestart) return EX_UNAVAILABLE;
  return own_fault ? EX_OSERR : EX_OK;
}

int simulate(uv::Loop& loop, const Options& options, const Plan& plan) {
  Ending ending = Ending::Running;
  bool daemon_ended = false;
  MonoTime end_at;
  // Judged after one more poll: what had arrived by the end has happened by the end.
  const auto judge = uv::Timer::create(loop, [&] { loop.stop(); });
  const auto end = [&](Ending how, Millis judge_after = Millis{1}) {
    if (how == Ending::DaemonEnded) daemon_ended = true;
    if (ending != Ending::Running) return;
    ending = how;
    end_at = loop.now();
    judge->arm(judge_after);
  };
  Fleet fleet{loop, plan, [&] { end(Ending::DaemonEnded); }};

  std::optional<Restarts> restarts;
  if (options.restart_every) {
    restarts.emplace(loop, options.control.empty() ? default_control_path() : options.control,
                     *options.restart_every, [&](const std::string& why) {
                       say("no restart: " + why);
                       end(Ending::NoRestart);
                     });
  }
  const auto on_sigterm = uv::Signal::create(loop, SIGTERM, [&] { end(Ending::Done, kShutdownHeard); });
  const auto on_sigint = uv::Signal::create(loop, SIGINT, [&] { end(Ending::Done, kShutdownHeard); });
  const auto enough = uv::Timer::create(loop, [&] { end(Ending::Done); });
  if (options.duration) enough->arm(*options.duration);
  const Progress progress{!options.no_progress};
  uv::Owned<uv::Timer> refresh = uv::Timer::create(loop, [&] {
    progress.show(progress_line(fleet.records(), plan.clients));
    refresh->arm(kProgressEvery);
  });
  refresh->arm(kProgressEvery);

  loop.run();
  progress.clear();
  if (restarts) {
    say("the daemon was restarted " + std::to_string(restarts->count()) + " times, and the longest took " +
        format_duration(restarts->longest()));
  }
  const Circumstances circumstances{.end = end_at,
                                    .stalled = fleet.stalled(),
                                    .daemon_ended = daemon_ended,
                                    .restarting = restarts ? restarts->total() : Millis{0}};
  return tell(fleet, plan, circumstances, ending);
}

tl::expected<Plan, CommandLine::End> make_plan(uv::Loop& loop, const Options& options) {
  const auto refuse = [](int exit_code, const std::string& why) {
    return tl::unexpected(CommandLine::End{exit_code, "heartbeat-sim: " + why});
  };
  const auto server = uv::resolve(loop, options.server);
  if (!server) return refuse(EX_NOHOST, "--server: " + server.error());
  const std::size_t clients = clients_for(options.clients);
  if (clients == 0) return refuse(EX_OSERR, "the descriptor limit (ulimit -n) leaves no room for clients");
  if (clients < options.clients) {
    say("--clients lowered from " + std::to_string(options.clients) + " to " + std::to_string(clients) +
        ": the descriptor limit (ulimit -n) allows no more");
  }

  const bool spreads = is_loopback_v4(*server);
  if (options.sources.value_or(1) > 1 && !spreads) {
    return refuse(EX_USAGE, "--sources: the addresses of 127.0.0.0/8 cannot reach " + to_string(*server));
  }
  const std::size_t needed = (clients + limits::kClientsPerSource - 1) / limits::kClientsPerSource;
  if (needed > 1 && !spreads) {
    say("one source address has ports for about " + std::to_string(limits::kClientsPerSource) +
        " clients: not all may be able to connect");
  }

  auto context = door::context_for(options.door, options.server);
  if (!context) return refuse(EX_USAGE, context.error());
  // An address that no client has.
  const std::string preface = options.proxied
                                  ? door::proxy_header({.address = {10, 255, 0, 1}, .port = 50000}, *server)
                                  : std::string{};
  const std::vector<ClientKind> kinds =
      options.kinds.empty() ? std::vector<ClientKind>{ClientKind{}} : options.kinds;
  std::vector<Pace> paces;
  for (const ClientKind& kind : kinds) {
    const auto rule = ask_rule(loop, *server, *context, preface, options.door.token, kind);
    if (!rule) return refuse(EX_UNAVAILABLE, rule.error());
    const Millis interval = kind.group.empty() ? options.interval.value_or(rule->tick) : kind.interval;
    paces.push_back({interval, *rule});
  }
  return Plan{.server = *server,
              .clients = clients,
              .add_every = options.add_every,
              .sources = options.sources.value_or(spreads ? needed : 1),
              .id_prefix = options.id_prefix,
              .seed = options.seed,
              .mix = options.mix,
              .kinds = kinds,
              .paces = std::move(paces),
              .tls = std::move(*context),
              .token = options.door.token,
              .proxied = options.proxied};
}

void describe(const Plan& plan) {
  std::string intervals;
  for (std::size_t index = 0; index < plan.kinds.size(); ++index) {
    const Pace& pace = plan.paces[index];
    const std::string& group = plan.kinds[index].group;
    say((group.empty() ? "the daemon's rule" : "the daemon's rule for the group " + group) +
        ": tick=" + format_duration(pace.rule.tick) + " threshold=" + std::to_string(pace.rule.threshold) +
        " cursor=" + std::to_string(pace.rule.cursor) + " recover=" + std::to_string(pace.rule.recover) +
        " leave_timeout=" + format_duration(pace.rule.leave_timeout));
    intervals += (intervals.empty() ? "" : ", or each ") + format_duration(pace.interval);
  }
  say(std::to_string(plan.clients) + " clients " + plan.id_prefix + "-0 and on, one more each " +
      format_duration(plan.add_every) + ", beating each " + intervals + "; --seed " +
      std::to_string(plan.seed));
}

void describe_demo(const PrivateDaemon& daemon) {
  say("a daemon of its own listens on " + to_string(daemon.clients()) +
      "; within a minute clients join, go to leave, return, and are kicked");
  say("the status page: http://" + to_string(daemon.page()) + "/");
  say("in another terminal: heartbeatctl --control " + daemon.control_path() + " top");
}

int run(Options options) {
  // A daemon that goes away while it is written to is an error code, not a signal.
  std::signal(SIGPIPE, SIG_IGN);

  std::optional<PrivateDaemon> daemon;
  if (options.demo) {
    auto started = PrivateDaemon::start();
    if (!started) return CommandLine::finish({EX_UNAVAILABLE, "heartbeat-sim: " + started.error()});
    daemon.emplace(std::move(*started));
    options.server = daemon->clients();
    if (options.restart_every) options.control = daemon->control_path();
    describe_demo(*daemon);
  }

  uv::Loop loop;
  int exit_code = EX_OK;
  const auto plan = make_plan(loop, options);
  if (plan) {
    describe(*plan);
    exit_code = simulate(loop, options, *plan);
  } else {
    exit_code = CommandLine::finish(plan.error());
  }
  for (const std::string& leak : loop.drain(limits::kShutdownMax)) {
    say("leaked handle: " + leak);
    exit_code = EX_SOFTWARE;
  }
  return exit_code;
}

int run_virtual(const Options& options) {
  const Swarm swarm{.first_seed = options.seed,
                    .seeds = options.seeds,
                    .clients = options.clients,
                    .duration = options.duration.value_or(limits::kVirtualDefault),
                    .kinds = options.kinds};
  say("virtual time: " + std::to_string(swarm.clients) + " clients for " + format_duration(swarm.duration) +
      "; --seed " + std::to_string(swarm.first_seed) + " --seeds " + std::to_string(swarm.seeds));
  return run_swarm(swarm) == 0 ? EX_OK : kExitBroken;
}

}  // namespace
}  // namespace heartbeat::sim

int main(int argc, char** argv) {
  using namespace heartbeat;
  open_standard_descriptors();
  auto options = sim::parse_options(argc, argv, static_cast<std::uint32_t>(getpid()), std::random_device{}());
  if (!options) return CommandLine::finish(options.error());
  return options->virtual_time ? sim::run_virtual(*options) : sim::run(std::move(*options));
}
