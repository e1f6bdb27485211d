// What every report needs besides its subject: the rule, this moment, and how to tell instants.
#pragma once

#include <string>

#include "common/mono_time.h"
#include "daemon/core/bounds.h"
#include "daemon/core/closing_brake.h"
#include "daemon/core/rule.h"
#include "daemon/report/wall_clock.h"

namespace heartbeat {

struct ReportContext {
  const Rule& rule;
  const WallClock& clock;
  MonoTime now;  // on the listening clock
  const ClosingBrake& brake;
  const Bounds& bounds;
  bool exact_instants = false;  // in sentences: as everywhere else, for a viewer that knows its own time zone

  [[nodiscard]] std::string instant(MonoTime at) const { return format_instant(clock.at(at)); }
  [[nodiscard]] std::string in_sentence(MonoTime at) const {
    return exact_instants ? instant(at) : format_for_sentence(clock.at(at), clock.at(now));
  }
};

}  // namespace heartbeat
