#include "daemon/daemon.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sysexits.h>

#include "common/descriptors.h"
#include "common/duration.h"
#include "common/json_frame.h"
#include "common/limits.h"
#include "common/os/memory_file.h"
#include "common/os/socket.h"
#include "common/os/suspension.h"
#include "common/os/unix_socket.h"
#include "common/uv/address.h"
#include "common/uv/guard.h"
#include "common/uv/listening_socket.h"
#include "common/uv/machine.h"
#include "common/wall_time.h"
#include "daemon/config/descriptor_shares.h"
#include "daemon/core/saved_state.h"
#include "daemon/events/known_clients_json.h"
#include "daemon/journal_options.h"
#include "daemon/log/journal.h"

namespace heartbeat {
namespace {

// After a restart: what had arrived in the gap is heard by then, whatever the pause between two turns.
constexpr Millis kSettingsAfter{500};
constexpr Millis kSettingsRetry{5000};
constexpr Millis kSettingsAfterJudging{5};  // a few turns at the most

// From the first signal that ends the daemon a further one changes nothing, be it to end, to reload or to
// restart: it must not kill the process when the handlers are gone and the loop is being drained.
void hold_back_signals() {
  sigset_t handled;
  sigemptyset(&handled);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR2}) sigaddset(&handled, number);
  pthread_sigmask(SIG_BLOCK, &handled, nullptr);
}

bool log_not_kept(const std::string& why) {
  spdlog::error("the clients are not kept over the restart, and are closed: {}", why);
  return false;
}

MonoTime machine_now() {
  return MonoTime{std::chrono::floor<Millis>(uv::Loop::fine_now())};
}

int refuse(int exit_code, const std::string& why) {
  write_refusal("heartbeatd: " + why);
  return exit_code;
}

}  // namespace

Daemon::Daemon(uv::Loop& loop, MemoryReserve& memory, const CommandLine& command_line, LoadedConfig config,
               std::size_t descriptors, Invocation program, std::optional<Predecessor> predecessor)
    : loop_(loop),
      debug_(command_line.debug),
      predecessor_(std::move(predecessor)),
      event_log_(config.config.log_rate,
                 log_goes_to_journal(config.config.log_target) ? write_to_journal : write_to_stderr),
      run_(predecessor_ && predecessor_->state ? predecessor_->state->run : uv::random_id()),
      events_(loop, journal_options(config.config), run_),
      known_clients_(loop, journal_options(config.config).directory, run_),
      server_(loop, beginning(config.config), observer(), os::time_asleep),
      reloader_(loop, server_, command_line, std::move(config), descriptors),
      restarter_(loop, std::move(program), [this] { operations_.control().answer_restart(); }),
      operations_(loop,
                  {.server = server_,
                   .reloader = reloader_,
                   .event_log = event_log_,
                   .events = events_,
                   .service = service_,
                   .restarter = restarter_},
                  descriptors, beginning_of_run(), continued()),
      safekeeping_(server_,
                   [this] {
                     Kept kept;
                     Handover handover = describe(Next::ProcessOfManager, kept);
                     return Safekeeping::Snapshot{std::move(handover), std::move(kept.others)};
                   }),
      new_settings_(uv::Timer::create(loop, [this] { put_settings_into_force(); })) {
  server_.use(memory);
}

// With the settings of before: those of the configuration are put into force when what had arrived meanwhile
// has been heard.
Server::Beginning Daemon::beginning(const Config& config) {
  if (predecessor_ && predecessor_->state) {
    return {.monitor = std::move(predecessor_->state->monitor), .turn = predecessor_->state->turn};
  }
  MonitorState state{server_settings(config), uv::random_key()};
  state.events_told = events_.open();
  return {.monitor = std::move(state)};
}

Operations::Run Daemon::beginning_of_run() const {
  return {.id = run_, .first_event = server_.monitor().state().events_told + 1};
}

std::optional<Operations::Continued> Daemon::continued() {
  if (!predecessor_ || !predecessor_->state) return {};
  SavedState& state = *predecessor_->state;
  predecessor_->length = loop_.now() - predecessor_->handover.written;
  events_.go_on(state.feed);
  return Operations::Continued{.started = state.started,
                               .feed = std::move(state.feed),
                               .report = std::move(state.others),
                               .unread = predecessor_->length};
}

Server::Observer Daemon::observer() {
  return {.on_event =
              [this](const Event& event) {
                operations_.record(event);  // first: it cannot fail
                uv::guarded([&] { events_.add(event); });
                event_log_.tell(event, loop_.now());
              },
          .after_turn = [this](const Monitor& monitor) { after_turn(monitor); }};
}

void Daemon::after_turn(const Monitor& monitor) {
  operations_.after_turn();
  events_.after_turn(operations_.clock());
  known_clients_.after_turn(monitor);
  event_log_.turn(loop_.now());
  service_.turn(loop_.now(), monitor.status_counts());
  if (debug_) event_log_.tell_roster(monitor);
  safekeeping_.after_turn(loop_.now());  // last of all: what was done above is a part of it
}

// --- start ------------------------------------------------------------------------------------------------

tl::expected<void, std::string> Daemon::listen(const HandedSockets& handed) {
  if (predecessor_) safekeeping_.inherit(handed.kept_names);
  if (predecessor_ && !predecessor_->has_handover) recognise_listening_sockets();
  if (!predecessor_ || !predecessor_->state) expect_clients_of_before();
  auto listening = listen_for_clients(handed);
  if (listening) listening = listen_for_operators(handed);
  if (listening) listening = serve_http();
  if (listening) operations_.watch_certificates();
  if (listening && predecessor_) adopt_clients();
  return listening;
}

tl::expected<void, std::string> Daemon::listen_for_clients(const HandedSockets& handed) {
  std::vector<int> of_manager = handed.clients;
  std::vector<Entrance::Kept> inherited;
  if (predecessor_) {
    for (const Handover::Listener& listener : predecessor_->handover.listeners) {
      const int socket = predecessor_->sockets.take(listener.socket).release();
      if (socket < 0) continue;
      if (listener.is_of_manager) {
        of_manager.push_back(socket);
      } else {
        inherited.push_back({listener.asked, socket});
      }
    }
  }
  return reloader_.start(of_manager, inherited);
}

// A path that the operator set has to work.  The default path may not: the daemon then goes without, as its
// user may not be allowed to write where services have their sockets.
tl::expected<void, std::string> Daemon::listen_for_operators(const HandedSockets& handed) {
  operations_.admit_readers(reloader_.in_force().control_readers);
  if (handed.control) return operations_.adopt(*handed.control);
  if (predecessor_ && adopt_control_socket()) return {};
  auto listening = operations_.listen(control_path(config()));
  if (listening) spdlog::info("control socket {}", control_path(config()));
  if (listening || !config().control.empty()) return listening;
  spdlog::warn("{}; there is none, and heartbeatctl cannot reach this daemon (--control sets another path)",
               listening.error());
  return {};
}

// Where the path has changed, the one of before is removed.
bool Daemon::adopt_control_socket() {
  const std::string& path = predecessor_->handover.control_path;
  Descriptor socket = predecessor_->sockets.take(predecessor_->handover.control);
  if (socket.get() < 0) return false;
  if (path.empty()) return operations_.adopt(socket.release()).has_value();
  if (path != control_path(config())) {
    static_cast<void>(SocketFile::adopt(path));
    return false;
  }
  const auto listening = operations_.adopt(std::move(socket), path);
  if (!listening) spdlog::warn("{}; it is made anew", listening.error());
  return listening.has_value();
}

tl::expected<void, std::string> Daemon::serve_http() {
  Descriptor inherited =
      predecessor_ ? predecessor_->sockets.take(predecessor_->handover.http) : Descriptor{-1};
  if (config().http_listen.empty()) return {};
  const auto at = operations_.serve_http(reloader_.in_force(), std::move(inherited));
  if (!at) return tl::unexpected(at.error());
  const char* const scheme = config().http_tls_certificate.empty() ? "http" : "https";
  spdlog::info("status page on {}://{}/", scheme, to_string(*at));
  if (!uv::is_present(*at)) {
    spdlog::warn("{} is no address of this machine yet: the page can be reached as soon as it is one",
                 address_string(*at));
  }
  return {};
}

// --- run --------------------------------------------------------------------------------------------------

void Daemon::run() {
  on_sighup_ = uv::Signal::create(loop_, SIGHUP, [this] { operations_.reload_soon(); });
  on_sigterm_ = uv::Signal::create(loop_, SIGTERM, [this] { end("SIGTERM"); });
  on_sigint_ = uv::Signal::create(loop_, SIGINT, [this] { end("SIGINT"); });
  on_sigusr2_ = uv::Signal::create(loop_, SIGUSR2, [this] { restarter_.begin(); });
  if (predecessor_ && predecessor_->was_executed) unblock_signals();
  keeps_over_crash() ? safekeeping_.begin() : safekeeping_.forget();
  operations_.count_descriptors();
  operations_.read_roster();

  const Settings& settings = server_.monitor().settings();
  const Rule& rule = settings.rule;
  if (!predecessor_ || !predecessor_->state) events_.begin(HEARTBEAT_VERSION, operations_.boot().started);
  spdlog::info(
      "heartbeatd {} is ready: tick={} threshold={} cursor={} recover={} leave_timeout={} max_clients={}",
      HEARTBEAT_VERSION, format_duration(rule.tick), rule.threshold, rule.cursor, rule.recover,
      format_duration(rule.leave_timeout), settings.clients_max);
  service_.listening_on(server_.entrance().listening());
  service_.ready();
  if (predecessor_) answer_waiting_operators();
  for (;;) {
    if (!is_leaving_) loop_.run();
    if (is_leaving_) {
      bool has_left = false;
      if (!uv::guarded([&] { has_left = leave_with_manager(); })) log_not_kept("out of memory");
      if (has_left) break;
      is_leaving_ = false;
      stop();
    } else if (restarter_.is_due()) {
      if (!uv::guarded([this] { replace(); })) restarter_.refuse("out of memory");
      if (server_.is_stopping() || is_leaving_) hold_back_signals();
    } else {
      break;
    }
  }
  event_log_.finish();
  // The process of the service manager goes on with this run.
  events_.finish(operations_.clock(), limits::kJournalFinishMax, !is_leaving_);
}

void Daemon::end(const char* signal_name) {
  hold_back_signals();
  if (ServiceManager::is_restarting()) {
    is_leaving_ = true;
    loop_.stop();
    return;
  }
  spdlog::info("{}: shutting down with {} clients connected", signal_name,
               server_.monitor().clients().size());
  stop();
}

void Daemon::stop() {
  safekeeping_.forget();
  service_.stopping();
  server_.stop();
}

// --- over a restart ---------------------------------------------------------------------------------------

// After a restart.  Without memory nothing has changed, and it is tried again.  Clients that are due by the
// old settings come first, a slice in each turn.
void Daemon::put_settings_into_force() {
  if (server_.is_judging()) return new_settings_->arm(kSettingsAfterJudging);
  const bool done = uv::guarded([this] {
    auto settings = server_.prepare(server_settings(config()));
    settings.check_credentials = true;  // lines may have gone while no daemon ran
    server_.change_settings(std::move(settings));
  });
  if (done) return;
  spdlog::error("out of memory: the settings of before the restart still hold, and are changed in {}",
                format_duration(kSettingsRetry));
  new_settings_->arm(kSettingsRetry);
}

// Where no handover says which socket is what, a listening socket is known by its address.  Made anew beside
// the one that is open already, it would find its address taken, and the daemon would end.
void Daemon::recognise_listening_sockets() {
  std::vector<Endpoint> http;
  if (!config().http_listen.empty()) {
    http = uv::resolve_all(loop_, *parse_host_port(config().http_listen)).value_or(http);
  }
  Handover& handover = predecessor_->handover;
  for (const int socket : predecessor_->sockets.listening()) {
    const Handover::Cookie cookie = os::socket_cookie(socket);
    const std::string path = os::bound_path(socket);
    const Endpoint at = uv::local_endpoint(socket);
    if (!path.empty()) {
      handover.control = cookie;
      handover.control_path = path;
    } else if (!http.empty() && http.front() == at) {
      handover.http = cookie;
    } else {
      handover.listeners.push_back({.socket = cookie, .asked = at});
    }
  }
}

// A run that begins knows its clients by the journal alone.  Without one, or without memory, none is
// expected.
void Daemon::expect_clients_of_before() {
  const std::string directory = journal_options(config()).directory;
  if (directory.empty()) return;
  uv::guarded([&] {
    const auto known = read_known_clients(directory);
    if (!known || known->clients.empty()) return;
    const MonoTime now = server_.listening_now();
    const Millis ago = std::max(Millis{0}, uv::wall_time(loop_) - known->ended);
    std::vector<ClosedClient> clients;
    for (const KnownClient& client : known->clients) {
      ClosedClient& closed = clients.emplace_back();
      closed.name = client.name;
      closed.peer = parse_endpoint(client.peer).value_or(Endpoint{});
      closed.status = client.status;
      closed.away = client.away;
      closed.group = client.group;
      closed.connected_at = closed.last_heard = now - ago;
    }
    server_.expect(std::move(clients));
    spdlog::info("missing clients={} since={}: they were connected when the daemon last ended",
                 known->clients.size(), format_instant(known->ended));
  });
}

// Every client is adopted, whatever becomes of the state: clients of which nothing is known count as accepted
// now.
void Daemon::adopt_clients() {
  Predecessor& from = *predecessor_;
  if (!from.unreadable.empty()) {
    spdlog::error(
        "the state of the daemon before cannot be read ({}): its clients stay connected, and count as "
        "accepted now",
        from.unreadable);
  }
  if (!from.handover.log_level.empty()) {
    static_cast<void>(reloader_.set_log_level(from.handover.log_level, "operator"));
  }
  for (const Handover::Cookie cookie : from.handover.waiting) {
    from.waiting.push_back(from.sockets.take(cookie));
  }
  from.state ? adopt_known_clients() : adopt_unknown_clients();
  // With many clients their adoption takes as long as all before it, and the loop has not looked at its
  // clock.
  if (from.state) from.length = machine_now() - from.handover.written;
  server_.adopted({.from_version = from.handover.version,
                   .to_version = HEARTBEAT_VERSION,
                   .length = from.length,
                   .after_crash = from.has_crashed});
  const bool has_tokens = reloader_.in_force().tokens != nullptr;
  if (has_tokens || server_.monitor().settings() != server_settings(config()))
    new_settings_->arm(kSettingsAfter);
}

void Daemon::adopt_known_clients() {
  Predecessor& from = *predecessor_;
  for (const Predecessor::Lost& lost : from.lost) server_.close_over_crash(lost.conn, lost.why);
  // Closes the sockets of these, too, as their clients are gone.
  for (const Handover::Client& client : from.handover.clients) {
    server_.adopt(client.conn, from.sockets.take(client.socket), client.unsent);
  }
  // Connections whose clients had been closed before.
  for (const Descriptor& socket : from.sockets.take_connections()) ::shutdown(socket.get(), SHUT_RDWR);
}

void Daemon::adopt_unknown_clients() {
  for (Descriptor& socket : predecessor_->sockets.take_connections())
    server_.adopt_unknown(std::move(socket));
}

void Daemon::answer_waiting_operators() {
  std::string answer;
  append_json_frame(answer, [&](JsonWriter& json) {
    json.add("type", "done");
    json.add("from_version", predecessor_->handover.version);
    json.add("to_version", HEARTBEAT_VERSION);
    json.add("restarted_ms", predecessor_->length);
    json.add("clients", server_.monitor().clients().size());
  });
  // An operator that does not read has gone away.
  for (const Descriptor& operator_of : predecessor_->waiting) {
    static_cast<void>(os::send_bytes(operator_of.get(), answer));
  }
  predecessor_.reset();
}

// Outside of the loop.  The turn before it deals with the signals that had come before they were blocked: one
// that ends the daemon wins.  Returns if there was no restart.
void Daemon::replace() {
  const SignalsBlocked blocked;
  loop_.turn_once();
  if (server_.is_stopping() || is_leaving_) return restarter_.refuse("the daemon is shutting down");

  ControlServer& control = operations_.control();
  server_.close_unkeepable();
  Kept kept;
  const auto state = write_state(kept);
  if (!state) return restarter_.refuse(state.error());
  kept.others.insert(kept.others.end(), kept.clients.begin(), kept.clients.end());
  spdlog::info("restarting with {} clients connected", server_.monitor().clients().size());
  event_log_.finish();
  events_.finish(operations_.clock(), limits::kJournalHandOverMax, false);
  service_.restarting();
  safekeeping_.forget();  // the sockets stay in this process
  control.end_for_restart();
  const int error = replace_process(restarter_.program(), state->get(), kept.others);
  if (keeps_over_crash()) safekeeping_.begin();
  service_.ready();
  restarter_.refuse(restarter_.program().path + " cannot be run: " + std::strerror(error));
}

// Outside of the loop.  Returns whether the clients are with the service manager now; then nothing may be
// sent to them any more.
bool Daemon::leave_with_manager() {
  loop_.turn_once();
  server_.close_unkeepable();
  if (!safekeeping_.leave()) {
    return log_not_kept("the service manager stores no descriptors (FileDescriptorStoreMax=)");
  }
  spdlog::info("restarting with {} clients connected", server_.monitor().clients().size());
  // From here on the clients are the manager's, whether a session gets its last word or not.
  uv::guarded([this] { operations_.control().end_for_restart(); });
  operations_.control().leave_path();
  return true;
}

tl::expected<Descriptor, std::string> Daemon::write_state(Kept& kept) {
  tl::expected<Descriptor, int> state = tl::unexpected(ENOMEM);
  uv::guarded([&] { state = os::memory_file(write_handover(describe(Next::SameProcess, kept))); });
  if (state) return std::move(*state);
  return tl::unexpected(std::string{"the state cannot be written: "} + std::strerror(state.error()));
}

Handover Daemon::describe(Next next, Kept& kept) {
  const auto keep = [&](int descriptor) {
    kept.others.push_back(descriptor);
    return os::socket_cookie(descriptor);
  };
  // Its own sockets the manager hands over by itself.
  const bool with_managers = next == Next::SameProcess;
  const Turn::State turn = server_.turn_state();
  const Boot& boot = operations_.boot();
  const std::string report = operations_.saved_report();
  Handover handover{.version = HEARTBEAT_VERSION,
                    .written = turn.clock.machine,
                    .state = save_state({.monitor = server_.monitor().state(),
                                         .turn = turn,
                                         .feed = operations_.feed(),
                                         .run = boot.id,
                                         .started = boot.started,
                                         .others = report})};
  for (Server::Kept& client : server_.kept()) {
    kept.clients.push_back(client.descriptor);
    handover.clients.push_back({os::socket_cookie(client.descriptor), client.conn, std::move(client.unsent)});
  }
  for (const Entrance::Kept& listener : server_.entrance().kept()) {
    if (reloader_.listens_for_manager() && !with_managers) break;
    handover.listeners.push_back(
        {keep(listener.descriptor), listener.asked, reloader_.listens_for_manager()});
  }
  ControlServer& control = operations_.control();
  if (control.acceptor() != nullptr && (with_managers || !control.path().empty())) {
    handover.control = keep(control.acceptor()->descriptor());
    handover.control_path = control.path();
  }
  if (!with_managers) handover.armed = server_.monitor().armed();
  handover.log_level = reloader_.log_level_of_operator();
  if (operations_.http_listener() >= 0) handover.http = keep(operations_.http_listener());
  if (next == Next::ProcessOfManager) return handover;
  for (const int operator_of : control.waiting_for_restart()) handover.waiting.push_back(keep(operator_of));
  return handover;
}

int run_daemon(const CommandLine& command_line, LoadedConfig loaded, Invocation program,
               std::optional<Predecessor> predecessor) {
  const std::size_t descriptors = raise_descriptor_limit();
  const bool serves_http = !loaded.config.http_listen.empty();
  if (share_descriptors(descriptors, serves_http).clients == 0) {
    return refuse(EX_OSERR, "the descriptor limit (LimitNOFILE, ulimit -n) leaves no room for clients");
  }
  const auto handed = take_handed_sockets();
  if (!handed) return refuse(EX_CONFIG, handed.error());
  if (!predecessor) predecessor = predecessor_of_manager(*handed, loaded.tokens.get());
  fit_to_descriptors(loaded, descriptors, serves_http);
  // Writing to a peer that has gone away is an error code, not a signal.
  std::signal(SIGPIPE, SIG_IGN);

  MemoryReserve memory;
  uv::Loop loop;
  int exit_code = EX_OK;
  {
    Daemon daemon{loop,
                  memory,
                  command_line,
                  std::move(loaded),
                  descriptors,
                  std::move(program),
                  std::move(predecessor)};
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
  if (loop.has_work()) {
    // At the end of main() libuv would wait for its threads, and so for the disk.
    spdlog::error("ended while the disk has not answered");
    spdlog::default_logger()->flush();
    std::_Exit(exit_code);
  }
  if (exit_code == EX_OK) spdlog::info("ended");
  return exit_code;
}

}  // namespace heartbeat
