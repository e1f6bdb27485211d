// Words events for the operator: one event, one line, stable wording, key=value.  The only place that does.
//
// Where it is written, on standard error or in the journal, is not its business.  A flood of one kind is
// summed up (flood_control.h).
#pragma once

#include <cstdint>
#include <functional>

#include "common/mono_time.h"
#include "daemon/core/event.h"
#include "daemon/core/monitor.h"
#include "daemon/log/flood_control.h"
#include "daemon/log/log_record.h"

namespace heartbeat {

class EventLog {
 public:
  using Write = std::function<void(const LogRecord&)>;

  // `per_second`: records of one kind of event in a second before the rest is summed up; 0 for no limit.
  EventLog(unsigned per_second, Write write) : flood_(per_second), write_(std::move(write)) {}
  void set_per_second(unsigned per_second) { flood_.set_per_second(per_second); }

  // Events whose level the log does not show are neither logged nor counted.  `now` is the machine's clock.
  void tell(const Event& event, MonoTime now);

  // At the end of each turn of the loop: logs how much was held back in the seconds that are over.
  void turn(MonoTime now);
  // The same for seconds that are not over: nothing more will come.
  void finish() { turn(MonoTime::never()); }

  // The clients by name and status, in one line, when it has changed since the last call: the article's
  // "current server management user list".
  void tell_roster(const Monitor& monitor);

 private:
  FloodControl flood_;
  Write write_;
  std::uint64_t roster_version_ = 0;
};

}  // namespace heartbeat
