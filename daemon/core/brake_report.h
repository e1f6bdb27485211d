// The report of one time that the brake on mass closing held: when, for which clients, and what these clients
// share.
//
// What they share points at the cause: one subnet at a router, one listener at an address or a firewall, one
// group at a program, one moment of the last heartbeats at an event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/endpoint.h"
#include "common/mono_time.h"
#include "daemon/core/client.h"
#include "daemon/core/closing_brake.h"
#include "daemon/core/group.h"

namespace heartbeat {

struct SavedFields;

// The smallest network that contains every address added.
class CommonSubnet {
 public:
  void add(const Endpoint& endpoint);

  // `10.1.0.0/16`; a single address as it is.  Empty: no address was added, or no prefix is common to all.
  [[nodiscard]] std::string text() const;

 private:
  friend struct SavedFields;  // saved_state.cpp lists the members that survive a restart

  std::optional<Endpoint> first_;
  unsigned bits_ = 0;  // leading bits that all addresses share with the first
};

struct BrakeReport {
  BrakeSpan span;
  std::string subnet{};                // empty: the clients share none
  std::optional<Endpoint> listener{};  // that all of them connected to; nothing where there were several
  std::string group{};                 // that all of them are in; empty where there are several, or none
  MonoTime heard_first{};              // the earliest and the latest of their last heartbeats
  MonoTime heard_last{};
  std::size_t held = 0;  // of an end: the clients that waited; they are closed now, or got a new leave period
};

// What a set of clients has in common, found one client at a time.
class CommonTraits {
 public:
  void add(const Client& client);

  // `listeners` and `groups`: by the numbers that clients have of them.
  [[nodiscard]] BrakeReport report(const BrakeSpan& span, const std::vector<Endpoint>& listeners,
                                   const GroupList& groups) const;

 private:
  friend struct SavedFields;  // saved_state.cpp lists the members that survive a restart

  CommonSubnet subnet_;
  std::optional<std::uint8_t> listener_;
  bool one_listener_ = true;
  GroupNumber group_ = kNoGroup;  // of the client added last
  bool one_group_ = true;
  MonoTime heard_first_ = MonoTime::never();
  MonoTime heard_last_;
};

}  // namespace heartbeat
