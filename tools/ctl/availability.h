// How long each client was alive, in leave and gone in a window of time, from the events of the journal.
//
// Availability is the time alive over the time known.  Time in which no daemon watched (it was down, stalled
// or restarting, or the machine was suspended) is unknown, and counts for no state.  After the daemon was
// down a client that had been connected is unknown until it is heard again.  Knows no file and no clock.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mono_time.h"
#include "tools/ctl/json_reply.h"

namespace heartbeat::ctl {

// What counts of a line of the journal.  Instants are milliseconds since 1970.
struct JournalFact {
  std::string_view type{};   // of the line: event, start, end …
  std::string_view event{};  // leave, close …
  std::string_view client{};
  std::string_view previous{};  // the client's name until then
  std::string_view reason{};
  Millis at{0};
  std::string_view from{};  // of a transition: the status before
  Millis connected{0};      // since the accept
  Millis unwatched{0};      // of a stall, a suspension or a restart, which ended at `at`
  std::uint64_t heartbeats = 0;
};
// Nothing of a line without an instant.  Refers to the object.
[[nodiscard]] std::optional<JournalFact> fact_of(const Object& line);

struct Availability {
  Millis alive{0};
  Millis leave{0};
  Millis closed{0};
  Millis unknown{0};  // since the client was first known
  std::uint64_t leaves = 0;
  std::uint64_t closes = 0;

  // Nothing where no time is known.
  [[nodiscard]] std::optional<double> share() const;
};

class AvailabilityCount {
 public:
  // Counts what lies in the window.
  AvailabilityCount(Millis from, Millis until) : from_(from), until_(until) {}

  // In the order of the journal, from its beginning.
  void add(const JournalFact& fact);

  // Each client that was known in the window, by name.  `is_watching`: the daemon runs at the end of the
  // window; otherwise the time after its last line is unknown.
  [[nodiscard]] std::map<std::string, Availability> finish(bool is_watching);

 private:
  enum class State : std::uint8_t { Unknown, Alive, Leave, Closed };
  struct Known {
    State state = State::Unknown;
    Millis since{0};
    Availability sum{};
  };
  // In which no daemon watched; sorted, apart.
  struct Gap {
    Millis begin;
    Millis end;
  };

  void add_event(const JournalFact& fact);
  void add_gap(Millis begin, Millis end);
  void change(Known& known, State to, Millis at);
  [[nodiscard]] Known* find(const JournalFact& fact);
  [[nodiscard]] Millis unwatched(Millis begin, Millis end) const;

  Millis from_;
  Millis until_;
  std::map<std::string, Known, std::less<>> clients_;
  std::vector<Gap> gaps_;
  std::optional<Millis> watched_since_;  // the beginning of the journal, or of this run
  Millis last_{0};                       // the latest instant of a line
};

}  // namespace heartbeat::ctl
