// The command line as one validated value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "common/command_line.h"
#include "common/endpoint.h"
#include "common/mono_time.h"
#include "tools/door/door.h"
#include "tools/sim/behaviour.h"
#include "tools/sim/kind.h"

namespace heartbeat::sim {

// Between a restart of the daemon and the order of the next: with less, hardly anything else would be tried.
inline constexpr Millis kRestartEveryMin{100};

struct Options {
  HostPort server{"127.0.0.1", 14000};
  std::size_t clients = 100;
  Millis add_every{10'000};
  std::optional<Millis> interval;  // nothing: the daemon's tick
  std::optional<Millis> duration;  // nothing: until a signal
  Mix mix{};
  std::vector<ClientKind> kinds;       // empty: all clients are of one kind, without a group
  std::optional<std::size_t> sources;  // nothing: as many as the ports require
  std::string id_prefix;
  std::uint64_t seed = 0;
  door::Door door;
  bool proxied = false;
  bool no_progress = false;
  bool demo = false;                    // against a daemon of our own
  std::optional<Millis> restart_every;  // nothing: the daemon is not restarted
  std::string control;                  // of the daemon that is restarted; empty: the default path

  // The core in virtual time, without a daemon: of the above only clients, duration, kinds and seed count.
  bool virtual_time = false;
  std::size_t seeds = 1;  // from `seed` on
};

// `own_pid` makes the ids of two runs differ where no prefix is given, `random` is the seed where none is.
[[nodiscard]] tl::expected<Options, CommandLine::End> parse_options(int argc, const char* const* argv,
                                                                    std::uint32_t own_pid,
                                                                    std::uint64_t random);

}  // namespace heartbeat::sim
