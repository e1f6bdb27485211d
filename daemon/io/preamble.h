// What a peer must send before its connection may be a client's: the header of a proxy, a handshake.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "common/endpoint.h"

namespace heartbeat {

// One connection's.  Takes bytes and knows no socket.
class Preamble {
 public:
  enum class State : std::uint8_t {
    NeedMore,  // what came so far is a beginning
    Done,      // the preamble is whole
    Bad,       // it can become none
  };
  struct Result {
    State state = State::NeedMore;
    std::size_t length = 0;  // of the whole preamble; what came behind it is the client's
  };

  Preamble() = default;
  Preamble(const Preamble&) = delete;
  Preamble& operator=(const Preamble&) = delete;
  Preamble(Preamble&&) = delete;
  Preamble& operator=(Preamble&&) = delete;
  virtual ~Preamble() = default;

  // `received`: all bytes of the connection so far.  May set `peer` to the address that the preamble gives.
  [[nodiscard]] virtual Result read(std::string_view received, Endpoint& peer) = 0;
};

// One for each connection of a listener.
using MakePreamble = std::function<std::unique_ptr<Preamble>()>;

}  // namespace heartbeat
