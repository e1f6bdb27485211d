// What holds for one client beside its group: an interval that it declared, a silence that it announced, a
// hold of an operator.  Few clients have any, so it is kept apart from Client.
#pragma once

#include <optional>

#include "common/mono_time.h"
#include "daemon/core/rule.h"

namespace heartbeat {

struct ClientTerms {
  Millis interval{0};          // that the client declared last; 0: none
  std::optional<Rule> rule{};  // where the interval is granted: the rule of its group with it as the tick
  MonoTime quiet_until{};      // the announced silence that is granted; in the past: there is none
  MonoTime on_hold_until{};    // by an operator (holds.h); in the past: it is not held
};

}  // namespace heartbeat
