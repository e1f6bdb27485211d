// What a client sends to a server, and how much it receives: heartbeats, or the like in another program's
// protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace heartbeat::bench {

struct Dialect {
  enum class Kind : std::uint8_t {
    Heartbeat,  // nothing is answered
    Echo,       // heartbeats, to a server that answers each with two bytes
    Mqtt,       // CONNECT once, then PINGREQ
    Redis,      // SET with EX: a key that expires unless it is set again
  };

  Kind kind = Kind::Heartbeat;
  bool with_ids = false;  // of heartbeats

  [[nodiscard]] bool is_answered() const { return kind != Kind::Heartbeat; }

  // Said once, and how long the answer is; empty where a connection needs none.
  [[nodiscard]] std::string greeting(std::size_t client) const;
  [[nodiscard]] std::size_t greeting_answer() const;

  // Said each time; of the same length for every client.
  [[nodiscard]] std::string beat(std::size_t client) const;
  [[nodiscard]] std::size_t beat_answer() const;

  // Said before a connection is closed.
  [[nodiscard]] std::string goodbye() const;
};

}  // namespace heartbeat::bench
