// What every report needs besides its subject: the monitor, this moment, and how to write instants.
#pragma once

#include <string>

#include "common/mono_time.h"
#include "daemon/core/monitor.h"
#include "daemon/report/wall_clock.h"

namespace heartbeat {

struct ReportContext {
  const Monitor& monitor;
  const WallClock& clock;
  MonoTime now;                 // on the listening clock
  bool exact_instants = false;  // in sentences: as everywhere else, for a viewer that knows its own time zone

  [[nodiscard]] const Rule& rule_of(const Client& client) const { return monitor.rule_of(client); }
  // The rule that its group has now; that of no group where its group is gone.
  [[nodiscard]] const Rule& rule_of(const ClosedClient& client) const {
    const Settings& settings = monitor.settings();
    return settings.rule_of(settings.groups.number_of(client.group.view()));
  }
  [[nodiscard]] std::string instant(MonoTime at) const { return format_instant(clock.at(at)); }
  [[nodiscard]] std::string in_sentence(MonoTime at) const {
    return exact_instants ? instant(at) : format_for_sentence(clock.at(at), clock.at(now));
  }
};

}  // namespace heartbeat
