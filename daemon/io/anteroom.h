// Connections that are not clients yet: preambles are still owed, or the first byte behind them.
//
// A connection becomes a client with its TLS handshake, or else with its first byte behind the preambles.
// There is no timeout for a preamble: a balancer of AWS sends it with the client's first bytes, which
// hello_timeout covers.  A connection whose peer has ended it, or whose time is up, is handed over as cut
// short: the monitor then counts it as a probe, or closes it as never_spoke, as it does where no preamble is
// owed.
//
// Connections that wait here use descriptors of the clients.  Where there is no place for one more, the
// connection that has waited longest is closed for the new one.  The same holds for TLS handshakes, which
// also cost memory (limits::kHandshakesMax).
//
// A step of a handshake costs signatures.  So only a few are made in one turn of the loop, those of
// handshakes that have begun before those of new ones; otherwise a fleet that returns would have all of its
// handshakes begun and none done.  A connection that has to wait stays unread, and the next poll reports it
// again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string_view>

#include "common/descriptor.h"
#include "common/endpoint.h"
#include "common/mono_time.h"
#include "common/uv/handle.h"
#include "common/uv/loop.h"
#include "common/uv/watchers.h"
#include "daemon/io/preamble.h"

namespace heartbeat {

class Anteroom {
 public:
  // Connections that were closed here, by cause.
  struct Figures {
    std::uint64_t displaced = 0;  // to make room
    std::uint64_t no_memory = 0;
  };

  // What becomes of the connections.  Outlives the anteroom.
  class Host {
   public:
    Host() = default;
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;
    Host(Host&&) = delete;
    Host& operator=(Host&&) = delete;
    virtual ~Host() = default;

    // A connection's preambles are whole and `first_bytes` came behind them; or a preamble is wrong; or its
    // peer has ended it; or its time is up.  Moves the socket and the session out, or leaves them to be
    // closed. The bytes have not passed the session.
    virtual void arrived(Descriptor& socket, Introduction& introduction, std::string_view first_bytes) = 0;
    // Connections have work for the next turn: it must come soon.
    virtual void work_waits() = 0;
    // On the listening clock.
    [[nodiscard]] virtual MonoTime instant() = 0;
    // From the accept to the end of the first heartbeat; 0 for no bound.
    [[nodiscard]] virtual Millis hello_timeout() const = 0;
    // How many connections there may be beside the clients.
    [[nodiscard]] virtual std::size_t places() const = 0;
  };

  Anteroom(uv::Loop& loop, Host& host);

  // Waits for the preambles, of which there is at least one.  Throws std::bad_alloc before it has moved the
  // socket.
  void receive(Descriptor& socket, Introduction introduction, Preambles preambles);

  // Must be called once in each turn of the loop.
  void begin_turn();

  // Closes the connections that there is no place for any more.
  void make_room();

  // The host's timeout has changed.
  void set_timer();

  // Closes all.
  void clear();

  [[nodiscard]] std::size_t size() const { return guests_.size(); }
  [[nodiscard]] const Figures& figures() const { return figures_; }

 private:
  struct Guest {
    Descriptor socket;
    Introduction introduction;
    Preambles preambles{};               // that are not whole yet, the next one in front
    bool costs = false;                  // one of them is a TLS handshake
    uv::Owned<uv::Readable> readable{};  // declared after the socket: it must stop before that is closed
  };
  using Guests = std::list<Guest>;

  // Both return whether the guest is gone.
  bool read(Guests::iterator guest);
  bool take(Guests::iterator guest, std::string_view bytes);
  [[nodiscard]] bool may_step(Preamble::Cost cost);

  void hand_over(Guests::iterator guest, std::string_view first_bytes);
  void close(Guests::iterator guest, std::uint64_t& cause);
  void hand_over_late();

  uv::Loop& loop_;
  Host& host_;
  Guests guests_;                  // the one that has waited longest in front
  std::size_t handshakes_ = 0;     // guests with costs
  unsigned steps_ = 0;             // made in this turn
  bool begun_one_waits_ = false;   // since the beginning of this turn
  bool begun_one_waited_ = false;  // in the turn before
  Figures figures_;
  uv::Owned<uv::Timer> timer_;  // when the front's time is up
};

}  // namespace heartbeat
