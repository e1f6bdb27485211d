// The readers of all commands, each in a file of its own; see Command::read.
#pragma once

#include <string>

#include <tl/expected.hpp>

#include "daemon/control/command.h"

namespace heartbeat::commands {

using Reading = tl::expected<Order, std::string>;

[[nodiscard]] Reading read_status(Members& request);
[[nodiscard]] Reading read_clients(Members& request);
[[nodiscard]] Reading read_closed(Members& request);
[[nodiscard]] Reading read_why(Members& request);
[[nodiscard]] Reading read_watch(Members& request);
[[nodiscard]] Reading read_kick(Members& request);
[[nodiscard]] Reading read_supersede(Members& request);
[[nodiscard]] Reading read_remember(Members& request);
[[nodiscard]] Reading read_brake(Members& request);
[[nodiscard]] Reading read_forget(Members& request);
[[nodiscard]] Reading read_drain(Members& request);
[[nodiscard]] Reading read_hold(Members& request);
[[nodiscard]] Reading read_release(Members& request);
[[nodiscard]] Reading read_roster(Members& request);
[[nodiscard]] Reading read_log_level(Members& request);
[[nodiscard]] Reading read_settings(Members& request);
[[nodiscard]] Reading read_reload(Members& request);
[[nodiscard]] Reading read_restart(Members& request);

}  // namespace heartbeat::commands
