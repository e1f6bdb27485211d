// What must pass on a connection before it may be a client's: the header of a proxy, a TLS handshake.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/bad_input.h"
#include "common/endpoint.h"
#include "common/tls/session.h"
#include "daemon/core/arrival.h"

namespace heartbeat {

// A connection as it is introduced to the daemon: by the socket at first, and by its preamble later.
struct Introduction {
  Endpoint peer{};  // the client's address
  Arrival arrival{};
  // What is wrong with the preamble, and a sentence that says so; nothing: it is right, or there was none.
  std::optional<BadInput> fault{};
  std::string why{};
  // The connection ended, or its time was up, before its preambles were whole: nothing of it may be read as a
  // client's.
  bool is_cut_short = false;
  // The filter that all bytes pass from here on; null: they are plain.
  std::unique_ptr<tls::Session> session{};
};

// One connection's.  Takes bytes and knows no socket.  Holds no more than a bound of its own.
class Preamble {
 public:
  enum class State : std::uint8_t {
    NeedMore,  // what came so far is a beginning
    Done,      // the preamble is whole
    Bad,       // it can become none; the introduction has the fault
  };

  Preamble() = default;
  Preamble(const Preamble&) = delete;
  Preamble& operator=(const Preamble&) = delete;
  Preamble(Preamble&&) = delete;
  Preamble& operator=(Preamble&&) = delete;
  virtual ~Preamble() = default;

  // Takes the preamble's bytes off the front of `input`; what is left after Done is the client's.  Corrects
  // the introduction by what the preamble says, and appends what the peer must be sent to `output`.  Must not
  // be called again after Done or Bad.
  [[nodiscard]] virtual State read(std::string_view& input, Introduction& introduction,
                                   std::string& output) = 0;

  // What the next read may cost the other connections.
  enum class Cost : std::uint8_t {
    None,
    Begin,  // signatures, for a peer that nothing was spent on yet
    GoOn,   // signatures, for one that has been answered
  };
  [[nodiscard]] virtual Cost cost() const { return Cost::None; }
};

// The preambles that a connection from `peer` owes, in their order; none where it is a client's at once.
using Preambles = std::vector<std::unique_ptr<Preamble>>;
using MakePreambles = std::function<Preambles(const Endpoint& peer)>;

// What holds for the connections at an address.
struct Demands {
  MakePreambles preambles{};  // empty: no connection owes any
  Requirement require = Requirement::None;
  unsigned accept_rate = 0;  // connections in a second at this address; 0 for no bound but the daemon's
};

}  // namespace heartbeat
