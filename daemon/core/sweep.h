// Something that concerns every client at one instant, and how far it has been carried out.
//
// A sweep goes from slot to slot, a slice in each Monitor::advance() (monitor_sweep.cpp).
#pragma once

#include <cstdint>

#include "common/mono_time.h"
#include "daemon/core/brake_report.h"
#include "daemon/core/rule.h"

namespace heartbeat {

struct Sweep {
  enum class Kind : std::uint8_t {
    Adopt,   // new settings hold
    Arm,     // deadlines may have come nearer
    Renew,   // leaves after silence begin anew
    Report,  // the brake took hold: what have the clients concerned in common
    Close,   // the daemon is ending
  };
  Kind kind;
  MonoTime at;
  std::uint32_t next_slot = 0;
  Rule old_rule{};             // of Adopt
  bool counts_change = false;  // of Adopt: addresses are counted from now on, or no longer
  CommonTraits traits{};       // of Report
};

}  // namespace heartbeat
