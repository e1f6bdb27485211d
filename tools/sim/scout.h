// Asks a daemon for the rule in force, before anybody is simulated.
#pragma once

#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "common/endpoint.h"
#include "common/message.h"
#include "common/tls/session.h"
#include "common/uv/loop.h"
#include "tools/sim/kind.h"

namespace heartbeat::sim {

// Connects as one more client, asks for notices, and says goodbye.  Runs the loop until that is done, for at
// most limits::kConnectMax.  `context`: null for a plain connection;
// `preface` is sent before anything else, and `token` with the first heartbeat.  The rule is that of a client
// of this kind, where that has a group.  The error is a sentence that names the server.
[[nodiscard]] tl::expected<Welcome, std::string> ask_rule(uv::Loop& loop, const Endpoint& server,
                                                          const std::shared_ptr<const tls::Context>& context,
                                                          const std::string& preface,
                                                          const std::string& token, const ClientKind& kind);

}  // namespace heartbeat::sim
