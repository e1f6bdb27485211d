// What the client is told on its command line, as one validated value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "common/command_line.h"
#include "common/endpoint.h"
#include "common/mono_time.h"
#include "common/status.h"

namespace heartbeat::client {

struct Options {
  HostPort server{"127.0.0.1", 14000};
  Millis interval{10'000};
  std::optional<std::uint64_t> count;  // heartbeats, over all connections; then the client ends
  Status status = Status::Alive;       // what each heartbeat declares; Close is sent once
  std::string ip;                      // empty: the local address of the connection
  std::string id;
  std::uint32_t pid = 0;
  bool notify = false;  // also where an id is given
  bool ack = false;
  bool quiet = false;
  std::optional<std::uint32_t> retries;  // failures in a row before it gives up; nothing: never
};

// `own_pid` is the process's own, for where none is given.
[[nodiscard]] tl::expected<Options, CommandLine::End> parse_options(int argc, const char* const* argv,
                                                                    std::uint32_t own_pid);

}  // namespace heartbeat::client
