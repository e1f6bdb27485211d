// Accepts the connections of one listening stream socket, TCP or Unix, and never loses one.
//
// libuv 1.44 fails in two ways here.  Without a free descriptor it accepts and closes the connection, and
// reports it nowhere.  After one connection that the program has no memory for it accepts no more at all.
// This class accepts by itself.  A connection that cannot be accepted waits in the kernel's accept
// queue: the acceptor stops watching the socket, reports the reason, and tries again every
// limits::kAcceptPause.  So nothing spins, and accepting goes on by itself when there is a descriptor or
// memory again.
//
// Knows nothing of what a connection is for.  Its Door decides when one may be accepted, and takes it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include <tl/expected.hpp>

#include "common/descriptor.h"
#include "common/endpoint.h"
#include "common/mono_time.h"
#include "common/uv/handle.h"
#include "common/uv/loop.h"
#include "common/uv/watchers.h"

namespace heartbeat::uv {

class Acceptor {
 public:
  struct Accepted {
    Descriptor socket;  // does not block, and is closed on exec
    Endpoint peer;      // 0.0.0.0:0 for a Unix socket
  };

  // What a program does with the connections.  Outlives its acceptors.
  class Door {
   public:
    Door() = default;
    Door(const Door&) = delete;
    Door& operator=(const Door&) = delete;
    Door(Door&&) = delete;
    Door& operator=(Door&&) = delete;
    virtual ~Door() = default;

    // Whether one more connection may be accepted there now.  If not, the next poll asks again, unless the
    // door pauses the acceptor meanwhile.
    [[nodiscard]] virtual bool may_accept(Acceptor& at) = 0;
    // Takes the connection, by moving its socket out, or closes it, by leaving it.  If it throws
    // std::bad_alloc and the socket is still there, the connection is kept, and offered again later.
    virtual void take(Acceptor& from, Accepted& accepted) = 0;
    // No connection can be accepted for now.  `why` is a sentence without its end, which says what to raise.
    // Called once for each shortage; tries that fail within limits::kAcceptQuiet of one another are one.
    virtual void on_shortage(Acceptor& at, std::string_view why) = 0;
  };

  // `socket` listens already.  The error is libuv's.
  [[nodiscard]] static tl::expected<std::unique_ptr<Acceptor>, int> create(Loop& loop, Descriptor socket,
                                                                           Door& door);

  [[nodiscard]] int descriptor() const { return socket_.get(); }

  // Stops accepting until go_on(); connections wait in the kernel meanwhile.
  void pause();
  void go_on();
  // Whether the loop wakes for the next connection: the acceptor is neither paused nor waiting out a
  // shortage.
  [[nodiscard]] bool is_watching() const { return readable_->is_on(); }

  // How often a connection could not be accepted, for want of a descriptor or of memory.
  [[nodiscard]] std::uint64_t shortages() const { return shortages_; }

 private:
  Acceptor(Loop& loop, Descriptor socket, Door& door);

  void accept_waiting();
  // 0 when a connection is in hand, else an error of errno: EAGAIN if none waits.
  [[nodiscard]] int accept();
  [[nodiscard]] bool has_waiting() const;
  void wait_for(int lacking);
  void watch();

  Loop& loop_;
  Door& door_;
  Descriptor socket_;
  std::optional<Accepted> in_hand_;  // accepted, and not taken for want of memory
  bool paused_ = false;
  bool is_short_ = false;
  std::uint64_t shortages_ = 0;
  std::optional<MonoTime> reported_;  // a shortage; moved on by each try that fails after it
  Owned<Timer> retry_;
  Owned<Readable> readable_;  // declared after the socket: it must stop before that is closed
};

}  // namespace heartbeat::uv
