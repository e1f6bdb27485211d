// The command line as one validated value.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "common/command_line.h"
#include "common/endpoint.h"
#include "common/limits.h"
#include "common/mono_time.h"
#include "common/status.h"
#include "tools/door/door.h"

namespace heartbeat::client {

struct Options {
  HostPort server{"127.0.0.1", 14000};
  Millis interval{10'000};
  std::optional<std::uint64_t> count;  // heartbeats, over all connections; then the client ends
  Status status = Status::Alive;       // what each heartbeat declares; Close is sent once
  std::string ip;                      // empty: the local address of the connection
  std::string id;
  std::string group;  // that it says it is of; empty: none
  door::Door door;
  std::shared_ptr<const tls::Context> tls;  // null: plain
  std::optional<Endpoint> proxied;          // the peer that a PROXY header names; nothing: no header is sent
  std::uint32_t pid = 0;
  Millis base = limits::kReconnectFirst;  // the first pause before connecting again is at most this
  Millis cap = limits::kReconnectMax;     // and any pause at most this
  Millis gate{0};       // leave is declared when no line came on standard input for this long; 0: never
  bool notify = false;  // also where an id is given
  bool ack = false;
  bool persist = false;  // connects again after superseded and kicked, too
  bool quiet = false;
  std::optional<std::uint32_t> retries;  // failures in a row before it gives up; nothing: never
};

// `own_pid` is the process's own, for where none is given.
[[nodiscard]] tl::expected<Options, CommandLine::End> parse_options(int argc, const char* const* argv,
                                                                    std::uint32_t own_pid);

}  // namespace heartbeat::client
