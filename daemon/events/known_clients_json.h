// Which clients were connected when a daemon last ended: read at the start from the event journal, and from a
// list of all connected clients that is written beside it now and then, so that the journal need not be read
// from its beginning.
//
// Only clients with an id: when a connection is gone, another client may get its address.  No loop: see
// known_clients_file.h for the writing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/status.h"
#include "common/wall_time.h"

namespace heartbeat {

// In the journal's directory.  It has this name only when it is whole.
inline constexpr const char* kKnownClientsName = "clients.list";

struct KnownClient {
  std::string name;
  std::string peer;  // `ADDRESS:PORT`
  Status status = Status::Alive;
  bool away = false;  // in leave by its own declaration
  std::string group;  // that it was in; empty: none, or it is not known
};

struct KnownClients {
  std::vector<KnownClient> clients;
  WallTime
      ended{};  // when the last line of the journal was written; without meaning where there are no clients
};

// Those that no event of the journal says to have gone, or that went because the daemon was shut down.  The
// error is errno's: ENOENT if there is no journal.  Reads the events since the list was begun, so it takes
// about a second for a million of them.
[[nodiscard]] tl::expected<KnownClients, int> read_known_clients(const std::string& directory);

// The lines of the list: the first says behind which event the journal goes on, the others have a client
// each.
void append_list_begin(std::string& out, std::string_view boot, std::uint64_t seq, WallTime now);
void append_known_client(std::string& out, const KnownClient& client);

}  // namespace heartbeat
