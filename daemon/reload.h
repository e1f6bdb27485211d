// Puts a configuration into force: at the start, and again while all clients stay connected.
//
// Everything that can be wrong is found before anything is changed: after a reload that failed the daemon is
// as it was.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/endpoint.h"
#include "common/uv/loop.h"
#include "daemon/config/command_line.h"
#include "daemon/config/load.h"
#include "daemon/config/settings_in_force.h"
#include "daemon/io/server.h"

namespace heartbeat {

// Lowers max_clients to the clients' share of the descriptors that the process may have.
void fit_to_descriptors(LoadedConfig& loaded, std::size_t descriptors, bool serves_http);

// The part of a configuration that concerns a server; the log has its level already.
[[nodiscard]] Settings server_settings(const Config& config);

class Reloader {
 public:
  // The server was made with these settings; see fit_to_descriptors() for `descriptors`.
  Reloader(uv::Loop& loop, Server& server, CommandLine command_line, LoadedConfig in_force,
           std::size_t descriptors);

  // Opens the addresses to listen on; or takes the sockets that were handed over in their place, and then a
  // reload leaves these as they are.  The error is a sentence that names what cannot be listened on.
  // Sockets that the process before this one listened at are kept where the configuration still wants them.
  [[nodiscard]] tl::expected<void, std::string> start(const std::vector<int>& handed,
                                                      const std::vector<Entrance::Kept>& inherited = {});

  // Whether the sockets for clients are the service manager's.
  [[nodiscard]] bool listens_for_manager() const { return handed_; }

  // Reads and validates everything, then swaps, and logs what came of it.
  ReloadResult reload();

  // Until a reload changes it; `origin` names the caller.  Returns what it was; the error is a sentence.
  [[nodiscard]] tl::expected<std::string, std::string> set_log_level(std::string_view level,
                                                                     std::string_view origin);

  // The level that an operator has set; empty if none has.
  [[nodiscard]] std::string log_level_of_operator() const;

  [[nodiscard]] const LoadedConfig& in_force() const { return in_force_; }

 private:
  struct Resolved {
    HostPort asked;
    std::vector<Endpoint> endpoints;  // at least one
  };

  ReloadResult try_reload();
  [[nodiscard]] tl::expected<void, std::string> adopt(const std::vector<int>& descriptors);
  [[nodiscard]] tl::expected<void, std::string> listen(const LoadedConfig& loaded);
  [[nodiscard]] tl::expected<std::vector<Endpoint>, std::string> resolve(const HostPort& where) const;
  [[nodiscard]] ReloadResult compare(LoadedConfig& loaded) const;
  void put_into_force(LoadedConfig&& loaded, Monitor::NewSettings&& settings, Demands&& at_handed);

  uv::Loop& loop_;
  Server& server_;
  CommandLine command_line_;
  LoadedConfig in_force_;
  std::size_t descriptors_;
  std::vector<Resolved> resolved_;  // what is listened on
  bool handed_ = false;             // by the service manager: the configured addresses are not used
};

}  // namespace heartbeat
