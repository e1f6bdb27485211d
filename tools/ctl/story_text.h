// The story of one client as lines: what `why` prints and what `top` shows of the chosen client.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "tools/ctl/json_reply.h"
#include "tools/ctl/styled.h"

namespace heartbeat::ctl {

// `story` is the daemon's answer to `why`, `rule` that of its `status`.  Every instant is in local time.
// `width`: nothing is unlimited.
[[nodiscard]] std::vector<Line> story_lines(const Object& story, const Object& rule,
                                            std::optional<std::size_t> width);

}  // namespace heartbeat::ctl
