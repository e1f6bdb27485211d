// Something that concerns every client at one instant, and how far it has been carried out.
//
// A sweep goes from slot to slot, a slice in each Monitor::advance() (monitor_sweep.cpp).
#pragma once

#include <cstdint>

#include "common/mono_time.h"
#include "daemon/core/brake_report.h"
#include "daemon/core/group.h"
#include "daemon/core/rule.h"

namespace heartbeat {

struct Sweep {
  enum class Kind : std::uint8_t {
    Adopt,   // new settings hold
    Arm,     // deadlines may have come nearer
    Renew,   // leaves after silence begin anew
    Report,  // the brake took hold: what have the clients concerned in common
    Close,   // the daemon is ending
    Hold,    // operators hold other clients than before
  };
  Kind kind;
  MonoTime at;
  std::uint32_t next_slot = 0;
  Rule old_rule{};  // of Adopt, as the next: what holds for a client until its turn
  GroupList old_groups{};
  bool groups_change = false;
  bool counts_change = false;  // of Adopt: addresses are counted from now on, or no longer
  CommonTraits traits{};       // of Report

  [[nodiscard]] const Rule& old_rule_of(GroupNumber number) const {
    const Group* const group = old_groups.find(number);
    return group == nullptr ? old_rule : group->rule;
  }
};

}  // namespace heartbeat
