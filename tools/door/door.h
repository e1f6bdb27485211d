// How a tool comes in at the daemon: plain or by TLS, with a token, and in the name of a proxy.  The flags of
// it, which heartbeat-client and heartbeat-sim have in common.
#pragma once

#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "common/command_line.h"
#include "common/endpoint.h"
#include "common/tls/session.h"

namespace heartbeat::door {

struct Door {
  bool tls = false;
  std::string ca;           // the path of the authorities' file; empty: the system's
  std::string certificate;  // the path of our own certificate; empty: we have none
  std::string key;          // empty: it is in the file of the certificate
  std::string token;        // of the first heartbeat; empty: none
};

// --tls, --ca, --cert, --key and --token.
void add_flags(CommandLine& line, Door& door);

// What TLS sessions with that server begin with; null where --tls was not given.  The error is a sentence
// that names the file or the flag.
[[nodiscard]] tl::expected<std::shared_ptr<const tls::Context>, std::string> context_for(
    const Door& door, const HostPort& server);

// A header of the PROXY protocol, version 1, as a proxy at our place would send it: the client is `source`.
[[nodiscard]] std::string proxy_header(const Endpoint& source, const Endpoint& server);

}  // namespace heartbeat::door
