// The makers of all commands, each in a file of its own.
#pragma once

#include <memory>

#include "tools/ctl/command.h"

namespace heartbeat::ctl::commands {

using Made = std::unique_ptr<Command>;

[[nodiscard]] Made make_status();
[[nodiscard]] Made make_clients();
[[nodiscard]] Made make_closed();
[[nodiscard]] Made make_why();
[[nodiscard]] Made make_history();
[[nodiscard]] Made make_hooks();
[[nodiscard]] Made make_availability();
[[nodiscard]] Made make_roster();
[[nodiscard]] Made make_settings();
[[nodiscard]] Made make_watch();
[[nodiscard]] Made make_top();
[[nodiscard]] Made make_fleet();
[[nodiscard]] Made make_kick();
[[nodiscard]] Made make_brake();
[[nodiscard]] Made make_forget();
[[nodiscard]] Made make_drain();
[[nodiscard]] Made make_hold();
[[nodiscard]] Made make_release();
[[nodiscard]] Made make_log_level();
[[nodiscard]] Made make_token();
[[nodiscard]] Made make_reload();
[[nodiscard]] Made make_restart();

}  // namespace heartbeat::ctl::commands
