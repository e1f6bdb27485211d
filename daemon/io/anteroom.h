// Connections that are not clients yet: the peer still owes a preamble.
//
// At most kGuestsMax wait here, each for at most kTimeMax and with at most kPreambleMax bytes.  At the bound
// on their number, the connection that has waited longest is closed for the new one.  Every other bound
// closes the connection that reached it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
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
  // An honest peer is through in a few milliseconds, so that 128 at once are 10 000 and more in a second.
  static constexpr std::size_t kGuestsMax = 128;
  // Longer than the first retransmissions on a lossy path, which come after 1 and 3 s.
  static constexpr Millis kTimeMax{5000};
  // Bytes: the longest header of the PROXY protocol is 536.
  static constexpr std::size_t kPreambleMax = 4096;

  // Connections that left without becoming clients, by cause.
  struct Figures {
    std::uint64_t ended = 0;      // the peer closed
    std::uint64_t bad = 0;        // what it sent is no preamble, or one that is too long
    std::uint64_t timed_out = 0;  // it took too long
    std::uint64_t displaced = 0;  // closed to make room
    std::uint64_t no_memory = 0;  // its preamble was whole, and there was no memory to go on
  };

  // A connection whose preamble is whole.  `first_bytes` came behind it.  Moves the socket out, or leaves it
  // to be closed.
  using OnDone = std::function<void(Descriptor& socket, const Endpoint& peer, const Endpoint& listener,
                                    std::string_view first_bytes)>;

  Anteroom(uv::Loop& loop, OnDone on_done);

  // Waits for the preamble.  Throws std::bad_alloc before it has moved the socket.
  void receive(Descriptor& socket, const Endpoint& peer, const Endpoint& listener,
               std::unique_ptr<Preamble> preamble);

  // Closes all.
  void clear() { guests_.clear(); }

  [[nodiscard]] std::size_t size() const { return guests_.size(); }
  [[nodiscard]] const Figures& figures() const { return figures_; }

 private:
  struct Guest {
    Descriptor socket;
    Endpoint peer;
    Endpoint listener;
    std::unique_ptr<Preamble> preamble;
    MonoTime until;  // on the machine's clock
    std::string received{};
    uv::Owned<uv::Readable> readable{};  // declared after the socket: it must stop before that is closed
  };
  using Guests = std::list<Guest>;

  void read(Guests::iterator guest);
  void finish(Guests::iterator guest, std::size_t preamble_length);
  void close(Guests::iterator guest, std::uint64_t& cause);
  void close_late();

  uv::Loop& loop_;
  OnDone on_done_;
  Guests guests_;  // the one that has waited longest in front
  Figures figures_;
  uv::Owned<uv::Timer> timer_;  // when the front's time is up
};

}  // namespace heartbeat
