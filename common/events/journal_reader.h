// Reads the lines of an event journal from its files, in order, while the daemon writes to them or is gone.
//
// It finds by itself that a segment was closed, compressed or removed under its feet.  What is missing it
// counts by the numbers of the events.  It holds one piece of one segment in memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "common/events/segment_input.h"
#include "common/events/segments.h"

namespace heartbeat {

// A place in the journal: the last event that a reader has.
struct JournalCursor {
  std::string boot;
  std::uint64_t seq = 0;

  friend bool operator==(const JournalCursor&, const JournalCursor&) = default;
};

// `BOOT:SEQ`, as events carry it; nothing where the text is none.
[[nodiscard]] std::optional<JournalCursor> parse_cursor(std::string_view text);
[[nodiscard]] std::string to_string(const JournalCursor& cursor);

class JournalReader {
 public:
  explicit JournalReader(std::string directory) : directory_(std::move(directory)) {}

  // Goes to the oldest line.  The error is errno's: ENOENT if there is no journal.
  [[nodiscard]] tl::expected<void, int> to_oldest();

  // Goes behind the newest line, and returns the cursor of the last event, or of the run's begin where
  // it has none yet; nothing where there is no run.
  [[nodiscard]] tl::expected<std::optional<JournalCursor>, int> to_newest();

  // Goes behind that event; where the journal knows nothing of it, to the oldest line, and returns false.  An
  // event that its daemon did not come to write has the end of that run in its place.
  [[nodiscard]] tl::expected<bool, int> behind(const JournalCursor& cursor);

  // The next whole line, without its end; nothing where there is none yet.  Valid until the next call.  A
  // line that is damaged is left out, and its events are among the next lost_before().
  [[nodiscard]] tl::expected<std::optional<std::string_view>, int> next();

  // How many events are missing before the line that next() returned last.  A line of type `lost` counts for
  // itself.
  [[nodiscard]] std::uint64_t lost_before() const { return lost_; }

 private:
  [[nodiscard]] tl::expected<bool, int> open_from(std::uint64_t serial_min);
  [[nodiscard]] tl::expected<std::optional<std::string_view>, int> next_true_line();
  [[nodiscard]] tl::expected<bool, int> find_behind(const JournalCursor& cursor);
  [[nodiscard]] tl::expected<std::uint64_t, int> last_serial_before(std::uint64_t seq) const;
  void start_at(std::uint64_t serial);
  void count(std::string_view line);

  std::string directory_;
  std::uint64_t serial_ = 0;  // of the segment that is read; 0: none yet
  std::optional<SegmentInput> input_;
  std::uint64_t last_seq_ = 0;  // of the line before
  bool has_last_ = false;       // there was a line before
  std::uint64_t lost_ = 0;
};

}  // namespace heartbeat
