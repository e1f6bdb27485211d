// What an event changes about its client, for what lasts and what flaps.
#pragma once

#include <cstdint>

#include "tools/notify/body_json.h"

namespace heartbeat::notify {

enum class Change : std::uint8_t {
  None,     // no client's state
  Lost,     // into leave, or closed by the daemon out of alive: a loss begins
  Worse,    // the client was lost before: closed by the daemon after silence
  Back,     // alive again
  Settled,  // an orderly end: a goodbye, or an operator's kick
};

[[nodiscard]] Change change_of(const EventFacts& facts);

}  // namespace heartbeat::notify
