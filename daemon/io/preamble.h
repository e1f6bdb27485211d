// What a peer must send before its connection may be a client's: the header of a proxy.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/bad_input.h"
#include "common/endpoint.h"
#include "daemon/core/arrival.h"

namespace heartbeat {

// A connection as it is introduced to the daemon: by the socket at first, and by its preamble later.
struct Introduction {
  Endpoint peer{};  // the client's address
  Arrival arrival{};
  // What is wrong with the preamble, and a sentence that says so; nothing: it is right, or there was none.
  std::optional<BadInput> fault{};
  std::string why{};
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
  // the introduction by what the preamble says.  Must not be called again after Done or Bad.
  [[nodiscard]] virtual State read(std::string_view& input, Introduction& introduction) = 0;
};

// The preamble of a connection from `peer`; null where none is owed.
using MakePreamble = std::function<std::unique_ptr<Preamble>(const Endpoint& peer)>;

// What holds for the connections at an address.
struct Demands {
  MakePreamble preamble{};  // empty: no connection owes one
  Requirement require = Requirement::None;
};

}  // namespace heartbeat
