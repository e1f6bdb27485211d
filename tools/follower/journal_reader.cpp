#include "tools/follower/journal_reader.h"

#include <algorithm>
#include <cerrno>

#include "common/events/compression.h"
#include "common/events/line.h"
#include "common/events/segments.h"
#include "common/limits.h"

namespace heartbeat {

using namespace events;  // NOLINT(google-build-using-namespace): the format is what this file is about

tl::expected<void, int> JournalReader::to_oldest() {
  serial_ = 0;
  content_.clear();
  at_ = 0;
  has_last_ = false;
  lost_ = 0;
  const auto loaded = load(0);
  if (!loaded) return tl::unexpected(loaded.error());
  return {};
}

tl::expected<bool, int> JournalReader::behind(const JournalCursor& cursor) {
  if (const auto begun = to_oldest(); !begun) return tl::unexpected(begun.error());
  bool is_in_run = false;
  for (;;) {
    const std::uint64_t last_before = last_seq_;
    const bool had_last = has_last_;
    const auto line = next();
    if (!line) return tl::unexpected(line.error());
    if (!*line) break;
    const std::string_view boot = text_in(**line, "boot");
    const std::uint64_t seq = number_in(**line, "seq").value_or(0);
    const bool is_of_run = boot == cursor.boot;
    if (is_in_run && !boot.empty() && (!is_of_run || seq > cursor.seq)) {
      // The first line that is wanted: it is read again.
      at_ -= (*line)->size() + 1;
      last_seq_ = last_before;
      has_last_ = had_last;
      return true;
    }
    if (is_of_run && seq > cursor.seq) break;  // the cursor's own event has been removed
    is_in_run = is_in_run || is_of_run;
  }
  if (is_in_run) return true;
  if (const auto begun = to_oldest(); !begun) return tl::unexpected(begun.error());
  return false;
}

tl::expected<std::optional<std::string_view>, int> JournalReader::next() {
  lost_ = 0;
  for (;;) {
    const std::size_t end = content_.find('\n', at_);
    if (end != std::string::npos) {
      const std::string_view line = std::string_view{content_}.substr(at_, end - at_);
      at_ = end + 1;
      if (!is_true_line(line)) continue;
      count(line);
      return line;
    }
    // The rest of this segment first; then, if that is nothing new, the next one.
    const std::size_t size_before = content_.size();
    const auto again = load(serial_);
    if (!again) return tl::unexpected(again.error());
    if (*again && content_.size() > size_before) continue;
    const std::uint64_t serial_before = serial_;
    const auto following = load(serial_ + 1);
    if (!following) return tl::unexpected(following.error());
    if (!*following || serial_ == serial_before) return std::nullopt;
  }
}

// The segment of that serial, or of the next one that is there.  Returns whether there is one.
tl::expected<bool, int> JournalReader::load(std::uint64_t serial_min) {
  // A segment that is compressed or removed between the look and the open: the next look shows it.
  for (int attempt = 0;; ++attempt) {
    const auto segments = list_segments(directory_);
    if (!segments) return tl::unexpected(segments.error());
    const auto found = std::find_if(segments->begin(), segments->end(),
                                    [&](const Segment& segment) { return segment.serial >= serial_min; });
    if (found == segments->end()) return false;
    if (found->serial == serial_ && !found->is_compressed && found->bytes == content_.size()) return true;
    const std::string path = segment_path(directory_, found->serial, found->is_compressed);
    auto content = found->is_compressed ? read_compressed(path, limits::kSegmentReadMax)
                                        : read_file(path, limits::kSegmentReadMax);
    if (!content && content.error() == ENOENT && attempt < 3) continue;
    if (!content && content.error() == EBADMSG) content = std::string{};  // damaged: its events are missing
    if (!content) return tl::unexpected(content.error());
    if (found->serial != serial_) at_ = 0;
    serial_ = found->serial;
    content_ = std::move(*content);
    at_ = std::min(at_, content_.size());
    return true;
  }
}

// Only lines of events and of losses count: the `seq` of the others includes strikes that were left out,
// which the next event names.
void JournalReader::count(std::string_view line) {
  const std::string_view type = text_in(line, "type");
  const std::uint64_t seq = number_in(line, "seq").value_or(0);
  if (type == "event" || type == "lost") {
    const std::uint64_t named = type == "event" ? 1 : number_in(line, "count").value_or(0);
    const std::uint64_t accounted = last_seq_ + named + number_in(line, "left_out").value_or(0);
    if (has_last_ && seq > accounted) lost_ = seq - accounted;
  } else if (type != "start") {
    return;
  }
  // A run begins where the journal that its daemon found ended.
  last_seq_ = seq;
  has_last_ = true;
}

}  // namespace heartbeat
