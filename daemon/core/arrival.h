// How a connection came in: what is known of it before its first heartbeat.
#pragma once

#include <optional>
#include <string>

#include "common/endpoint.h"
#include "common/mono_time.h"

namespace heartbeat {

// What stands between a client and the daemon, and what the client has proved of itself.  Kept with the
// client, and absent where all of it is empty.
struct Passage {
  std::optional<Endpoint> via{};   // the proxy's address; nothing: the client connected directly
  std::string certificate_name{};  // of a verified certificate; empty: there is none
  // The listener requires a certificate, and the client may use no id other than the certificate's name.
  bool must_prove = false;

  [[nodiscard]] bool is_empty() const { return !via && certificate_name.empty() && !must_prove; }

  friend bool operator==(const Passage&, const Passage&) = default;
};

struct Arrival {
  std::optional<Endpoint> listener{};  // where it connected to, if that is known
  std::optional<MonoTime> accepted{};  // on the listening clock; nothing: now
  Passage passage{};
};

}  // namespace heartbeat
