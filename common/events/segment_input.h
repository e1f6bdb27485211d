// The bytes of one segment of an event journal, a window at a time: memory for one piece, whatever the
// segment's size.
//
// A place is counted in uncompressed bytes, which both forms of a segment share.  The file stays open, so
// that its content can be read to its end also while the daemon compresses or removes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "common/descriptor.h"
#include "common/events/compression.h"
#include "common/events/segments.h"

namespace heartbeat {

class SegmentInput {
 public:
  // The error is errno's: ENOENT where the file has been compressed or removed since it was listed.
  [[nodiscard]] static tl::expected<SegmentInput, int> open(const std::string& directory,
                                                            const events::Segment& segment);

  // The next line, without its end; nothing where there is no whole one.  Valid until the next call.
  [[nodiscard]] tl::expected<std::optional<std::string_view>, int> next();

  // Takes the line that next() returned last back: it is the next one again.
  void put_back();

  // Whether the file has lost its name: its serial may have come back as another file.
  [[nodiscard]] bool is_unlinked() const;

  // Where the next line begins.
  [[nodiscard]] std::uint64_t place() const { return offset_ + at_; }
  // Goes on there, in a file that was just opened and is not compressed.
  void skip_to(std::uint64_t place) { offset_ = place; }

 private:
  SegmentInput() = default;

  [[nodiscard]] tl::expected<bool, int> fill();
  [[nodiscard]] tl::expected<bool, int> fill_from_file();

  Descriptor file_{-1};
  std::optional<events::CompressedFile> packed_;
  std::string window_;
  std::uint64_t offset_ = 0;    // of the window
  std::size_t at_ = 0;          // in the window: the next line
  std::size_t last_begin_ = 0;  // in the window: the line before
  bool skips_line_ = false;     // the next bytes are the rest of a line that is too long
};

}  // namespace heartbeat
