// The TLS handshake as a preamble: owed by every connection to a listener with TLS.
#pragma once

#include <memory>

#include "common/tls/session.h"
#include "daemon/io/preamble.h"

namespace heartbeat {

// Begins with the context as it is now: a reload makes another one for the connections that come later.
[[nodiscard]] std::unique_ptr<Preamble> tls_preamble(std::shared_ptr<const tls::Context> context);

}  // namespace heartbeat
