// How a connection came in: what is known of it before its first heartbeat.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/endpoint.h"
#include "common/mono_time.h"
#include "daemon/core/credentials.h"

namespace heartbeat {

// The credential that a listener requires of its clients.
enum class Requirement : std::uint8_t {
  None,
  Certificate,  // the client may use no id other than the name in its certificate
  Token,        // the client may use the ids that its token is for
};

// What stands between a client and the daemon, and what the client has proved of itself.  Kept with the
// client, and absent where all of it is empty.
struct Passage {
  std::optional<Endpoint> via{};   // the proxy's address; nothing: the client connected directly
  std::string certificate_name{};  // of a verified certificate; empty: there is none
  Requirement require = Requirement::None;
  TokenProof token{};  // from the first heartbeat

  [[nodiscard]] bool is_empty() const { return *this == Passage{}; }

  friend bool operator==(const Passage&, const Passage&) = default;
};

// The name in the token or the certificate; empty where there is neither.
[[nodiscard]] inline std::string_view credential_name(const Passage& passage) {
  return passage.token.name.empty() ? passage.certificate_name : passage.token.name;
}

struct Arrival {
  std::optional<Endpoint> listener{};  // where it connected to, if that is known
  std::optional<MonoTime> accepted{};  // on the listening clock; nothing: now
  Passage passage{};
};

}  // namespace heartbeat
