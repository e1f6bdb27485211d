// Words events for the operator: one event, one line, stable wording, key=value.  The only place that does.
#pragma once

#include <cstdint>

#include "common/mono_time.h"
#include "daemon/core/event.h"
#include "daemon/core/monitor.h"

namespace heartbeat {

class EventLog {
 public:
  void tell(const Event& event);

  // The clients by name and status, in one line, when it has changed since the last call: the article's
  // "current server management user list".
  void tell_roster(const Monitor& monitor);

 private:
  void tell_refused(const Event& event);

  std::uint64_t roster_version_ = 0;
  MonoTime refused_told_at_;
  std::uint64_t refused_untold_ = 0;
  bool refused_told_ = false;
};

}  // namespace heartbeat
