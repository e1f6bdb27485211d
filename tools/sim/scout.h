// Asks a daemon for the rule in force, before anybody is simulated.
#pragma once

#include <string>

#include <tl/expected.hpp>

#include "common/endpoint.h"
#include "common/message.h"
#include "common/uv/loop.h"

namespace heartbeat::sim {

// Connects as one more client, asks for notices, and says goodbye.  Runs the loop until that is done, for at
// most limits::kConnectMax.  The error is a sentence that names the server.
[[nodiscard]] tl::expected<Welcome, std::string> ask_rule(uv::Loop& loop, const Endpoint& server);

}  // namespace heartbeat::sim
