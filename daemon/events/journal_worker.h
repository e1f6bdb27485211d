// The work on a batch of events: words them as lines, finds gaps in their numbers, appends and syncs.
//
// Runs on a thread of the pool, one call at a time.  Knows no loop and no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/core/event.h"
#include "daemon/events/segment_writer.h"
#include "daemon/report/wall_clock.h"

namespace heartbeat {

class JournalWorker {
 public:
  // A line about the journal itself.
  struct Note {
    std::uint64_t seq;   // of the last event before it
    std::string object;  // of JSON: the line without its checksum
  };
  using Entry = std::variant<Event, Note>;

  struct Batch {
    std::vector<Entry> entries;
    WallClock clock;  // that knows the instants of all entries
    WallTime now;
    bool strikes = false;  // false: Event::Kind::Struck is left out
    bool sync = false;     // afterwards
  };

  // `boot` is this run of the daemon.
  JournalWorker(std::string directory, std::string boot, SegmentBounds bounds = {});

  // Begins at the end of what is there.  The numbers of this run go on from there.
  [[nodiscard]] tl::expected<SegmentWriter::Found, int> open();

  // This run goes on from another process, which may have written some of the events that come first, and
  // others not.
  void skip_written() { skips_written_ = true; }

  // What became of a batch.
  struct Result {
    int error = 0;              // errno's number; then nothing was written, and the batch must come again
    std::uint64_t written = 0;  // events
    std::uint64_t lost = 0;     // events, named in a line
    std::uint64_t bytes = 0;
    std::uint64_t cut_bytes = 0;  // found at the first write, see SegmentWriter::Found
    bool synced = false;
    bool began_segment = false;
    std::uint64_t serial = 0;  // of the segment that is written to
  };
  // Out of memory is ENOMEM.  A batch that was written is emptied.
  [[nodiscard]] Result write(Batch& batch) noexcept;

  // The files that are open: the lock and the segment.
  [[nodiscard]] std::size_t descriptors() const { return writer_.descriptors(); }

  // The number of the last event that is written or named as lost.
  [[nodiscard]] std::uint64_t last_seq() const { return last_seq_; }

 private:
  Result try_to_write(Batch& batch);
  void add_event(const Event& event, const Batch& batch, Result& result);
  void add_note(const Note& note, const Batch& batch, Result& result);
  void add_lost_until(std::uint64_t seq, WallTime at, Result& result);

  SegmentWriter writer_;
  std::string boot_;
  bool skips_written_ = false;
  std::uint64_t last_seq_ = 0;
  std::uint64_t left_out_ = 0;  // events by a setting, since the last line of an event
  std::string lines_;           // kept for its room
};

}  // namespace heartbeat
