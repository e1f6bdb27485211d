// Lets the events of one hook wait for `after`, and takes out what did not last that long: a loss whose
// client was back in time, and that comeback.
//
// All events wait, so that they stay in order.  Without `after` they pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/events/journal_reader.h"
#include "common/wall_time.h"
#include "tools/notify/body_json.h"

namespace heartbeat::notify {

class Lasting {
 public:
  // While this many events wait, no more are read.  A comeback that is not read yet does not take its loss
  // out: the bound costs a notice too many, never one too few.
  static constexpr std::size_t kWaitingMax = 32'768;

  struct Entry {
    JournalCursor cursor{};
    std::string text{};       // the event; empty for a loss of events
    bool is_missing = false;  // events that are missing in the journal
    std::uint64_t count = 0;  // of them; 0: not known
    EventFacts facts{};
    WallTime at{};
    bool did_not_last = false;
  };

  explicit Lasting(Millis after) : after_(after) {}

  // `now`: when the event was read.  An event without an instant, or with a later one, counts from there.
  void add(Entry entry, WallTime now);

  // The next event whose wait is over, in order.
  [[nodiscard]] std::optional<Entry> next(WallTime now);

  // When next() has one; nothing where none waits.
  [[nodiscard]] std::optional<WallTime> due() const;
  [[nodiscard]] bool is_full() const { return waiting_.size() >= kWaitingMax; }

  // Clients whose loss was taken out and whose comeback is still to come: for the next process, which reads
  // the comeback alone.
  [[nodiscard]] std::vector<std::string> forgiven() const;
  void load_forgiven(const std::vector<std::string>& clients) { owed_ = {clients.begin(), clients.end()}; }

 private:
  void pair(Entry& entry);

  Millis after_;
  std::deque<Entry> waiting_;                          // references to its elements stay valid
  std::map<std::string, std::vector<Entry*>> losses_;  // losses that wait, by client
  std::set<std::string> open_;                         // the loss has passed next(), and its comeback waits
  std::set<std::string> owed_;                         // of the process before
};

}  // namespace heartbeat::notify
