// One line for one object of the change feed.
#pragma once

#include "tools/ctl/json_reply.h"
#include "tools/ctl/styled.h"

namespace heartbeat::ctl {

// An object of type `event`: when, what, of which client, and all other members as `key=value`.
[[nodiscard]] Line event_line(const Object& event);

// An object of type `client`, as the snapshot has them; `at` is the instant of the snapshot.
[[nodiscard]] Line snapshot_line(const Object& client, std::string_view at);

// An object of type `lost`.
[[nodiscard]] Line lost_line(const Object& lost);

}  // namespace heartbeat::ctl
