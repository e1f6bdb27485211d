// The control socket on the loop: its sessions, and the order in which they are served.
//
// At each turn of the loop the sessions that have something to do are served in turn, a slice each, until the
// steps of this turn are spent.  While a session still has something to do the polls do not sleep; sockets,
// the clients' first of all, are read in between.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "common/descriptor.h"
#include "common/limits.h"
#include "common/uv/acceptor.h"
#include "common/uv/handle.h"
#include "common/uv/loop.h"
#include "common/uv/watchers.h"
#include "daemon/control/access.h"
#include "daemon/control/control_context.h"
#include "daemon/control/control_session.h"
#include "daemon/control/socket_file.h"

namespace heartbeat {

class ControlServer final : uv::Acceptor::Door {
 public:
  // What the door has come to since the start.
  struct Figures {
    std::uint64_t displaced = 0;  // sessions closed at the bound, to make room for a new one
    std::uint64_t refused = 0;    // connections turned away at the bound
  };

  // At most `sessions_max` at once.  One more takes the place of the session that has gone longest without
  // asking or reading; if all are being served it is answered `busy`.
  ControlServer(uv::Loop& loop, ControlContext& context, std::size_t sessions_max);
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;
  ControlServer(ControlServer&&) = delete;
  ControlServer& operator=(ControlServer&&) = delete;
  ~ControlServer() override;

  // What each user may do at the sockets that are listened on after this.
  void use(const ControlAccess& access) { access_ = access; }

  // Listens at the path, which is claimed (SocketFile).  The error is a sentence that names it.
  [[nodiscard]] tl::expected<void, std::string> listen(const std::string& path);
  // Listens on a socket that is bound already, and is the server's from here on.
  [[nodiscard]] tl::expected<void, std::string> adopt(int descriptor);

  // Listens on the socket that the process before this one had at the path.
  [[nodiscard]] tl::expected<void, std::string> adopt(Descriptor socket, const std::string& path);

  // --- over a restart (daemon/restart/) ---
  // Sends a last word to every session and ends it, except sessions that wait for the answer of the restart.
  void end_for_restart();
  // The descriptors of the others; they stay the sessions'.
  [[nodiscard]] std::vector<int> waiting_for_restart() const;
  // There was no restart: they are answered.
  void answer_restart();
  // Empty if the socket is the service manager's.
  [[nodiscard]] std::string path() const { return file_ ? file_->path() : std::string{}; }
  // The process that takes this one's place has the path from here on.
  void leave_path() {
    if (file_) file_->leave();
  }

  [[nodiscard]] std::size_t sessions() const {
    std::size_t count = 0;
    for (const Sessions& sessions : lists_) count += sessions.size();
    return count;
  }

  [[nodiscard]] const Figures& figures() const { return figures_; }
  // How often a connection could not be accepted, for want of a descriptor or of memory.
  [[nodiscard]] std::uint64_t shortages() const { return acceptor_ ? acceptor_->shortages() : 0; }

  // To be called at each turn of the loop, when all that was read in it has been dealt with.
  void after_turn();

  // Whether a peer connected, asked or was answered since the last call.
  [[nodiscard]] bool was_active() { return std::exchange(active_, false); }
  // Null before listen() or adopt().
  [[nodiscard]] const uv::Acceptor* acceptor() const { return acceptor_.get(); }

  // --- from sessions ---
  [[nodiscard]] ControlContext& context() { return context_; }
  void wake(ControlSession& session) {
    active_ = true;
    move(session, ControlSession::State::Ready);
  }
  void end(ControlSession& session) { move(session, ControlSession::State::Ended); }

 private:
  using Sessions = std::list<uv::Owned<ControlSession>>;

  // --- from the acceptor ---
  [[nodiscard]] bool may_accept(uv::Acceptor&) override {
    return accepted_this_turn_ < limits::kAcceptsPerTurn;
  }
  void take(uv::Acceptor& from, uv::Acceptor::Accepted& accepted) override;
  void on_shortage(uv::Acceptor& at, std::string_view why) override;

  [[nodiscard]] bool make_room();
  ControlSession::State work(ControlSession& session, Steps& steps);
  [[nodiscard]] Sessions& list_of(ControlSession::State state) {
    return lists_.at(static_cast<std::size_t>(state));
  }
  void wake_all(ControlSession::State state) {
    while (!list_of(state).empty()) wake(*list_of(state).front());
  }
  // To the end of the list of that state.
  void move(ControlSession& session, ControlSession::State to);

  uv::Loop& loop_;
  ControlContext& context_;
  std::size_t sessions_max_;
  ControlAccess access_;
  std::array<Sessions, 4> lists_;  // by state; a session that has ended is in none
  std::uint64_t events_seen_ = 0;  // the feed's next one when sessions were last woken for it
  Figures figures_;
  unsigned accepted_this_turn_ = 0;
  bool active_ = false;
  std::string slice_;  // lent to the session that is served
  std::optional<SocketFile> file_;
  std::unique_ptr<uv::Acceptor> acceptor_;
  uv::Owned<uv::NoSleep> no_sleep_;
};

}  // namespace heartbeat
