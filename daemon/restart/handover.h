// What a daemon leaves to the process that takes its place: the state of the core, and which open socket is
// what.
//
// Sockets are named by their cookies (os::socket_cookie()): descriptors have other numbers in a process that
// the service manager has started.  A value; reads and writes nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/endpoint.h"
#include "common/mono_time.h"
#include "daemon/core/connection_id.h"
#include "daemon/core/saved_state.h"

namespace heartbeat {

struct Handover {
  // One pair of numbers for the state of the core and for what surrounds it, so that a program that can read
  // the one can read the other.
  static constexpr std::uint32_t kFormat = kStateFormat;
  static constexpr std::uint32_t kReadableBy = kStateReadableBy;

  using Cookie = std::uint64_t;

  struct Client {
    Cookie socket = 0;
    ConnId conn{};         // in the state
    std::string unsent{};  // written for the peer, and not taken by the kernel yet
  };
  struct Listener {
    Cookie socket = 0;
    Endpoint asked{};            // as configured: its port may be 0
    bool is_of_manager = false;  // the service manager's (socket activation)
  };

  std::string version{};  // of the program that wrote this
  MonoTime written{};     // on the machine's clock: nothing has been read from a socket since
  std::string state{};    // of the core; empty if there was no memory to write it
  std::vector<Client> clients{};
  std::vector<Listener> listeners{};  // for clients
  Cookie control = 0;                 // that listens for operators; 0: none
  std::string control_path{};         // empty: it is the service manager's
  Cookie http = 0;                    // that listens for HTTP; 0: none
  std::string log_level{};            // that an operator has set; empty if none has
  std::vector<MonoTime> armed{};      // Monitor::armed(), for a process that repeats calls on the state
  std::vector<Cookie> waiting{};      // connections of operators that wait for the answer to `restart`
};

[[nodiscard]] std::string write_handover(const Handover& handover);

// The error says in a sentence why the bytes cannot be read.
[[nodiscard]] tl::expected<Handover, std::string> read_handover(std::string_view bytes);

}  // namespace heartbeat
