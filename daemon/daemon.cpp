#include "daemon/daemon.h"

#include <csignal>
#include <utility>

#include <spdlog/spdlog.h>
#include <sysexits.h>

#include "common/descriptors.h"
#include "common/duration.h"
#include "common/limits.h"
#include "common/os/suspension.h"
#include "common/uv/listening_socket.h"
#include "common/uv/machine.h"
#include "daemon/config/descriptor_shares.h"
#include "daemon/log/journal.h"

namespace heartbeat {
namespace {

// From the first signal that ends the daemon a further one changes nothing: it must not kill the process when
// the handlers are gone and the loop is being drained.
void hold_back_ending_signals() {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
}

int refuse(int exit_code, const std::string& why) {
  write_refusal("heartbeatd: " + why);
  return exit_code;
}

}  // namespace

Daemon::Daemon(uv::Loop& loop, MemoryReserve& memory, const CommandLine& command_line, LoadedConfig config,
               std::size_t descriptors)
    : loop_(loop),
      debug_(command_line.debug),
      event_log_(config.config.log_rate,
                 log_goes_to_journal(config.config.log_target) ? write_to_journal : write_to_stderr),
      server_(loop, server_settings(config.config), observer(), os::time_asleep),
      reloader_(loop, server_, command_line, std::move(config), descriptors),
      operations_(loop,
                  {.server = server_, .reloader = reloader_, .event_log = event_log_, .service = service_},
                  descriptors) {
  server_.use(memory);
}

Server::Observer Daemon::observer() {
  return {.on_event =
              [this](const Event& event) {
                operations_.record(event);  // first: it cannot fail
                event_log_.tell(event, loop_.now());
              },
          .after_turn = [this](const Monitor& monitor) { after_turn(monitor); }};
}

void Daemon::after_turn(const Monitor& monitor) {
  operations_.after_turn();
  event_log_.turn(loop_.now());
  service_.turn(loop_.now(), monitor.status_counts());
  if (debug_) event_log_.tell_roster(monitor);
}

// --- start ------------------------------------------------------------------------------------------------

tl::expected<void, std::string> Daemon::listen(const HandedSockets& handed) {
  auto listening = reloader_.start(handed.clients);
  if (listening) listening = listen_for_operators(handed);
  if (listening) listening = serve_http();
  return listening;
}

// A path that the operator set has to work.  The default path may not: the daemon then goes without, as its
// user may not be allowed to write where services have their sockets.
tl::expected<void, std::string> Daemon::listen_for_operators(const HandedSockets& handed) {
  if (handed.control) return operations_.adopt(*handed.control);
  auto listening = operations_.listen(control_path(config()));
  if (listening) spdlog::info("control socket {}", control_path(config()));
  if (listening || !config().control.empty()) return listening;
  spdlog::warn("{}; there is none, and heartbeatctl cannot reach this daemon (--control sets another path)",
               listening.error());
  return {};
}

tl::expected<void, std::string> Daemon::serve_http() {
  if (config().http_listen.empty()) return {};
  const auto at =
      operations_.serve_http(*parse_host_port(config().http_listen), config().http_allow_remote == "yes");
  if (!at) return tl::unexpected(at.error());
  spdlog::info("status page on http://{}/", to_string(*at));
  if (!uv::is_present(*at)) {
    spdlog::warn("{} is no address of this machine yet: the page can be reached as soon as it is one",
                 address_string(*at));
  }
  return {};
}

// --- run --------------------------------------------------------------------------------------------------

void Daemon::run() {
  on_sighup_ = uv::Signal::create(loop_, SIGHUP, [this] { static_cast<void>(operations_.reload()); });
  on_sigterm_ = uv::Signal::create(loop_, SIGTERM, [this] { end("SIGTERM"); });
  on_sigint_ = uv::Signal::create(loop_, SIGINT, [this] { end("SIGINT"); });
  operations_.count_descriptors();

  const Settings& settings = server_.monitor().settings();
  const Rule& rule = settings.rule;
  spdlog::info(
      "heartbeatd {} is ready: tick={} threshold={} cursor={} recover={} leave_timeout={} max_clients={}",
      HEARTBEAT_VERSION, format_duration(rule.tick), rule.threshold, rule.cursor, rule.recover,
      format_duration(rule.leave_timeout), settings.clients_max);
  service_.listening_on(server_.entrance().listening());
  service_.ready();
  loop_.run();
  event_log_.finish();
}

void Daemon::end(const char* signal_name) {
  hold_back_ending_signals();
  spdlog::info("{}: shutting down with {} clients connected", signal_name,
               server_.monitor().clients().size());
  service_.stopping();
  server_.stop();
}

int run_daemon(const CommandLine& command_line, LoadedConfig loaded) {
  const std::size_t descriptors = raise_descriptor_limit();
  const bool serves_http = !loaded.config.http_listen.empty();
  if (share_descriptors(descriptors, serves_http).clients == 0) {
    return refuse(EX_OSERR, "the descriptor limit (LimitNOFILE, ulimit -n) leaves no room for clients");
  }
  const auto handed = take_handed_sockets();
  if (!handed) return refuse(EX_CONFIG, handed.error());
  fit_to_descriptors(loaded, descriptors, serves_http);
  // Writing to a peer that has gone away is an error code, not a signal.
  std::signal(SIGPIPE, SIG_IGN);

  MemoryReserve memory;
  uv::Loop loop;
  int exit_code = EX_OK;
  {
    Daemon daemon{loop, memory, command_line, std::move(loaded), descriptors};
    if (const auto listening = daemon.listen(*handed)) {
      daemon.run();
    } else {
      exit_code = refuse(EX_UNAVAILABLE, listening.error());
    }
  }
  for (const std::string& leak : loop.drain(limits::kShutdownMax)) {
    spdlog::critical("leaked handle: {}", leak);
    exit_code = EX_SOFTWARE;
  }
  if (exit_code == EX_OK) spdlog::info("ended");
  return exit_code;
}

}  // namespace heartbeat
