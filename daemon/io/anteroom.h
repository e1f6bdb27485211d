// Connections that are not clients yet: the peer still owes a preamble, and the first byte behind it.
//
// A connection becomes a client with its first byte behind the preamble.  There is no timeout for the
// preamble: a balancer of AWS sends it with the client's first bytes, which hello_timeout covers.  A
// connection whose peer has ended it, or whose time is up, is handed over as it is: the monitor then counts
// it as a probe, or closes it as never_spoke, as it does where no preamble is owed.
//
// Connections that wait here use descriptors of the clients.  Where there is no place for one more, the
// connection that has waited longest is closed for the new one.
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

    // A connection's preamble is whole and `first_bytes` came behind it; or its preamble is wrong; or its
    // peer has ended it; or its time is up.  Moves the socket out, or leaves it to be closed.
    virtual void arrived(Descriptor& socket, const Introduction& introduction,
                         std::string_view first_bytes) = 0;
    // On the listening clock.
    [[nodiscard]] virtual MonoTime instant() = 0;
    // From the accept to the end of the first heartbeat; 0 for no bound.
    [[nodiscard]] virtual Millis hello_timeout() const = 0;
    // How many connections there may be beside the clients.
    [[nodiscard]] virtual std::size_t places() const = 0;
  };

  Anteroom(uv::Loop& loop, Host& host);

  // Waits for the preamble.  Throws std::bad_alloc before it has moved the socket.
  void receive(Descriptor& socket, Introduction introduction, std::unique_ptr<Preamble> preamble);

  // Closes those that there is no place for any more.
  void make_room();

  // The host's timeout has changed.
  void set_timer();

  // Closes all.
  void clear() { guests_.clear(); }

  [[nodiscard]] std::size_t size() const { return guests_.size(); }
  [[nodiscard]] const Figures& figures() const { return figures_; }

 private:
  struct Guest {
    Descriptor socket;
    Introduction introduction;
    std::unique_ptr<Preamble> preamble{};  // null: it is whole
    uv::Owned<uv::Readable> readable{};    // declared after the socket: it must stop before that is closed
  };
  using Guests = std::list<Guest>;

  // Both return whether the guest is gone.
  bool read(Guests::iterator guest);
  bool take(Guests::iterator guest, std::string_view bytes);

  void hand_over(Guests::iterator guest, std::string_view first_bytes);
  void close(Guests::iterator guest, std::uint64_t& cause);
  void hand_over_late();

  uv::Loop& loop_;
  Host& host_;
  Guests guests_;  // the one that has waited longest in front
  Figures figures_;
  uv::Owned<uv::Timer> timer_;  // when the front's time is up
};

}  // namespace heartbeat
