#include "tools/sim/options.h"

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include <sysexits.h>

#include "common/limits.h"
#include "common/text.h"

namespace heartbeat::sim {
namespace {

using Applied = CommandLine::Applied;

constexpr const char* kAbout =
    "Simulates clients of heartbeatd, each with its own socket and port and with a behaviour of its own,\n"
    "and judges whether the daemon treated each as the rule promises. It asks the daemon for the rule first.";

// What is seen within a minute: clients that join, fall silent, return, leave and are kicked.
constexpr std::size_t kDemoClients = 12;
constexpr Millis kDemoInterval{1000};
constexpr std::string_view kDemoMix = "steady=4,flaky=1,late=2,silent=2,declared=1,goodbye=1,illegal=1";

constexpr Mix kDefaultMix{6, 1, 1, 1, 1, 1, 1, 1, 1, 1};

std::string footer() {
  std::string text = "Behaviours:\n";
  for (std::size_t index = 0; index < kBehaviourCount; ++index) {
    const auto behaviour = static_cast<Behaviour>(index);
    std::string name{to_string(behaviour)};
    name.resize(10, ' ');
    text.append("  ").append(name).append(explain(behaviour)).append("\n");
  }
  return text +
         "\nWhat had no time to happen is reported as waiting, and is a failure only where it is overdue by\n"
         "five seconds or three ticks, whichever is more. A client that the simulator itself was late with, "
         "by\n"
         "more than a tick, is excused.\n"
         "\n"
         "Exit codes: 0 every promise was kept, or may yet be; 1 a promise was broken, with a line for "
         "each;\n"
         "64 bad command line; 69 the daemon was not reached, ended, or refused a restart; 71 out of "
         "descriptors\n"
         "or ports.\n"
         "SIGINT and SIGTERM end the run: what has happened by then is judged.\n"
         "\n"
         "With --virtual no daemon is asked: the daemon's core itself is run in virtual time under clients, "
         "a\n"
         "network, pauses, reloads and operators that are all drawn from the seed, and everything that it "
         "tells\n"
         "is compared with what the rule says tick by tick. A broken promise is printed with the seed "
         "that\n"
         "brings it back.\n"
         "\n"
         "Durations are written with a unit: 250ms, 10s, 30min, 1h.";
}

// Room for the number of a client behind it.
constexpr std::size_t kPrefixMax = limits::kIdMax - 12;

Applied read_prefix(const std::string& text, std::string& into) {
  if (text.empty() || text.size() > kPrefixMax || !is_printable(text)) {
    return tl::unexpected("'" + escaped(text, limits::kExcerptMax) + "' is not printable text of 1 to " +
                          std::to_string(kPrefixMax) + " bytes");
  }
  into = text;
  return {};
}

}  // namespace

tl::expected<Options, CommandLine::End> parse_options(int argc, const char* const* argv,
                                                      std::uint32_t own_pid, std::uint64_t random) {
  Options options;
  options.mix = kDefaultMix;
  options.id_prefix = "sim" + std::to_string(own_pid);
  options.seed = random;

  CommandLine line{"heartbeat-sim", kAbout, footer()};
  bool has_server = false;
  line.value("--server", "HOST:PORT", "The daemon [127.0.0.1:14000]",
             [&](const std::string& text) -> Applied {
               has_server = true;
               return parse_host_port(text).map([&](const HostPort& read) { options.server = read; });
             });
  line.toggle("--demo",
              "Show a daemon of its own, with a status page and 12 clients in trouble; Ctrl-C ends both",
              options.demo);
  line.number<std::size_t>("--clients", "Add clients until there have been this many [100]", 1,
                           limits::kClientsMax, options.clients);
  line.duration("--add-every", "Add one in this time; 0ms adds as fast as they are accepted [10s]", Millis{0},
                limits::kTickMax, options.add_every);
  line.duration("--interval", "Between the heartbeats of each [the daemon's tick]", limits::kTickMin,
                limits::kTickMax, options.interval);
  line.duration("--duration", "Judge and end after this time [until SIGINT or SIGTERM]", Millis{1},
                limits::kLeaveTimeoutMax, options.duration);
  line.value("--mix", "SHARES", "Behaviours by share: steady=8,silent=1 [6 steady to 1 of each other]",
             [&](const std::string& text) -> Applied {
               return parse_mix(text).map([&](const Mix& read) { options.mix = read; });
             });
  line.value(
      "--kinds", "GROUP=INTERVAL,...", "Clients of several rhythms in turn: game=1s,battery=15min [one kind]",
      [&](const std::string& text) -> Applied {
        return parse_kinds(text).map([&](std::vector<ClientKind> read) { options.kinds = std::move(read); });
      });
  line.number<std::size_t>(
      "--sources", "Spread over this many source addresses, from 127.0.0.1 [one for each 20000 clients]", 1,
      limits::kSourcesMax, options.sources);
  line.value("--id-prefix", "TEXT",
             "The clients are called TEXT-0, TEXT-1 and so on [sim and our process id]",
             [&](const std::string& text) { return read_prefix(text, options.id_prefix); });
  door::add_flags(line, options.door);
  line.toggle("--proxy", "Begin each connection with a PROXY protocol header, for an address of 10.0.0.0/8",
              options.proxied);
  line.duration("--restart-every", "Restart the daemon again and again, this long after each restart",
                kRestartEveryMin, limits::kTickMax, options.restart_every);
  line.value("--control", "PATH", "With --restart-every: the daemon's control socket [as heartbeatctl]",
             [&](const std::string& text) -> Applied {
               options.control = text;
               return {};
             });
  line.number<std::uint64_t>("--seed", "What is random is the same for the same seed [random, and printed]",
                             0, std::numeric_limits<std::uint64_t>::max(), options.seed);
  line.toggle("--virtual",
              "Prove the core in virtual time, with --clients, --duration [10min], --kinds and --seed",
              options.virtual_time);
  line.number<std::size_t>("--seeds", "With --virtual: this many runs, each with the next seed [1]", 1,
                           limits::kSeedsMax, options.seeds);
  line.toggle("--no-progress", "No live line, also on a terminal", options.no_progress);

  // What the demonstration sets is in force before the flags are read, so that a flag can change it.
  const std::span<const char* const> arguments{argv, static_cast<std::size_t>(argc)};
  if (std::find(arguments.begin(), arguments.end(), std::string_view{"--demo"}) != arguments.end()) {
    options.clients = kDemoClients;
    options.add_every = options.interval.emplace(kDemoInterval);
    options.mix = *parse_mix(kDemoMix);
    options.no_progress = true;
  }
  if (auto end = line.parse(argc, argv)) return tl::unexpected(std::move(*end));
  const auto refuse = [](const char* why) {
    return tl::unexpected(CommandLine::End{EX_USAGE, std::string{"heartbeat-sim: "} + why});
  };
  if (options.restart_every && options.virtual_time) {
    return refuse("--restart-every: with --virtual, restarts are drawn from the seed");
  }
  if (options.interval && !options.kinds.empty()) {
    return refuse("--interval: with --kinds each kind has its own");
  }
  if (!options.control.empty() && !options.restart_every) {
    return refuse("--control: without --restart-every it is not used");
  }
  if (options.demo && !options.control.empty()) {
    return refuse("--demo has a daemon of its own: leave --control away");
  }
  if (options.demo && has_server) {
    return refuse("--demo has a daemon of its own: leave --server away");
  }
  return options;
}

}  // namespace heartbeat::sim
