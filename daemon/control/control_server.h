// The control socket on the loop: its sessions, and whose turn it is.
//
// At each turn of the loop the sessions that have something to do are served in turn, a slice each, until the
// steps of this turn are spent.  While somebody still has something to do the polls do not sleep; sockets,
// the clients' first of all, are read in between.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <utility>

#include <tl/expected.hpp>

#include "common/uv/handle.h"
#include "common/uv/loop.h"
#include "common/uv/pipe_listener.h"
#include "common/uv/watchers.h"
#include "daemon/control/control_context.h"
#include "daemon/control/control_session.h"
#include "daemon/control/socket_file.h"

namespace heartbeat {

class ControlServer {
 public:
  // At most `sessions_max` at once; one more is told so and turned away.
  ControlServer(uv::Loop& loop, ControlContext& context, std::size_t sessions_max);
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;
  ControlServer(ControlServer&&) = delete;
  ControlServer& operator=(ControlServer&&) = delete;
  ~ControlServer();

  // Listens at the path, which is claimed (SocketFile).  The error is a sentence that names it.
  [[nodiscard]] tl::expected<void, std::string> listen(const std::string& path);
  // Listens on a socket that is bound already, and is the server's from here on.
  [[nodiscard]] tl::expected<void, std::string> adopt(int descriptor);

  [[nodiscard]] std::size_t sessions() const {
    return ready_.size() + waiting_for_peer_.size() + waiting_for_events_.size();
  }

  // To be called at each turn of the loop, when all that was read in it has been dealt with.
  void after_turn();

  // Whether anybody has come, asked or been told anything since this was asked last.
  [[nodiscard]] bool was_active() { return std::exchange(active_, false); }
  // The listening socket; -1 where there is none.
  [[nodiscard]] int descriptor();

  // --- from sessions ---
  [[nodiscard]] ControlContext& context() { return context_; }
  void wake(ControlSession& session) {
    active_ = true;
    move(session, ControlSession::State::Ready);
  }
  void end(ControlSession& session) { move(session, ControlSession::State::Ended); }

 private:
  using Sessions = std::list<uv::Owned<ControlSession>>;

  void accept(uv_stream_t* listener);
  void take(uv_stream_t* listener);
  ControlSession::State work(ControlSession& session, Steps& steps);
  [[nodiscard]] Sessions& list_of(ControlSession::State state);
  // To the end of the list of that state.
  void move(ControlSession& session, ControlSession::State to);

  uv::Loop& loop_;
  ControlContext& context_;
  std::size_t sessions_max_;
  Sessions ready_;
  Sessions waiting_for_peer_;
  Sessions waiting_for_events_;
  std::uint64_t events_seen_ = 0;  // the feed's next one when sessions were last woken for it
  bool active_ = false;
  std::string slice_;  // lent to the session that is served
  std::optional<SocketFile> file_;
  uv::Owned<uv::PipeListener> listener_;
  uv::Owned<uv::NoSleep> no_sleep_;
};

}  // namespace heartbeat
