// What the rule promises a simulated client, worked out from what the client did and the settings in force.
//
// Not a second implementation of the rule: for each behaviour it is clear what must happen, and to within a
// tick or two when.  That the daemon is exact to the millisecond is for the tests of its core.
#pragma once

#include <optional>

#include "common/mono_time.h"
#include "daemon/core/reason.h"
#include "tools/sim/record.h"
#include "tools/sim/script.h"

namespace heartbeat::sim {

struct Milestone {
  enum class Kind : std::uint8_t {
    Never,  // must not happen
    May,    // nothing is promised
    Due,    // must happen, from `earliest` to `latest`
  };

  Kind kind = Kind::Never;
  MonoTime earliest{};
  MonoTime latest{};               // never(): not before something else has happened
  std::optional<Reason> reason{};  // that must be reported
};

struct Promise {
  Milestone leave;
  Milestone back;  // to alive
  Milestone close;
  Milestone supersede;         // the first connection of a takeover
  bool answers = false;        // each heartbeat is answered
  bool nothing_said = false;   // not one byte is sent
  const char* none = nullptr;  // why nothing is promised at all, where that is so: a clause
};

[[nodiscard]] Promise promise_of(const Record& record, const Pace& pace);

}  // namespace heartbeat::sim
