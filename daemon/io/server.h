// The core on real sockets and a real clock: feeds the monitor, applies its effects, and turns the loop in
// time.
//
// In a turn the poll reads every socket that is ready, and each read goes to the monitor.  After the poll,
// what is done next is what daemon/core/turn.h says: clients are judged, and the loop is woken at the next
// instant. Then, where it is worth it, the loop rests before the next poll (pacing.h), never beyond that
// instant.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/endpoint.h"
#include "common/uv/handle.h"
#include "common/uv/loop.h"
#include "common/uv/wake_up.h"
#include "common/uv/watchers.h"
#include "daemon/core/effects.h"
#include "daemon/core/histogram.h"
#include "daemon/core/listening_clock.h"
#include "daemon/core/logged_monitor.h"
#include "daemon/core/monitor.h"
#include "daemon/core/pacing.h"
#include "daemon/core/turn.h"
#include "daemon/io/connection.h"
#include "daemon/io/entrance.h"
#include "daemon/io/memory_reserve.h"

namespace heartbeat {

class Server final : Entrance::Host {
 public:
  // What a program does with what happens here.
  struct Observer {
    std::function<void(const Event&)> on_event;
    std::function<void(const Monitor&)> after_turn;  // each turn of the loop, when all is applied
  };

  // How long the machine has been suspended in all; see os::time_asleep().
  using TimeAsleep = std::function<std::optional<Millis>()>;

  // Where a daemon begins: with no client, or where the process that it takes the place of stopped.
  struct Beginning {
    MonitorState monitor;
    std::optional<Turn::State> turn{};
  };

  Server(uv::Loop& loop, const Settings& settings, Observer observer, TimeAsleep time_asleep);
  Server(uv::Loop& loop, Beginning&& beginning, Observer observer, TimeAsleep time_asleep);

  // See Monitor::use().
  void use(const Credentials* credentials) { monitor_.use(credentials); }

  // Where clients come in.
  [[nodiscard]] Entrance& entrance() { return entrance_; }
  [[nodiscard]] const Entrance& entrance() const { return entrance_; }

  // Whether clients are due that this turn did not come to, or an order that concerns every client is not
  // complete.
  [[nodiscard]] bool is_judging() const { return monitor_->next_deadline() <= turn_.now(); }

  // New settings in two steps, of which only the first can fail; see Monitor::prepare().  Between the two
  // nothing else is asked of the server.
  [[nodiscard]] Monitor::NewSettings prepare(const Settings& settings);
  void change_settings(Monitor::NewSettings&& settings) noexcept;
  // Changes Settings::report_heartbeats alone.
  void report_heartbeats(bool report) { monitor_.report_heartbeats(report); }

  // The longest pause between two turns; 0 for none.  The tick may make it shorter: longest_pause().
  void set_pause_max(Millis pause_max);

  // The result of a reload (Monitor::reloaded()).
  void reloaded(std::string_view refusal);
  // See Monitor::expect().
  void expect(std::vector<ClosedClient>&& clients) { monitor_.expect(std::move(clients), now()); }
  // See Monitor::certificate_expires().
  void certificate_expires(std::string_view file, std::string_view detail);

  // Something other than the clients waits for the loop: no pause for limits::kPauseHoldOff.
  void hurry() { pacing_.hurry(uv::Loop::fine_now()); }
  // A pause ends as soon as this descriptor can be read, or a connection comes that the acceptor watches for.
  // Both outlive the server.
  void end_pause_for(int descriptor);
  void end_pause_for(const uv::Acceptor& acceptor) { other_acceptors_.push_back(&acceptor); }

  // How often the loop has paused, and for how long in all.
  struct Pauses {
    Millis longest{0};  // that there may be now
    std::uint64_t count = 0;
    Nanos length{0};
  };
  [[nodiscard]] const Pauses& pauses() const { return pauses_; }

  // Where an allocation is out of it, the connection that asked for it is closed, and no new ones are taken
  // until it is whole again.  Outlives the server.
  void use(MemoryReserve& memory) { memory_ = &memory; }

  // Takes no more connections, sends `shutdown` to the clients that asked for notices, and stops the loop
  // when they have read it, within limits::kLingerMax.
  void stop();

  [[nodiscard]] bool is_stopping() const { return stopping_; }

  // An operator closes the client of that name (Monitor::kick()).  Whether there was one.
  bool kick(std::string_view name, std::string_view message);
  // The client has come to another daemon, or was in leave where it came from: see Monitor::supersede() and
  // Monitor::remember_leave().
  bool supersede(ConnId conn, std::string_view detail);
  bool remember_leave(ConnId conn);

  // An operator ends the brake on mass closing (Monitor::end_brake()).
  std::optional<std::size_t> end_brake(BrakeEnd how);

  // An operator has a closed client forgotten (Monitor::forget()).
  bool forget(std::string_view name) { return monitor_.forget(name); }

  // An operator holds clients, or ends that (Monitor::hold(), Monitor::release()).
  bool hold(const Monitor::HoldOrder& order);
  bool release(std::string_view pattern, std::uint32_t uid);

  // An operator has the clients go elsewhere, or ends that (Monitor::drain(), Monitor::end_drain()).
  void drain(const DrainOrder& order);
  std::optional<std::uint64_t> end_drain(std::uint32_t uid);

  [[nodiscard]] const Monitor& monitor() const { return monitor_.get(); }

  // When the kernel gives up the connections that are accepted from now on.
  void set_tcp_limits(const TcpLimits& limits) { tcp_limits_ = limits; }
  // What the kernel knows of the client's path; nothing where it does not say.
  [[nodiscard]] std::optional<TcpPath> path_of(ConnId conn) const;

  // Listening time, as of this turn of the loop.
  [[nodiscard]] MonoTime listening_now() const { return turn_.now(); }
  // The same as it was for what this turn's poll read.
  [[nodiscard]] MonoTime heard_at() const { return turn_.heard_at(); }

  // In use for listeners, clients and connections that linger.
  [[nodiscard]] std::size_t descriptors() const {
    return entrance_.descriptors() + monitor_->clients().size() + lingering_.size();
  }

  // How long after its time each pulse of the loop came: what everything else on the loop waited, too.
  [[nodiscard]] const Histogram& loop_lateness() const { return turn_.lateness(); }

  // --- over a restart (daemon/restart/) ---
  // Closes the clients that came by TLS, whose sessions cannot be handed over: the keys are OpenSSL's.
  void close_unkeepable();

  // What the process that takes this one's place needs, besides the state of the monitor: where the turn
  // stands, and the connection of each client.
  struct Kept {
    ConnId conn;
    int descriptor;      // stays the connection's
    std::string unsent;  // written for the peer, and not taken by the kernel yet
  };
  [[nodiscard]] std::vector<Kept> kept() const;
  [[nodiscard]] Turn::State turn_state() const { return turn_.state(); }

  // The connection of a client that the monitor began with.  Closes a socket whose client it does not know.
  void adopt(ConnId conn, Descriptor socket, std::string_view unsent);
  // A connection of which nothing is known: its client counts as accepted now.
  void adopt_unknown(Descriptor socket);
  // In the place of adopt(): the client is closed as Crash.  The detail is a sentence.
  void close_over_crash(ConnId conn, std::string_view detail);
  // To be called after the last of these: a client whose connection was not adopted is closed, and the
  // restart is reported.
  void adopted(const Monitor::Restart& restart);

  // --- for a process that begins after a crash of this one ---
  // From now on every call of the monitor is written there; null: nowhere.
  void log_calls(CallLog* log);
  // The sockets of the clients that connected since the last call, and of all clients.  The caller is about
  // to keep duplicates of them open elsewhere, so from here on the server shuts each of these connections
  // down before it closes it.  Clients that came by TLS are left out, as their sessions end with the process.
  // The connections own the sockets still.
  [[nodiscard]] std::vector<int> share_new_sockets();
  [[nodiscard]] std::vector<int> share_all_sockets();
  // The connections go on in the duplicates: this process closes its own without a sign to the peer.
  void leave_connections();

  // --- from connections ---
  void reads(ConnId conn) { monitor_.handles(conn); }
  void has_sent_all(ConnId conn) { monitor_.note_unsent(conn, false); }
  void received(ConnId conn, std::string_view bytes);
  void ended(ConnId conn, int error);
  void garbled(ConnId conn, const std::string& why);
  void lingered(std::list<Lingering>::iterator place) { lingering_.erase(place); }

 private:
  // --- from the entrance ---
  void arrived(Descriptor& socket, Introduction& introduction, std::string_view first_bytes) override;
  void work_waits() override { hurry(); }
  [[nodiscard]] MonoTime instant() override { return now(); }
  [[nodiscard]] Millis hello_timeout() const override;
  [[nodiscard]] std::size_t places() const override;
  void accepting_pauses(std::string_view why) override;

  MonoTime now();
  [[nodiscard]] std::uint64_t times_out_of_memory() const;
  [[nodiscard]] bool keeps_too_much(ConnId conn) const;
  void refuse(ConnId conn, BadInput fault, const std::string& why);
  void end(ConnId conn, Reason reason, std::string_view detail);
  void give_up(ConnId conn) noexcept;
  void close_clients();
  void after_poll();
  void on_pulse();
  void judge();
  void rest();
  [[nodiscard]] std::span<const int> urgent();
  void stop_lingering();

  void apply();
  void send(const Effects::Order& order);
  void tell(const Event& event) const;
  void let_go(ConnId conn);

  uv::Loop& loop_;
  MemoryReserve* memory_ = nullptr;  // null: no reserve is kept
  LoggedMonitor monitor_;
  Turn turn_;
  TimeAsleep time_asleep_;
  SuspensionWatch suspensions_;
  Pacing pacing_;
  Pauses pauses_;
  Observer observer_;
  Effects effects_;
  std::vector<OwnedConnection> connections_;  // by slot
  std::list<Lingering> lingering_;            // the oldest first
  std::vector<ConnId> unread_;                // clients that do not read their answers
  std::vector<ConnId> unshared_;              // clients that share_new_sockets() has not returned yet
  Entrance entrance_;
  // Descriptors for which a pause ends early: first those of end_pause_for(), then those of acceptors that
  // watch for a connection at the moment.
  std::vector<int> urgent_;
  std::size_t others_urgent_ = 0;  // how many of the first kind
  std::vector<const uv::Acceptor*> other_acceptors_;
  uv::Owned<uv::AfterPoll> after_poll_;
  uv::WakeUp wake_;  // when the next poll has to return
  Millis pause_max_ = limits::kPauseMax;
  TcpLimits tcp_limits_{};
  bool stopping_ = false;
};

}  // namespace heartbeat
