// heartbeatd: parse, wire, run, exit code.
#include <csignal>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>
#include <sysexits.h>

#include "common/duration.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/uv/address.h"
#include "common/uv/loop.h"
#include "common/uv/machine.h"
#include "common/uv/watchers.h"
#include "daemon/config.h"
#include "daemon/descriptors.h"
#include "daemon/event_log.h"
#include "daemon/handed_sockets.h"
#include "daemon/io/server.h"
#include "daemon/journal.h"
#include "daemon/libsystemd.h"
#include "daemon/operations.h"
#include "daemon/service_manager.h"

namespace heartbeat {
namespace {

int refuse(int exit_code, const std::string& line) {
  // What a service writes is taken for information unless the line itself begins with its priority.
  std::fprintf(stderr, "%s%s\n", stderr_is_journal() ? "<3>" : "", line.c_str());
  return exit_code;
}

bool log_goes_to_journal(const Config& config) {
  switch (config.log_target) {
    case LogTarget::Stderr: return false;
    case LogTarget::Journal: return true;
    case LogTarget::Auto: break;
  }
  return libsystemd::has_journal() && stderr_is_journal();
}

// Keeps our own maximum below the descriptor limit: at that limit libuv 1.44 accepts and closes connections
// without telling anybody.
bool fit_to_descriptors(Settings& settings, std::size_t descriptors) {
  const std::size_t most = share_descriptors(descriptors).clients;
  if (most == 0) return false;
  if (settings.clients_max <= most) return true;
  spdlog::info("max_clients lowered from {} to {}: the descriptor limit (LimitNOFILE) is {}",
               settings.clients_max, most, descriptors);
  settings.clients_max = most;
  return true;
}

// From the first signal that ends us, a further one changes nothing: it must not kill us when the handlers
// are gone and the loop is being drained.
void hold_back_ending_signals() {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
}

// Returns the addresses with their real ports.
tl::expected<std::vector<Endpoint>, std::string> listen_everywhere(uv::Loop& loop, Server& server,
                                                                   const Config& config) {
  std::vector<Endpoint> listening;
  for (const HostPort& where : config.listen) {
    const auto endpoint = uv::resolve(loop, where);
    if (!endpoint) return tl::unexpected(endpoint.error());
    const auto local = server.listen(*endpoint, config.backlog);
    if (!local) return tl::unexpected(local.error());
    listening.push_back(*local);
  }
  return listening;
}

// Sockets that were handed over take the place of the configured addresses, which are most likely the same.
tl::expected<std::vector<Endpoint>, std::string> listen_on_handed(Server& server,
                                                                  const std::vector<int>& descriptors,
                                                                  const Config& config) {
  std::vector<Endpoint> listening;
  for (const int descriptor : descriptors) {
    const auto local = server.adopt(descriptor, config.backlog);
    if (!local) return tl::unexpected(local.error());
    listening.push_back(*local);
  }
  spdlog::info(
      "the service manager handed over the sockets to listen on; the configured addresses are not used");
  return listening;
}

// The level of the log, for a daemon that is running.
tl::expected<std::string, std::string> change_log_level(const std::string& level, Server& server) {
  auto former = set_log_level(level);
  if (former) server.report_heartbeats(spdlog::should_log(spdlog::level::debug));
  return former;
}

// A path that somebody gave has to work.  Without one the daemon does without: it may well not be allowed to
// write where services have theirs.
tl::expected<void, std::string> listen_for_operators(Operations& operations, const Config& config,
                                                     std::optional<int> handed) {
  if (handed) return operations.adopt(*handed);
  const std::string path = config.control.empty() ? default_control_path() : config.control;
  const auto listening = operations.listen(path);
  if (listening) spdlog::info("control socket {}", path);
  if (listening || !config.control.empty()) return listening;
  spdlog::warn("{}; there is none, and heartbeatctl cannot reach this daemon (--control sets another path)",
               listening.error());
  return {};
}

int run(Config config) {
  const std::size_t descriptors = uv::raise_descriptor_limit();
  if (!fit_to_descriptors(config.settings, descriptors)) {
    return refuse(EX_OSERR,
                  "heartbeatd: the descriptor limit (LimitNOFILE, ulimit -n) leaves no room for clients");
  }
  const auto handed = take_handed_sockets();
  if (!handed) return refuse(EX_CONFIG, "heartbeatd: " + handed.error());
  config.settings.report_heartbeats = spdlog::should_log(spdlog::level::debug);
  // A peer that goes away while it is written to is an error code, not a signal.
  std::signal(SIGPIPE, SIG_IGN);

  uv::Loop loop;
  ServiceManager service;
  EventLog event_log{config.log_rate, log_goes_to_journal(config) ? write_to_journal : write_to_stderr};
  int exit_code = EX_OK;
  {
    Operations operations{loop, descriptors};
    Server::Observer observer{.on_event =
                                  [&](const Event& event) {
                                    event_log.tell(event, loop.now());
                                    operations.tell(event);
                                  },
                              .after_turn =
                                  [&](const Monitor& monitor) {
                                    operations.turn();
                                    event_log.turn(loop.now());
                                    service.turn(loop.now(), monitor.status_counts());
                                    if (config.debug) event_log.tell_roster(monitor);
                                  }};
    Server server{loop, config.settings, std::move(observer)};

    const auto listening = handed->clients.empty() ? listen_everywhere(loop, server, config)
                                                   : listen_on_handed(server, handed->clients, config);
    operations.attach(
        server, [&](const std::string& level) { return change_log_level(level, server); },
        [] { return std::vector<SettingInForce>{}; }, [] { return ReloadResult{}; });
    const auto controlled = listen_for_operators(operations, config, handed->control);
    if (listening && controlled) {
      for (const Endpoint& endpoint : *listening) spdlog::info("listening on {}", to_string(endpoint));
      const Rule& rule = config.settings.rule;
      const auto end = [&](const char* name) {
        hold_back_ending_signals();
        spdlog::info("{}: shutting down with {} clients connected", name, server.monitor().clients().size());
        service.stopping();
        server.stop();
      };
      const auto on_sigterm = uv::Signal::create(loop, SIGTERM, [&] { end("SIGTERM"); });
      const auto on_sigint = uv::Signal::create(loop, SIGINT, [&] { end("SIGINT"); });
      spdlog::info(
          "heartbeatd {} is ready: tick={} threshold={} cursor={} recover={} leave_timeout={} max_clients={}",
          HEARTBEAT_VERSION, format_duration(rule.tick), rule.threshold, rule.cursor, rule.recover,
          format_duration(rule.leave_timeout), config.settings.clients_max);
      service.listening_on(*listening);
      service.ready();
      loop.run();
    } else {
      exit_code = refuse(EX_UNAVAILABLE, "heartbeatd: " + (listening ? controlled.error() : listening.error()));
    }
  }
  for (const std::string& leak : loop.drain(limits::kShutdownMax)) {
    spdlog::critical("leaked handle: {}", leak);
    exit_code = EX_SOFTWARE;
  }
  event_log.finish();
  if (exit_code == EX_OK) spdlog::info("ended");
  return exit_code;
}

int main_of(int argc, char** argv) {
  const auto config = parse_command_line(argc, argv);
  if (!config) {
    const CommandLineEnd& end = config.error();
    if (end.exit_code != EX_OK) return refuse(end.exit_code, end.text);
    std::fputs(end.text.c_str(), stdout);
    return EX_OK;
  }
  const LogStyle style = config->debug ? LogStyle::Terminal : LogStyle::Plain;
  if (const auto log = set_up_log(style, config->log_level); !log) {
    return refuse(EX_USAGE, "heartbeatd: --log-level: " + log.error());
  }
  if (log_goes_to_journal(*config)) send_log_to_journal();
  return run(*config);
}

}  // namespace
}  // namespace heartbeat

int main(int argc, char** argv) {
  return heartbeat::main_of(argc, argv);
}
