#include "common/events/journal_reader.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>

#include "common/events/line.h"

namespace heartbeat {

using namespace events;  // NOLINT(google-build-using-namespace): the format is what this file is about

std::optional<JournalCursor> parse_cursor(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return {};
  JournalCursor cursor{.boot = std::string{text.substr(0, colon)}};
  const auto [rest, error] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), cursor.seq);
  if (error != std::errc{} || rest != text.data() + text.size()) return {};
  return cursor;
}

std::string to_string(const JournalCursor& cursor) {
  return cursor.boot + ':' + std::to_string(cursor.seq);
}

// --- finding a place --------------------------------------------------------------------------------------

void JournalReader::start_at(std::uint64_t serial) {
  serial_ = serial;
  input_.reset();
  has_last_ = false;
  lost_ = 0;
}

tl::expected<void, int> JournalReader::to_oldest() {
  start_at(0);
  const auto opened = open_from(0);
  if (!opened) return tl::unexpected(opened.error());
  return {};
}

tl::expected<std::optional<JournalCursor>, int> JournalReader::to_newest() {
  const auto segments = list_segments(directory_);
  if (!segments) return tl::unexpected(segments.error());
  // The last segment may have no line of a run yet.
  const std::size_t count = segments->size();
  for (std::size_t back = 1;; ++back) {
    start_at(back > count ? 0 : (*segments)[count - back].serial);
    if (const auto opened = open_from(serial_); !opened) return tl::unexpected(opened.error());
    std::optional<JournalCursor> newest;
    for (;;) {
      const auto line = next();
      if (!line) return tl::unexpected(line.error());
      if (!*line) break;
      if (text_in(**line, "boot").empty()) continue;
      newest = JournalCursor{std::string{text_in(**line, "boot")}, number_in(**line, "seq").value_or(0)};
    }
    if (newest || back > count) return newest;
  }
}

tl::expected<bool, int> JournalReader::behind(const JournalCursor& cursor) {
  const auto serial = last_serial_before(cursor.seq);
  if (!serial) return tl::unexpected(serial.error());
  // From the segment that the numbers point to; where that one does not know the run, from all of them.
  for (const std::uint64_t from : {*serial, std::uint64_t{0}}) {
    start_at(from);
    if (const auto opened = open_from(from); !opened) return tl::unexpected(opened.error());
    const auto found = find_behind(cursor);
    if (!found || *found) return found;
  }
  if (const auto begun = to_oldest(); !begun) return tl::unexpected(begun.error());
  return false;
}

// The serial of the last segment that begins before that event; 0 where each one begins behind it.
tl::expected<std::uint64_t, int> JournalReader::last_serial_before(std::uint64_t seq) const {
  const auto segments = list_segments(directory_);
  if (!segments) return tl::unexpected(segments.error());
  for (std::size_t later = segments->size(); later > 0; --later) {
    const auto& segment = (*segments)[later - 1];
    auto input = SegmentInput::open(directory_, segment);
    if (!input && input.error() == ENOENT) continue;
    if (!input) return tl::unexpected(input.error());
    const auto line = input->next();
    if (!line) return tl::unexpected(line.error());
    const bool is_head = *line && is_true_line(**line) && text_in(**line, "type") == "segment";
    if (is_head && number_in(**line, "seq").value_or(seq) < seq) return segment.serial;
  }
  return 0;
}

// From where the reader stands.
tl::expected<bool, int> JournalReader::find_behind(const JournalCursor& cursor) {
  bool is_in_run = false;
  for (;;) {
    const std::uint64_t last_before = last_seq_;
    const bool had_last = has_last_;
    const auto line = next();
    if (!line) return tl::unexpected(line.error());
    if (!*line) return is_in_run;
    const std::string_view boot = text_in(**line, "boot");
    const std::uint64_t seq = number_in(**line, "seq").value_or(0);
    const bool is_of_run = boot == cursor.boot;
    // The event right behind it: nothing between the two can be missing.
    const bool is_next = is_of_run && seq == cursor.seq + 1 + number_in(**line, "left_out").value_or(0);
    if ((is_in_run && !boot.empty() && (!is_of_run || seq > cursor.seq)) || is_next) {
      // The first line that is wanted: it is read again.
      input_->put_back();
      last_seq_ = last_before;
      has_last_ = had_last;
      return true;
    }
    if (is_of_run && seq > cursor.seq) return false;  // the cursor's own event has been removed
    is_in_run = is_in_run || is_of_run;
  }
}

// --- reading ----------------------------------------------------------------------------------------------

tl::expected<std::optional<std::string_view>, int> JournalReader::next() {
  lost_ = 0;
  for (;;) {
    auto line = next_true_line();
    if (!line || *line) {
      if (line) count(**line);
      return line;
    }
    // A writer opens the next segment when this one is whole: so what is there by then is all of it.
    const auto segments = list_segments(directory_);
    if (!segments) return tl::unexpected(segments.error());
    const bool has_following = !segments->empty() && segments->back().serial > serial_;
    line = next_true_line();
    if (!line || *line) {
      if (line) count(**line);
      return line;
    }
    if (has_following) {
      const auto opened = open_from(serial_ + 1);
      if (!opened) return tl::unexpected(opened.error());
      continue;
    }
    if (!input_ || !input_->is_unlinked()) return std::nullopt;
    // A segment whose first line could not be written was removed, and has been made anew.
    const std::uint64_t place = input_->place();
    const auto opened = open_from(serial_);
    if (!opened) return tl::unexpected(opened.error());
    if (!*opened || input_->is_unlinked()) return std::nullopt;
    input_->skip_to(place);
  }
}

tl::expected<std::optional<std::string_view>, int> JournalReader::next_true_line() {
  while (input_) {
    auto line = input_->next();
    if (!line || !*line || is_true_line(**line)) return line;
  }
  return std::nullopt;
}

// Opens the segment of that serial, or the next one that is there.  Returns whether there is one.
tl::expected<bool, int> JournalReader::open_from(std::uint64_t serial_min) {
  // A segment that is compressed or removed between the look and the open: the next look shows it.
  for (int attempt = 0;; ++attempt) {
    const auto segments = list_segments(directory_);
    if (!segments) return tl::unexpected(segments.error());
    const auto found = std::find_if(segments->begin(), segments->end(),
                                    [&](const Segment& segment) { return segment.serial >= serial_min; });
    if (found == segments->end()) return false;
    auto input = SegmentInput::open(directory_, *found);
    if (!input && input.error() == ENOENT && attempt < 3) continue;
    if (!input) return tl::unexpected(input.error());
    serial_ = found->serial;
    input_ = std::move(*input);
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
