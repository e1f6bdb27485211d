// What TLS sessions with a Redis begin with, from the files that a relay's configuration names.
#pragma once

#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "common/tls/session.h"
#include "tools/relay/config.h"

namespace heartbeat::relay {

// `server` is the name or address that the certificate must be for.  The error is a sentence that names the
// file.
[[nodiscard]] tl::expected<std::shared_ptr<const tls::Context>, std::string> tls_context(
    const Config& config, const std::string& server);

}  // namespace heartbeat::relay
