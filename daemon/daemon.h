// The daemon as a whole: its parts in the order in which they are made, and let go of in the opposite order.
//
// Everything that may fail before the daemon serves is in listen(); run() then serves until a signal ends it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "common/descriptor.h"
#include "common/uv/handle.h"
#include "common/uv/loop.h"
#include "common/uv/watchers.h"
#include "daemon/config/command_line.h"
#include "daemon/config/load.h"
#include "daemon/events/event_journal.h"
#include "daemon/events/known_clients_file.h"
#include "daemon/io/memory_reserve.h"
#include "daemon/io/server.h"
#include "daemon/log/event_log.h"
#include "daemon/operations.h"
#include "daemon/predecessor.h"
#include "daemon/reload.h"
#include "daemon/restart/exec.h"
#include "daemon/restart/handover.h"
#include "daemon/restarter.h"
#include "daemon/safekeeping.h"
#include "daemon/systemd/handed_sockets.h"
#include "daemon/systemd/service_manager.h"

namespace heartbeat {

class Daemon {
 public:
  // `descriptors`: how many the process may have open; the configuration has been fitted to it.
  // `program` is run in the place of this one at a restart.  `predecessor`: whose place this process takes;
  // nothing if it takes none's.
  Daemon(uv::Loop& loop, MemoryReserve& memory, const CommandLine& command_line, LoadedConfig config,
         std::size_t descriptors, Invocation program, std::optional<Predecessor> predecessor);

  // Opens the addresses for clients, the control socket and HTTP, or takes what the service manager handed
  // over.  The error is a sentence.
  [[nodiscard]] tl::expected<void, std::string> listen(const HandedSockets& handed);

  // Serves until SIGTERM or SIGINT, and returns when the clients that asked for it have read the notice of
  // the shutdown.
  void run();

 private:
  [[nodiscard]] tl::expected<void, std::string> listen_for_clients(const HandedSockets& handed);
  [[nodiscard]] tl::expected<void, std::string> listen_for_operators(const HandedSockets& handed);
  [[nodiscard]] bool adopt_control_socket();
  [[nodiscard]] tl::expected<void, std::string> serve_http();
  [[nodiscard]] const Config& config() const { return reloader_.in_force().config; }
  [[nodiscard]] Server::Observer observer();
  void after_turn(const Monitor& monitor);
  void end(const char* signal_name);
  void stop();

  // --- over a restart ---
  [[nodiscard]] Server::Beginning beginning(const Config& config);
  [[nodiscard]] Operations::Run beginning_of_run() const;
  [[nodiscard]] std::optional<Operations::Continued> continued();
  [[nodiscard]] bool keeps_over_crash() const {
    return config().keep_over_crash == "yes" && ServiceManager::is_there();
  }
  void recognise_listening_sockets();
  void expect_clients_of_before();
  void adopt_clients();
  void adopt_known_clients();
  void adopt_unknown_clients();
  void put_settings_into_force();
  void answer_waiting_operators();
  void replace();
  [[nodiscard]] bool leave_with_manager();
  // Numbers of descriptors that the next process needs; they stay their owners'.
  struct Kept {
    std::vector<int> clients;
    std::vector<int> others;
  };
  enum class Next : std::uint8_t { SameProcess, ProcessOfManager };
  [[nodiscard]] tl::expected<Descriptor, std::string> write_state(Kept& kept);
  [[nodiscard]] Handover describe(Next next, Kept& kept);

  uv::Loop& loop_;
  bool debug_;
  bool is_leaving_ = false;                 // SIGTERM came, and the service manager restarts the unit
  std::optional<Predecessor> predecessor_;  // until its clients are adopted
  ServiceManager service_;
  EventLog event_log_;
  std::string run_;      // the id of this run, which goes on over a restart
  EventJournal events_;  // opened before the monitor is made, whose events go on from its last number
  KnownClientsFile known_clients_;
  Server server_;  // calls the observer only while the loop runs, when the parts below exist
  Reloader reloader_;
  Restarter restarter_;
  Operations operations_;
  Safekeeping safekeeping_;
  uv::Owned<uv::Timer> new_settings_;  // after a restart, where the configuration has changed
  uv::Owned<uv::Signal> on_sighup_;
  uv::Owned<uv::Signal> on_sigterm_;
  uv::Owned<uv::Signal> on_sigint_;
  uv::Owned<uv::Signal> on_sigusr2_;
};

// Runs a daemon with this configuration.  Returns the program's exit code; why it is not 0 stands on standard
// error or in the log.
[[nodiscard]] int run_daemon(const CommandLine& command_line, LoadedConfig loaded, Invocation program,
                             std::optional<Predecessor> predecessor);

}  // namespace heartbeat
