// Where connections come in: the addresses, the accepting at all of them, and how fast it goes.
//
// Knows no server and no client.  A connection that has come in is handed to the Host; where its address
// demands a preamble, that comes first (Anteroom).
//
// Connections that cannot be accepted wait in the kernel's accept queue: those beyond
// limits::kAcceptsPerTurn for the next turn of the loop, those beyond accept_rate for the gate, those beyond
// a rate of their own listener for that listener's, and all of them while descriptors or memory lack (see
// uv::Acceptor).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "common/descriptor.h"
#include "common/endpoint.h"
#include "common/uv/acceptor.h"
#include "common/uv/handle.h"
#include "common/uv/loop.h"
#include "common/uv/watchers.h"
#include "daemon/io/accept_gate.h"
#include "daemon/io/anteroom.h"
#include "daemon/io/preamble.h"

namespace heartbeat {

class Entrance final : uv::Acceptor::Door {
 public:
  // What becomes of accepted connections.  Outlives the entrance.  A connection that owes no preamble is
  // handed to arrived() as soon as it is accepted; if that throws std::bad_alloc and the socket is still
  // there, the connection is offered again later.
  class Host : public Anteroom::Host {
   public:
    // Accepting pauses, once more.  `why` is a sentence without its end.
    virtual void accepting_pauses(std::string_view why) = 0;
  };

  Entrance(uv::Loop& loop, Host& host);

  // The addresses, with their real ports, that listen_on() opened and closed.
  struct Change {
    std::vector<Endpoint> opened;
    std::vector<Endpoint> closed;
  };

  // An address to listen on.  A connection to it that owes a preamble waits in the anteroom until its peer
  // has sent that.
  struct Address {
    Endpoint at{};  // port 0 takes a free one
    Demands demands{};
  };

  // Listens on these addresses and no others.  New ones are opened before old ones are closed, and those that
  // are open already stay so, with the new backlog and demands.  If one cannot be opened, nothing is
  // changed, and the error names it.
  [[nodiscard]] tl::expected<Change, std::string> listen_on(std::vector<Address> wanted, int backlog);

  // Accepts at a TCP socket that listens already, which is the entrance's from here on, also when there is an
  // error.  Returns its address.
  [[nodiscard]] tl::expected<Endpoint, std::string> adopt(int descriptor, int backlog);
  // The same of a socket that the process before this one listened at, `asked` by its configuration.
  [[nodiscard]] tl::expected<Endpoint, std::string> adopt(int descriptor, int backlog, const Endpoint& asked);

  // What a process that takes this one's place needs to go on listening.
  struct Kept {
    Endpoint asked;
    int descriptor;  // stays the entrance's
  };
  [[nodiscard]] std::vector<Kept> kept() const;

  // The demands at the sockets that were adopted, from here on.  Cannot fail.
  void demand_at_adopted(Demands demands) noexcept { demands_at_adopted_ = std::move(demands); }

  // Closes all addresses, and the connections in the anteroom.
  void close();

  // The addresses, with their real ports.
  [[nodiscard]] std::vector<Endpoint> listening() const;
  [[nodiscard]] const Anteroom& anteroom() const { return anteroom_; }
  [[nodiscard]] std::size_t descriptors() const { return listeners_.size() + anteroom_.size(); }
  // The host's timeout has changed.
  void hello_timeout_changed() { anteroom_.set_timer(); }
  // Adds the descriptors that can be read when a connection comes.
  void add_watched(std::vector<int>& descriptors) const;

  // Connections accepted in a second at the most; 0 for no bound.
  void set_accept_rate(unsigned rate);
  [[nodiscard]] const AcceptGate& gate() const { return gate_; }
  // Whether connections wait at this moment, at any address.
  [[nodiscard]] bool is_paused() const;
  // How often a connection could not be accepted, for want of a descriptor or of memory.
  [[nodiscard]] std::uint64_t shortages() const;

  // Must be called once in each turn of the loop.
  void begin_turn();

 private:
  struct Listener {
    Endpoint asked;  // its port may be 0
    Endpoint local;
    std::unique_ptr<uv::Acceptor> acceptor;
    AcceptGate gate;                 // of this listener alone
    std::optional<Demands> demands;  // nothing: it was adopted

    [[nodiscard]] bool is_for(const Endpoint& at) const { return at == asked || at == local; }
  };
  using Listeners = std::vector<Listener>;

  [[nodiscard]] tl::expected<Listeners, std::string> open(std::vector<Address>& addresses, int backlog,
                                                          std::span<const Listener> closing);
  [[nodiscard]] tl::expected<Listener, std::string> start(const Endpoint& asked, Descriptor socket);

  // --- from acceptors ---
  [[nodiscard]] bool may_accept(uv::Acceptor& at) override;
  void take(uv::Acceptor& from, uv::Acceptor::Accepted& accepted) override;
  void on_shortage(uv::Acceptor& at, std::string_view why) override;

  [[nodiscard]] Listener& listener_of(const uv::Acceptor& acceptor);
  void shut_gate();
  void try_gates();
  void arm_gates();

  uv::Loop& loop_;
  Host& host_;
  Listeners listeners_;
  Demands demands_at_adopted_;
  Anteroom anteroom_;
  std::uint64_t shortages_of_closed_ = 0;  // of addresses that are closed by now
  AcceptGate gate_;
  uv::Owned<uv::Timer> gate_timer_;
  unsigned accepted_this_turn_ = 0;
};

}  // namespace heartbeat
