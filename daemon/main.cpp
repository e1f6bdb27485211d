// heartbeatd: parse, wire, run, exit code.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include <spdlog/spdlog.h>
#include <sysexits.h>

#include "common/descriptors.h"
#include "common/duration.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/os/suspension.h"
#include "common/uv/loop.h"
#include "common/uv/machine.h"
#include "common/uv/watchers.h"
#include "daemon/config/command_line.h"
#include "daemon/config/descriptor_shares.h"
#include "daemon/config/load.h"
#include "daemon/io/memory_reserve.h"
#include "daemon/io/server.h"
#include "daemon/log/event_log.h"
#include "daemon/log/journal.h"
#include "daemon/operations.h"
#include "daemon/reload.h"
#include "daemon/systemd/handed_sockets.h"
#include "daemon/systemd/libsystemd.h"
#include "daemon/systemd/service_manager.h"

namespace heartbeat {
namespace {

int refuse(int exit_code, const std::string& line) {
  // What a service writes is taken for information unless the line itself begins with its priority.
  std::fprintf(stderr, "%s%s\n", stderr_is_journal() ? "<3>" : "", line.c_str());
  return exit_code;
}

bool log_goes_to_journal(const Config& config) {
  if (config.log_target != "auto") return config.log_target == "journal";
  return libsystemd::has_journal() && stderr_is_journal();
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

// A path that somebody gave has to work.  Without one the daemon does without: it may well not be allowed to
// write where services have theirs.
tl::expected<void, std::string> listen_for_operators(Operations& operations, const Config& config,
                                                     std::optional<int> handed) {
  if (handed) return operations.adopt(*handed);
  auto listening = operations.listen(control_path(config));
  if (listening) spdlog::info("control socket {}", control_path(config));
  if (listening || !config.control.empty()) return listening;
  spdlog::warn("{}; there is none, and heartbeatctl cannot reach this daemon (--control sets another path)",
               listening.error());
  return {};
}

tl::expected<void, std::string> serve_http(Operations& operations, const Config& config) {
  if (config.http_listen.empty()) return {};
  const auto at =
      operations.serve_http(*parse_host_port(config.http_listen), config.http_allow_remote == "yes");
  if (!at) return tl::unexpected(at.error());
  spdlog::info("status page on http://{}/", to_string(*at));
  return {};
}

int run(const CommandLine& command_line, LoadedConfig loaded) {
  const std::size_t descriptors = raise_descriptor_limit();
  if (share_descriptors(descriptors, !loaded.config.http_listen.empty()).clients == 0) {
    return refuse(EX_OSERR,
                  "heartbeatd: the descriptor limit (LimitNOFILE, ulimit -n) leaves no room for clients");
  }
  const auto handed = take_handed_sockets();
  if (!handed) return refuse(EX_CONFIG, "heartbeatd: " + handed.error());
  fit_to_descriptors(loaded, descriptors, !loaded.config.http_listen.empty());
  // A peer that goes away while it is written to is an error code, not a signal.
  std::signal(SIGPIPE, SIG_IGN);

  MemoryReserve memory;
  uv::Loop loop;
  ServiceManager service;
  EventLog event_log{loaded.config.log_rate,
                     log_goes_to_journal(loaded.config) ? write_to_journal : write_to_stderr};
  int exit_code = EX_OK;
  {
    Operations operations{loop, descriptors};
    Server::Observer observer{.on_event =
                                  [&](const Event& event) {
                                    operations.tell(event);  // cannot fail
                                    event_log.tell(event, loop.now());
                                  },
                              .after_turn =
                                  [&](const Monitor& monitor) {
                                    operations.turn();
                                    event_log.turn(loop.now());
                                    service.turn(loop.now(), monitor.status_counts());
                                    if (command_line.debug) event_log.tell_roster(monitor);
                                  }};
    Server server{loop, server_settings(loaded.config), std::move(observer), os::time_asleep};
    server.use(memory);
    Reloader reloader{loop, server, command_line, std::move(loaded), descriptors};

    const auto reload = [&] {
      service.reloading();
      ReloadResult result = reloader.reload();
      operations.note_reload(result.errors.empty());
      event_log.set_per_second(reloader.in_force().config.log_rate);
      service.listening_on(server.entrance().listening());
      service.ready();
      return result;
    };
    operations.attach(
        server, [&](const std::string& level) { return reloader.set_log_level(level, "operator"); },
        [&] { return list_settings(reloader.in_force()); }, reload);
    auto listening = reloader.start(handed->clients);
    if (listening) {
      listening = listen_for_operators(operations, reloader.in_force().config, handed->control);
    }
    if (listening) listening = serve_http(operations, reloader.in_force().config);
    if (listening) {
      const auto end = [&](const char* name) {
        hold_back_ending_signals();
        spdlog::info("{}: shutting down with {} clients connected", name, server.monitor().clients().size());
        service.stopping();
        server.stop();
      };
      const auto on_sighup = uv::Signal::create(loop, SIGHUP, [&] { static_cast<void>(reload()); });
      const auto on_sigterm = uv::Signal::create(loop, SIGTERM, [&] { end("SIGTERM"); });
      const auto on_sigint = uv::Signal::create(loop, SIGINT, [&] { end("SIGINT"); });
      const Settings& settings = server.monitor().settings();
      const Rule& rule = settings.rule;
      spdlog::info(
          "heartbeatd {} is ready: tick={} threshold={} cursor={} recover={} leave_timeout={} max_clients={}",
          HEARTBEAT_VERSION, format_duration(rule.tick), rule.threshold, rule.cursor, rule.recover,
          format_duration(rule.leave_timeout), settings.clients_max);
      service.listening_on(server.entrance().listening());
      service.ready();
      loop.run();
    } else {
      exit_code = refuse(EX_UNAVAILABLE, "heartbeatd: " + listening.error());
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

// What --check-config and --print-config say of a configuration that has no mistakes.
std::string describe(const CommandLine& command_line, const LoadedConfig& loaded) {
  if (command_line.task == CommandLine::Task::PrintConfig) return print_config(loaded);
  if (!loaded.file.empty()) return loaded.file + ": ok\n";
  return std::string{"there is no "} + kDefaultConfigFile + ": defaults and flags are ok\n";
}

int main_of(int argc, char** argv) {
  // Until the loop runs: somebody who asks for a reload so early gets what is about to be read.
  std::signal(SIGHUP, SIG_IGN);

  const auto command_line = parse_command_line(argc, argv);
  if (!command_line) {
    const End& end = command_line.error();
    if (end.exit_code != EX_OK) return refuse(end.exit_code, end.text);
    std::fputs(end.text.c_str(), stdout);
    return EX_OK;
  }
  auto loaded = load_config(*command_line);
  if (!loaded) {
    for (const std::string& line : loaded.error().lines) refuse(loaded.error().exit_code, line);
    return loaded.error().exit_code;
  }
  if (command_line->task != CommandLine::Task::Run) {
    std::fputs(describe(*command_line, *loaded).c_str(), stdout);
    return EX_OK;
  }
  const LogStyle style = command_line->debug ? LogStyle::Terminal : LogStyle::Plain;
  if (const auto log = set_up_log(style, loaded->config.log_level); !log) {
    return refuse(EX_USAGE, "heartbeatd: --log-level: " + log.error());
  }
  if (log_goes_to_journal(loaded->config)) send_log_to_journal();
  return run(*command_line, std::move(*loaded));
}

}  // namespace
}  // namespace heartbeat

int main(int argc, char** argv) {
  heartbeat::open_standard_descriptors();
  return heartbeat::main_of(argc, argv);
}
