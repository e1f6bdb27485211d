// The closed segments of an event journal: compresses them, and removes the oldest where they are too old or
// too many.
//
// Runs on a thread of the pool beside the writer, whose segment it leaves alone.
#pragma once

#include <cstdint>
#include <string>

#include "common/mono_time.h"
#include "common/wall_time.h"

namespace heartbeat {

struct StoreBounds {
  Millis keep{0};           // a segment that was last written to longer ago is removed
  std::uint64_t bytes = 0;  // all segments together; the one that is written to is never removed
};

struct StoreReport {
  std::uint64_t bytes = 0;  // on disk, when all was done
  std::uint64_t segments = 0;
  std::uint64_t removed = 0;  // segments
  std::uint64_t removed_bytes = 0;
  std::uint64_t compressed = 0;  // segments
  int error = 0;                 // the last of errno's; the rest was done all the same
};

// `current`: the segment that is written to.
[[nodiscard]] StoreReport tidy_segments(const std::string& directory, std::uint64_t current,
                                        StoreBounds bounds, WallTime now);

}  // namespace heartbeat
