// The daemon as a client of another heartbeatd: alive while it answers, in leave while it does not or while
// its brake holds.
//
// Runs on threads of its own: neither a name that takes long to look up nor a daemon that hangs delays a
// delivery.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <heartbeat_client.h>
#include <tl/expected.hpp>

#include "tools/notify/config.h"

namespace heartbeat::notify {

class Upstream {
 public:
  // Nothing where the configuration names none.  `host`: this machine's name, for the id `heartbeatd@HOST`.
  // The error is a sentence.
  [[nodiscard]] static tl::expected<std::unique_ptr<Upstream>, std::string> start(const Config& config,
                                                                                  const std::string& host);
  ~Upstream();  // says goodbye, for a second at most
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;
  Upstream(Upstream&&) = delete;
  Upstream& operator=(Upstream&&) = delete;

 private:
  struct End {
    void operator()(heartbeat_client* client) const { heartbeat_end(client); }
  };

  Upstream(const Config& config, heartbeat_client* client);

  void watch();
  void ask();

  std::string control_;
  Millis every_;
  std::unique_ptr<heartbeat_client, End> client_;
  std::mutex mutex_;
  std::condition_variable ending_;
  bool is_ending_ = false;  // under the mutex
  bool holds_ = false;      // the brake, as it was last seen
  std::thread thread_;
};

}  // namespace heartbeat::notify
