// What can be configured, as one plain value: the defaults stand here and nowhere else.
//
// Knows nothing of files and flags; daemon/config/setting.h lists the members by name.
#pragma once

#include <string>
#include <vector>

#include "common/control_path.h"
#include "common/endpoint.h"
#include "common/limits.h"
#include "common/network.h"
#include "common/tcp_path.h"
#include "daemon/config/group_settings.h"
#include "daemon/config/listener.h"
#include "daemon/core/monitor.h"

namespace heartbeat {

struct Config {
  Settings settings;
  std::vector<HostPort> listen{{"127.0.0.1", 14000}};  // empty only where there are `listeners`
  std::vector<Listener> listeners;                     // beside those of `listen`
  std::vector<Network> proxy_from;                     // empty: no connection brings a PROXY header
  std::string require = "none";                        // one of kRequirements
  std::string tokens;                 // the path of the file of tokens; empty: there are none
  std::string token_in_clear = "no";  // or "yes"
  std::string roster;                 // the path of the file of expected ids; empty: there is none
  std::vector<GroupSettings> groups;  // made into settings.groups when all is read
  int backlog = 4096;
  std::string keep_over_crash = "yes";   // or "no"
  Millis pause_max = limits::kPauseMax;  // between two turns of the loop; 0 for none
  TcpLimits tcp;
  unsigned accept_rate = limits::kAcceptRateDefault;  // connections in a second; 0 for no limit
  std::string log_level = "info";
  std::string log_target = "auto";
  unsigned log_rate = limits::kLogRateDefault;  // records of one kind of event in a second; 0 for no limit
  std::string control;                   // the path of the control socket; empty: default_control_path()
  std::string control_readers;           // the name of a group; empty: none may only see
  std::string http_listen;               // HOST:PORT; empty: there is no HTTP
  std::string http_allow_remote = "no";  // or "yes"
  std::string http_tokens;               // the path of a file of tokens; empty: requests need none
  std::string http_tls_certificate;      // the path of the server's certificates; empty: HTTP is plain
  std::string http_tls_key;              // of its key; empty: it is in the same file
  std::string events_directory;  // empty: below $STATE_DIRECTORY, and without that there is no event journal
  Millis events_keep = limits::kJournalKeepDefault;
  std::size_t events_max = limits::kJournalMebibytesDefault;  // MiB
  std::string events_sync = "second";                         // or "no", or "each"
  std::string events_strikes = "no";                          // or "yes"
};

// The path of the control socket.
[[nodiscard]] inline std::string control_path(const Config& config) {
  return config.control.empty() ? default_control_path() : config.control;
}

}  // namespace heartbeat
