// Appends lines to the segments of an event journal, and finds its place again after a crash.
//
// Knows no loop, no clock and no event: bytes in, files out.  Every call may block for as long as the disk
// does, so it is made on a thread of the pool.  A call that fails leaves no part of its lines that a later
// call would not write over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "common/descriptor.h"
#include "common/limits.h"
#include "common/wall_time.h"

namespace heartbeat {

// When a segment is closed.
struct SegmentBounds {
  std::uint64_t bytes = limits::kSegmentBytes;
  Millis age = limits::kSegmentAge;  // since it was opened
};

class SegmentWriter {
 public:
  explicit SegmentWriter(std::string directory, SegmentBounds bounds = {});

  // What open() found.
  struct Found {
    std::uint64_t last_seq = 0;   // of the last event in the journal; 0: there is none
    std::string last_boot{};      // of the run that wrote it
    std::uint64_t cut_bytes = 0;  // of a torn or damaged end, which were removed
  };
  // Makes the directory where there is none, and goes on at the end of its last segment.  The error is
  // errno's: EWOULDBLOCK if another daemon writes there.
  [[nodiscard]] tl::expected<Found, int> open();
  [[nodiscard]] bool is_open() const { return lock_.get() >= 0; }

  // Appends lines.  `seq_before` is the number of the last event before them, which a new segment begins
  // with.  Returns 0 or errno's number; then none of the lines counts as written.
  [[nodiscard]] int append(std::string_view lines, std::uint64_t seq_before, WallTime now);

  // Has the disk hold what was appended.  Returns 0 or errno's number.
  [[nodiscard]] int sync();

  [[nodiscard]] std::size_t descriptors() const {
    return (is_open() ? 1U : 0U) + (file_.get() >= 0 ? 1U : 0U);
  }

  // The segment that is written to; 0 before the first.
  [[nodiscard]] std::uint64_t serial() const { return serial_; }

 private:
  [[nodiscard]] int lock();
  [[nodiscard]] tl::expected<Found, int> find_end();
  [[nodiscard]] int begin_segment(std::uint64_t seq_before, WallTime now);
  [[nodiscard]] int write_at_end(std::string_view bytes);

  std::string directory_;
  SegmentBounds bounds_;
  Descriptor lock_{-1};
  Descriptor file_{-1};
  std::uint64_t serial_ = 0;
  std::uint64_t size_ = 0;  // of the segment: where the next line begins
  WallTime opened_{};       // the segment
};

}  // namespace heartbeat
