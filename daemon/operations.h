// What operators see and do while the daemon runs: the change feed, the figures, the control socket, and
// HTTP.
//
// Made before the server, whose events it keeps, and attached to it afterwards.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "common/uv/loop.h"
#include "daemon/control/control_context.h"
#include "daemon/control/control_server.h"
#include "daemon/core/feed.h"
#include "daemon/http/http.h"
#include "daemon/io/memory_return.h"
#include "daemon/io/server.h"
#include "daemon/report/rate.h"
#include "daemon/report/reloads.h"
#include "daemon/report/status_json.h"
#include "daemon/report/tally.h"
#include "daemon/report/timeline.h"
#include "daemon/report/wall_clock.h"

namespace heartbeat {

class Operations {
 public:
  Operations(uv::Loop& loop, std::size_t descriptors_limit);

  // What an operator can change beyond the clients; see ControlActions.
  using Reload = std::function<ReloadResult()>;
  using ListSettings = std::function<std::vector<SettingInForce>()>;
  using SetLogLevel = std::function<tl::expected<std::string, std::string>(const std::string& level)>;

  // From here on the control socket can be listened on.  The server listens already and has no clients yet.
  void attach(Server& server, SetLogLevel set_log_level, ListSettings settings, Reload reload);

  // The control socket, at a path or as it was handed over.  The error is a sentence.
  [[nodiscard]] tl::expected<void, std::string> listen(const std::string& path) {
    return answer_at_once(control_->listen(path));
  }
  [[nodiscard]] tl::expected<void, std::string> adopt(int descriptor) {
    return answer_at_once(control_->adopt(descriptor));
  }

  // Serves HTTP there; where that is not a loopback address, only if `allow_remote`.  The error is a
  // sentence.
  [[nodiscard]] tl::expected<Endpoint, std::string> serve_http(const HostPort& at, bool allow_remote);

  // From the server's observer.
  void tell(const Event& event) {
    feed_.add(event);
    tally_.add(event);
  }
  void turn();

  // After each reload of the configuration.
  void note_reload(bool succeeded) { reloads_.add(succeeded); }

 private:
  // An operator who comes ends a pause of the loop.
  [[nodiscard]] tl::expected<void, std::string> answer_at_once(tl::expected<void, std::string> listening);
  void add_status(JsonWriter& json) const;
  [[nodiscard]] ProcessUsage usage() const;
  [[nodiscard]] Doors doors() const;
  [[nodiscard]] std::size_t descriptors_in_use() const;  // by the server and by sessions

  uv::Loop& loop_;
  std::size_t descriptors_limit_;
  std::size_t descriptors_of_our_own_ = 0;  // beyond those in use; 0: not counted yet
  WallClock clock_;
  Boot boot_;
  Feed feed_;
  Rate heartbeats_;
  MemoryReturn memory_;
  Server* server_ = nullptr;
  std::optional<ControlContext> context_;
  std::optional<ControlServer> control_;
  Tally tally_;
  Timeline timeline_;
  Reloads reloads_;
  std::optional<http::Server> http_;
};

}  // namespace heartbeat
