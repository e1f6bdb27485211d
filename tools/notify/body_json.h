// What a hook is sent: records of the journal as CloudEvents, as plain events or as lines, and a digest of
// many.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/journal_reader.h"

namespace heartbeat::notify {

// An event, or a loss in its place.
struct Record {
  JournalCursor cursor;
  std::string text;  // the JSON object
};

// The members of an event by which hooks choose, with the escapes of JSON undone.
struct EventFacts {
  std::string event{};
  std::string client{};
  std::string reason{};
  std::string by{};
  std::string peer{};
  std::string at{};
  std::string text{};     // a sentence; of a digest, and of a client that flaps
  std::string group{};    // empty: the client is in none
  std::string on_hold{};  // why an operator holds the client; empty: it is not held
};
[[nodiscard]] EventFacts facts_of(const std::string& object);

// `{"type":"lost",…}`: events between the two cursors that this hook was never sent.  `count` is 0 where it
// is not known.
[[nodiscard]] std::string lost_object(std::uint64_t count, const std::string& from, const std::string& to);

// `application/cloudevents-batch+json` of CloudEvents 1.0.2, from the source `/heartbeatd/HOST`.
[[nodiscard]] std::string cloudevents(const std::vector<Record>& records, std::string_view host);
// `{"events":[…]}`.
[[nodiscard]] std::string plain_events(const std::vector<Record>& records);
// For a command: HEARTBEAT_COUNT, and of a single record HEARTBEAT_EVENT, HEARTBEAT_CLIENT, HEARTBEAT_REASON,
// HEARTBEAT_PEER, HEARTBEAT_AT and HEARTBEAT_TEXT where it has them; `NAME=VALUE`, printable as in the log.
// `lines`: what event_lines() returned.
[[nodiscard]] std::vector<std::string> environment_of(std::string_view lines);

// One object a line.
[[nodiscard]] std::string event_lines(const std::vector<Record>& records);

// One message for many events: how many of which kind, what they have in common, and some names.
class Digest {
 public:
  static constexpr std::size_t kNamesMax = 20;

  void add(const EventFacts& facts, const JournalCursor& cursor);
  void add_loss(std::uint64_t count) { lost_ += count; }
  [[nodiscard]] std::uint64_t count() const { return count_; }

  // `{"type":"digest",…}` with a sentence in `text`.
  [[nodiscard]] std::string object() const;

 private:
  using Counts = std::map<std::string, std::uint64_t>;

  static void count_in(Counts& counts, const std::string& key);
  [[nodiscard]] std::string common() const;

  std::uint64_t count_ = 0;
  std::uint64_t lost_ = 0;
  Counts kinds_;
  Counts reasons_;
  Counts networks_;
  std::vector<std::string> names_;
  std::string first_at_;
  std::string last_at_;
  JournalCursor from_;
  JournalCursor to_;
};

}  // namespace heartbeat::notify
