#include "daemon/events/segment_store.h"

#include <cerrno>
#include <cstdio>
#include <vector>

#include <unistd.h>

#include "common/events/compression.h"
#include "common/events/segments.h"

namespace heartbeat {
namespace {

using events::Segment;
using events::segment_path;

// The compressed form gets its name when it is whole, and only then the other form goes: whenever this is
// interrupted, one of the two is whole.
int compress_segment(const std::string& directory, const Segment& segment) {
  const std::string from = segment_path(directory, segment.serial, false);
  const std::string to = segment_path(directory, segment.serial, true);
  const std::string unfinished = to + ".new";
  if (const int error = events::compress_file(from, unfinished); error != 0) return error;
  if (std::rename(unfinished.c_str(), to.c_str()) != 0) return errno;
  return ::unlink(from.c_str()) == 0 ? 0 : errno;
}

// Both forms, should a crash have left both.
int remove_segment(const std::string& directory, const Segment& segment) {
  int error = 0;
  for (const bool is_compressed : {false, true}) {
    const std::string path = segment_path(directory, segment.serial, is_compressed);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) error = errno;
  }
  return error;
}

}  // namespace

StoreReport tidy_segments(const std::string& directory, std::uint64_t current, StoreBounds bounds,
                          WallTime now) {
  StoreReport report;
  auto segments = events::list_segments(directory);
  if (!segments) return {.error = segments.error()};
  for (const Segment& segment : *segments) {
    if (segment.serial >= current || segment.is_compressed || !events::can_compress()) continue;
    if (const int error = compress_segment(directory, segment); error != 0) {
      report.error = error;
    } else {
      ++report.compressed;
    }
  }
  if (report.compressed > 0) segments = events::list_segments(directory);
  if (!segments) return {.error = segments.error()};

  for (const Segment& segment : *segments) report.bytes += segment.bytes;
  report.segments = segments->size();
  const std::int64_t kept_since = (now.time_since_epoch() - bounds.keep).count();
  for (const Segment& segment : *segments) {
    if (segment.serial >= current) break;
    if (segment.changed_ms >= kept_since && report.bytes <= bounds.bytes) break;
    if (const int error = remove_segment(directory, segment); error != 0) {
      report.error = error;
      break;
    }
    ++report.removed;
    report.removed_bytes += segment.bytes;
    report.bytes -= segment.bytes;
    --report.segments;
  }
  return report;
}

}  // namespace heartbeat
