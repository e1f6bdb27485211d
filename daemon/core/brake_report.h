// What is told of one time that the brake on mass closing held: when, for whom, and what they have in common.
//
// What they have in common points at the cause: one subnet at a router, one listener at an address or a
// firewall, one moment of the last heartbeats at an event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "common/endpoint.h"
#include "common/mono_time.h"
#include "daemon/core/closing_brake.h"

namespace heartbeat {

// The smallest network that holds all addresses which were added.
class CommonSubnet {
 public:
  void add(const Endpoint& endpoint);

  // `10.1.0.0/16`; a single address as it is.  Empty: there is none, or it is every address there can be.
  [[nodiscard]] std::string text() const;

 private:
  std::optional<Endpoint> first_;
  unsigned bits_ = 0;  // that all have as the first one has
};

struct BrakeReport {
  BrakeSpan span;
  std::string subnet{};                // empty: none that is common to all
  std::optional<Endpoint> listener{};  // where all of them connected to, if to one
  MonoTime heard_first{};              // the earliest and the latest of their last heartbeats
  MonoTime heard_last{};
  std::size_t held = 0;  // of an end: those that waited, and are closed now, or got a new leave period
};

}  // namespace heartbeat
