// The process whose place this one takes: what it left, read once at the start.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/descriptor.h"
#include "common/mono_time.h"
#include "daemon/core/credentials.h"
#include "daemon/core/saved_state.h"
#include "daemon/restart/handover.h"
#include "daemon/restart/inherited.h"
#include "daemon/systemd/handed_sockets.h"

namespace heartbeat {

struct Predecessor {
  // A client whose connection cannot go on: bytes from it or for it were lost in the crash.
  struct Lost {
    ConnId conn{};
    std::string_view why{};  // a sentence
  };

  Handover handover{};
  bool has_handover = false;          // else nothing says which socket is what
  std::optional<SavedState> state{};  // nothing if it cannot be read
  std::string unreadable{};           // a sentence: why it cannot; the sockets are there all the same
  bool was_executed = false;          // in its own process, by replace_process()
  bool has_crashed = false;           // or was killed
  std::vector<Lost> lost{};
  InheritedSockets sockets{};
  Millis length{0};                   // how long no socket was read, so far
  std::vector<Descriptor> waiting{};  // connections of operators that wait for the answer to `restart`
};

// Of a process that was started in the place of another by replace_process(); nothing in any other.  To be
// called before any descriptor is opened.
[[nodiscard]] std::optional<Predecessor> predecessor_before_exec();

// Of a process that the service manager started after one that had left its clients with it; nothing in any
// other.  `credentials`: the ones that clients prove themselves by now; null: none.
[[nodiscard]] std::optional<Predecessor> predecessor_of_manager(const HandedSockets& handed,
                                                                const Credentials* credentials);

}  // namespace heartbeat
