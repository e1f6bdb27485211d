// The words for the kinds of events that are counted and kept, as programs outside of the daemon offer them.
#pragma once

#include <array>
#include <string_view>

namespace heartbeat::events {

// All but `heartbeat`.  tests/unit/log holds them against the daemon's kinds.
inline constexpr std::array<std::string_view, 26> kEventNames{"connected",
                                                              "joined",
                                                              "named",
                                                              "takeover",
                                                              "fight",
                                                              "slow_beats",
                                                              "fast_beats",
                                                              "strike",
                                                              "leave",
                                                              "return",
                                                              "close",
                                                              "refused",
                                                              "refused_again",
                                                              "accept_paused",
                                                              "stall",
                                                              "suspend",
                                                              "brake",
                                                              "brake_end",
                                                              "restarted",
                                                              "reload_refused",
                                                              "hold",
                                                              "hold_end",
                                                              "certificate_expires",
                                                              "absent",
                                                              "drain",
                                                              "drain_complete"};

}  // namespace heartbeat::events
