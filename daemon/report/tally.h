// Totals of what befell clients, by what they were, what they became and why: counted from the
// events, so that it costs nothing but at a change.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/status.h"
#include "daemon/core/event.h"
#include "daemon/core/reason.h"

namespace heartbeat {

class Tally {
 public:
  void add(const Event& event) {
    switch (event.kind) {
      case Event::Kind::Left:
      case Event::Kind::Returned: ++transitions_.at(place(event.from, event.to, event.reason)); break;
      case Event::Kind::Closed:
        ++transitions_.at(place(event.from, event.to, event.reason));
        ++closes_.at(index(event.reason)).at(index(event.by));
        break;
      // The connection before it was closed by this client's new one; the client itself went on.
      case Event::Kind::TakenOver: ++closes_.at(index(Reason::Superseded)).at(index(Party::Client)); break;
      default: break;
    }
  }

  // Totals from before a restart of the daemon.
  void add_transitions(Status from, Status to, Reason reason, std::uint64_t count) {
    transitions_.at(place(from, to, reason)) += count;
  }
  void add_closes(Reason reason, Party by, std::uint64_t count) {
    closes_.at(index(reason)).at(index(by)) += count;
  }

  [[nodiscard]] std::uint64_t transitions(Status from, Status to, Reason reason) const {
    return transitions_.at(place(from, to, reason));
  }
  [[nodiscard]] std::uint64_t closes(Reason reason, Party by) const {
    return closes_.at(index(reason)).at(index(by));
  }

 private:
  static constexpr std::size_t kStatuses = 3;
  static constexpr std::size_t kParties = 3;

  template <class Enumeration>
  static std::size_t index(Enumeration value) {
    return static_cast<std::size_t>(value);
  }
  static std::size_t place(Status from, Status to, Reason reason) {
    return (index(from) * kStatuses + index(to)) * kReasonCount + index(reason);
  }

  std::array<std::uint64_t, kStatuses * kStatuses * kReasonCount> transitions_{};
  std::array<std::array<std::uint64_t, kParties>, kReasonCount> closes_{};
};

}  // namespace heartbeat
