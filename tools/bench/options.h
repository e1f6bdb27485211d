// The command line as one validated value.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/command_line.h"
#include "tools/bench/server.h"

namespace heartbeat::bench {

// What can be measured, each by its name on the command line.
enum class Row : std::uint8_t { Rate, Batch, Slow, Churn, Accept, Memory, Idle, Lateness, Core, Curve };
inline constexpr std::size_t kRowCount = 10;

[[nodiscard]] std::string_view to_string(Row row);
[[nodiscard]] std::string_view explain(Row row);

struct Options {
  std::array<bool, kRowCount> rows{};
  std::array<bool, kServerCount> servers{};
  Millis length{4'000};  // of each measurement
  unsigned repeat = 5;
  bool quick = false;
  bool with_ids = false;
  Millis tick{2'000};  // of the daemon whose lateness is measured
  std::vector<Peer> peers;
  std::string json;      // a file; empty: none
  DaemonOptions daemon;  // `program` empty: the one beside this program

  [[nodiscard]] bool wants(Row row) const { return rows.at(static_cast<std::size_t>(row)); }
  // Of the servers that are always there.
  [[nodiscard]] bool wants(ServerKind kind) const { return servers.at(static_cast<std::size_t>(kind)); }
};

[[nodiscard]] tl::expected<Options, CommandLine::End> parse_options(int argc, const char* const* argv);

}  // namespace heartbeat::bench
