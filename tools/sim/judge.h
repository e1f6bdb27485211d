// Compares what a simulated client was promised with what it saw.
#pragma once

#include <string>

#include "common/mono_time.h"
#include "tools/sim/record.h"
#include "tools/sim/script.h"

namespace heartbeat::sim {

enum class Verdict : std::uint8_t {
  Kept,       // all that was promised has happened, and nothing else
  NotYet,     // something promised has not happened, and is not overdue
  NoPromise,  // the settings in force promise this behaviour nothing
  Excused,    // broken, but the simulator was late itself, or could not connect for want of means
  Broken,
};

struct Judgement {
  Verdict verdict;
  std::string why;  // a clause about the client; empty where kept
};

// The end of a run.
struct Circumstances {
  MonoTime end;
  Millis stalled{0};          // how long the simulator itself was not running, in all
  bool daemon_ended = false;  // which is why the run ended
  Millis restarting{0};       // how long the restarts of the daemon that it ordered took, in all
};

// What is late by less than this is on time: five seconds or three ticks, whichever is more, the simulator's
// own stalls, and restarts, which the daemon charges to no client.  A busy machine is no broken promise.
[[nodiscard]] Millis margin(const Pace& pace, const Circumstances& circumstances);

[[nodiscard]] Judgement judge(const Record& record, const Pace& pace, const Circumstances& circumstances);

}  // namespace heartbeat::sim
