// The desk at which operators stand: what they see of the daemon and what they order, over the control socket
// and HTTP, which are its own.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/descriptor.h"
#include "common/uv/loop.h"
#include "daemon/certificates.h"
#include "daemon/control/control_context.h"
#include "daemon/control/control_server.h"
#include "daemon/core/feed.h"
#include "daemon/events/event_journal.h"
#include "daemon/http/http.h"
#include "daemon/io/memory_return.h"
#include "daemon/io/server.h"
#include "daemon/log/event_log.h"
#include "daemon/reload.h"
#include "daemon/report/figures.h"
#include "daemon/report/operator_desk.h"
#include "daemon/report/rate.h"
#include "daemon/report/reloads.h"
#include "daemon/report/saved_report.h"
#include "daemon/report/tally.h"
#include "daemon/report/timeline.h"
#include "daemon/report/wall_clock.h"
#include "daemon/restarter.h"
#include "daemon/roster_keeper.h"
#include "daemon/systemd/service_manager.h"

namespace heartbeat {

class Operations final : public OperatorDesk {
 public:
  // What an operator's orders act on; lent for the life of this object.
  struct Parts {
    Server& server;
    Reloader& reloader;
    EventLog& event_log;
    EventJournal& events;
    ServiceManager& service;
    Restarter& restarter;
  };

  // The run of the daemon that operators see.
  struct Run {
    std::string id;
    std::uint64_t first_event;  // the number of the next event; without meaning where it is continued
  };

  // What it has done in another process.
  struct Continued {
    WallTime started;
    Feed feed;
    std::string report;  // as saved_report() returned it there
    Millis unread;       // how long ago that process stopped
  };

  // `descriptors_limit`: how many the process may have open.
  Operations(uv::Loop& loop, Parts parts, std::size_t descriptors_limit, Run run,
             std::optional<Continued> continued = {});

  // A group whose members may see by the control socket and change nothing.  To be called before listen().
  void admit_readers(std::optional<std::uint32_t> group);

  // The control socket, at a path or as the service manager handed it over.  The error is a sentence.
  [[nodiscard]] tl::expected<void, std::string> listen(const std::string& path);
  [[nodiscard]] tl::expected<void, std::string> adopt(int descriptor);
  [[nodiscard]] tl::expected<void, std::string> adopt(Descriptor socket, const std::string& path);

  // Serves HTTP there.  Where that is not a loopback address, only if http_may_be_remote().  The error is a
  // sentence.
  // `inherited` listens already, and is taken if it does so there; negative if there is none.
  [[nodiscard]] tl::expected<Endpoint, std::string> serve_http(const LoadedConfig& config,
                                                               Descriptor inherited);

  // What a restart hands on of them: the control socket, and where HTTP listens (negative: nowhere).
  [[nodiscard]] ControlServer& control() { return control_; }
  // The totals and dates that operators see, for the next process.
  [[nodiscard]] std::string saved_report() const { return save_report(tally_, reloads_, clock_); }
  [[nodiscard]] int http_listener() const { return http_ ? http_->acceptor()->descriptor() : -1; }

  // Begins to read the roster.
  void read_roster() { roster_.read(parts_.reloader.in_force().config.roster); }
  // From now on reports when the files of TLS run out.  Must be called after the reloader has started, and
  // after serve_http().
  void watch_certificates();

  // Must be called once everything listens and before the loop runs: the descriptors that are open now are
  // the daemon's own.
  void count_descriptors();

  // From the server's observer: each event, and the end of each turn of the loop.
  void record(const Event& event) {
    feed_.add(event);
    tally_.add(event);
    roster_.note(event);
  }
  void after_turn();

  // Reloads once no client is being judged: at the end of this turn or of one of the next.
  void reload_soon() { reload_is_due_ = true; }

  // --- OperatorDesk ---
  [[nodiscard]] const Boot& boot() const override { return boot_; }
  [[nodiscard]] const Monitor& monitor() const override { return parts_.server.monitor(); }
  [[nodiscard]] std::optional<TcpPath> path_of(ConnId conn) const override {
    return parts_.server.path_of(conn);
  }
  [[nodiscard]] const Feed& feed() const override { return feed_; }
  [[nodiscard]] const WallClock& clock() const override { return clock_; }
  [[nodiscard]] const Timeline& timeline() const override { return timeline_; }
  [[nodiscard]] MonoTime now() const override { return parts_.server.listening_now(); }
  [[nodiscard]] Figures figures() const override;
  [[nodiscard]] Health health() const override;
  [[nodiscard]] std::vector<SettingInForce> settings() const override;
  [[nodiscard]] const Attendance* attendance() const override { return roster_.attendance(); }
  [[nodiscard]] bool is_judging() const override { return parts_.server.is_judging(); }
  bool kick(std::string_view name, std::string_view message) override;
  bool supersede(ConnId conn, std::string_view detail) override;
  bool remember_leave(ConnId conn) override;
  std::optional<std::size_t> end_brake(BrakeEnd how) override;
  bool forget(std::string_view name) override;
  bool hold(const Monitor::HoldOrder& order) override;
  bool release(std::string_view pattern, std::uint32_t uid) override;
  void drain(const DrainOrder& order) override;
  std::optional<std::uint64_t> end_drain(std::uint32_t uid) override;
  tl::expected<std::string, std::string> set_log_level(const std::string& level) override;
  ReloadResult reload() override;
  void begin_restart() override {
    record_order("restart", {}, {});
    parts_.restarter.begin();
  }
  [[nodiscard]] const RestartAttempt& restart_attempt() const override { return parts_.restarter.attempt(); }

 private:
  void record_order(std::string_view command, std::string_view key, std::string_view value);
  [[nodiscard]] std::string unready() const;
  [[nodiscard]] std::size_t descriptors_in_use() const;  // by clients, sessions and HTTP

  uv::Loop& loop_;
  Parts parts_;
  std::size_t descriptors_limit_;
  std::size_t own_descriptors_ = 0;  // beyond descriptors_in_use()
  WallClock clock_;
  Boot boot_;
  Feed feed_;
  Tally tally_;
  Timeline timeline_;
  Reloads reloads_;
  Certificates certificates_;
  std::vector<tls::Context::Expiry> https_expiries_;  // of what HTTPS was begun with
  bool reload_is_due_ = false;
  Rate heartbeats_;
  MemoryReturn memory_;
  RosterKeeper roster_;
  ControlContext context_;
  ControlServer control_;
  std::optional<http::Server> http_;
};

}  // namespace heartbeat
