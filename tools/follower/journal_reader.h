// Reads the lines of an event journal from its files, in order, while the daemon writes to them or is gone.
//
// It finds by itself that a segment was closed, compressed or removed under its feet: it goes by the
// segments' serials and by places in their uncompressed content, which both forms share.  What is missing it
// counts by the numbers of the events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace heartbeat {

// A place in the journal: the last event that a reader has.
struct JournalCursor {
  std::string boot;
  std::uint64_t seq = 0;
};

class JournalReader {
 public:
  explicit JournalReader(std::string directory) : directory_(std::move(directory)) {}

  // Goes to the oldest line.  The error is errno's: ENOENT if there is no journal.
  [[nodiscard]] tl::expected<void, int> to_oldest();

  // Goes behind that event; where the journal knows nothing of it, to the oldest line, and returns false.  An
  // event that its daemon did not come to write has the end of that run in its place.
  [[nodiscard]] tl::expected<bool, int> behind(const JournalCursor& cursor);

  // The next whole line, without its end; nothing where there is none yet.  Valid until the next call.  A
  // line that is damaged is left out, and its events are among the next take_lost().
  [[nodiscard]] tl::expected<std::optional<std::string_view>, int> next();

  // How many events are missing before the line that next() returned last.  A line of type `lost` counts for
  // itself.
  [[nodiscard]] std::uint64_t lost_before() const { return lost_; }

 private:
  [[nodiscard]] tl::expected<bool, int> load(std::uint64_t serial_min);
  void count(std::string_view line);

  std::string directory_;
  std::uint64_t serial_ = 0;    // of the segment in `content_`; 0: none yet
  std::string content_;         // of the segment, uncompressed, as far as it was written
  std::size_t at_ = 0;          // in `content_`: the next line
  std::uint64_t last_seq_ = 0;  // of the line before
  bool has_last_ = false;       // there was a line before
  std::uint64_t lost_ = 0;
};

}  // namespace heartbeat
