// The files of an event journal: `SERIAL.jsonl`, and `SERIAL.jsonl.zst` once closed and compressed.  The
// serials rise by one from file to file; the highest is the one that is written to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace heartbeat::events {

// What a file's name ends in, and what else stands in the directory: the lock of its daemon.
inline constexpr const char* kSegmentSuffix = ".jsonl";
inline constexpr const char* kCompressedSuffix = ".jsonl.zst";
inline constexpr const char* kLockName = "lock";

struct Segment {
  std::uint64_t serial = 0;
  bool is_compressed = false;
  std::uint64_t bytes = 0;      // on disk
  std::int64_t changed_ms = 0;  // milliseconds since 1970: when it was last written to
};

[[nodiscard]] std::string segment_path(const std::string& directory, std::uint64_t serial,
                                       bool is_compressed);

// The oldest first.  A segment of which both forms are there is named once, in its compressed form: that form
// gets its name only when it is whole.  The error is errno's.
[[nodiscard]] tl::expected<std::vector<Segment>, int> list_segments(const std::string& directory);

// The whole file.  The error is errno's; EFBIG for one of more than `size_max` bytes.
[[nodiscard]] tl::expected<std::string, int> read_file(const std::string& path, std::uint64_t size_max);

}  // namespace heartbeat::events
