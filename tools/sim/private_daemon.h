// A heartbeatd of the simulator's own, for a demonstration: on free ports of 127.0.0.1, with a fast rule, and
// with nothing that another daemon of this machine has.
#pragma once

#include <string>

#include <sys/types.h>
#include <tl/expected.hpp>

#include "common/endpoint.h"

namespace heartbeat::sim {

class PrivateDaemon {
 public:
  // Starts the heartbeatd that is installed beside this program, else the one in the path, and returns once
  // clients can connect.  It logs to our standard error.  The error is a sentence.
  [[nodiscard]] static tl::expected<PrivateDaemon, std::string> start();

  PrivateDaemon(PrivateDaemon&& other) noexcept;
  PrivateDaemon(const PrivateDaemon&) = delete;
  PrivateDaemon& operator=(const PrivateDaemon&) = delete;
  PrivateDaemon& operator=(PrivateDaemon&&) = delete;
  // Ends the daemon and waits for it.
  ~PrivateDaemon();

  [[nodiscard]] const HostPort& clients() const { return clients_; }
  [[nodiscard]] const HostPort& page() const { return page_; }
  [[nodiscard]] std::string control_path() const { return folder_ + "/control.sock"; }

 private:
  PrivateDaemon() = default;
  [[nodiscard]] bool has_ended();

  pid_t pid_ = -1;  // -1: it is not running
  HostPort clients_;
  HostPort page_;
  std::string folder_;  // of its control socket
};

}  // namespace heartbeat::sim
