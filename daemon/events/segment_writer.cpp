#include "daemon/events/segment_writer.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/events/compression.h"
#include "common/events/line.h"
#include "common/events/segments.h"
#include "common/json_writer.h"
#include "common/os/file_sync.h"
#include "common/write_all.h"

namespace heartbeat {
namespace {

using namespace events;  // NOLINT(google-build-using-namespace): the format is what this file is about

// The group may read: heartbeatctl reads the files itself.  Set once more, as the umask takes from it.
constexpr mode_t kDirectoryMode = 0750;
constexpr mode_t kFileMode = 0640;

// The whole of a segment, in either form.  The last segment has one batch beyond its bound at most.
tl::expected<std::string, int> read_segment(const std::string& directory, const Segment& segment) {
  const std::string path = segment_path(directory, segment.serial, segment.is_compressed);
  return segment.is_compressed ? read_compressed(path, limits::kSegmentReadMax)
                               : read_file(path, limits::kSegmentReadMax);
}

void take_from_last_line(std::string_view line, SegmentWriter::Found& found) {
  found.last_seq = number_in(line, "seq").value_or(0);
  found.last_boot = text_in(line, "boot");
}

}  // namespace

SegmentWriter::SegmentWriter(std::string directory, SegmentBounds bounds)
    : directory_(std::move(directory)), bounds_(bounds) {}

tl::expected<SegmentWriter::Found, int> SegmentWriter::open() {
  const bool is_new = ::mkdir(directory_.c_str(), kDirectoryMode) == 0;
  if (!is_new && errno != EEXIST) return tl::unexpected(errno);
  if (is_new && ::chmod(directory_.c_str(), kDirectoryMode) != 0) return tl::unexpected(errno);
  if (const int error = lock(); error != 0) return tl::unexpected(error);
  auto found = find_end();
  if (!found) lock_ = Descriptor{-1};  // it is tried again from the beginning
  return found;
}

// Two daemons on one directory would write over each other's lines.  The lock ends with the process.
int SegmentWriter::lock() {
  Descriptor file{::open((directory_ + "/" + kLockName).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode)};
  if (file.get() < 0) return errno;
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return errno;
  lock_ = std::move(file);
  return 0;
}

tl::expected<SegmentWriter::Found, int> SegmentWriter::find_end() {
  const auto segments = list_segments(directory_);
  if (!segments) return tl::unexpected(segments.error());
  Found found;
  if (segments->empty()) return found;
  const Segment last = segments->back();
  serial_ = last.serial;
  const auto content = read_segment(directory_, last);
  if (!content && content.error() != EBADMSG) return tl::unexpected(content.error());

  const std::string_view whole =
      content ? std::string_view{*content}.substr(0, end_of_last_true_line(*content)) : std::string_view{};
  take_from_last_line(last_line(whole), found);
  if (last.is_compressed) return found;  // closed for good: the next line opens another segment

  Descriptor file{::open(segment_path(directory_, serial_, false).c_str(), O_WRONLY | O_CLOEXEC)};
  if (file.get() < 0) return tl::unexpected(errno);
  found.cut_bytes = content->size() - whole.size();
  if (found.cut_bytes > 0 && ::ftruncate(file.get(), static_cast<off_t>(whole.size())) != 0) {
    return tl::unexpected(errno);
  }
  if (whole.empty()) {
    // Not even its first line is left, with the number of the event before it.
    if (segments->size() > 1) {
      const auto before = read_segment(directory_, (*segments)[segments->size() - 2]);
      if (!before && before.error() != EBADMSG) return tl::unexpected(before.error());
      if (before) {
        const std::string_view rest = std::string_view{*before}.substr(0, end_of_last_true_line(*before));
        take_from_last_line(last_line(rest), found);
      }
    }
    return found;
  }
  size_ = whole.size();
  opened_ = WallTime{Millis{
      static_cast<std::int64_t>(number_in(whole.substr(0, whole.find('\n')), "opened_ms").value_or(0))}};
  file_ = std::move(file);
  return found;
}

int SegmentWriter::append(std::string_view lines, std::uint64_t seq_before, WallTime now) {
  const bool is_full = file_.get() < 0 || size_ >= bounds_.bytes || now - opened_ >= bounds_.age;
  if (is_full) {
    if (const int error = begin_segment(seq_before, now); error != 0) return error;
  }
  return write_at_end(lines);
}

int SegmentWriter::begin_segment(std::uint64_t seq_before, WallTime now) {
  if (const int error = sync(); error != 0) return error;
  std::string line;
  JsonWriter json{line};
  json.begin_object();
  json.add("type", "segment");
  json.add("format", 1U);
  json.add("serial", serial_ + 1);
  json.add("seq", seq_before);
  json.add("at", format_instant(now));
  json.add("opened_ms", now.time_since_epoch());
  json.add("version", HEARTBEAT_VERSION);
  json.end_object();
  seal_line(line, 0);

  const std::string path = segment_path(directory_, serial_ + 1, false);
  // With O_TRUNC: an attempt of before may have left a part of its first line.
  Descriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode)};
  if (file.get() < 0) return errno;
  if (::fchmod(file.get(), kFileMode) != 0) return errno;
  const Descriptor before = std::exchange(file_, std::move(file));
  const std::uint64_t size_before = std::exchange(size_, 0);
  if (const int error = write_at_end(line); error != 0) {
    ::unlink(path.c_str());
    file_ = Descriptor{-1};
    size_ = size_before;
    return error;
  }
  ++serial_;
  opened_ = now;
  return 0;
}

// At a place that is stated: what a write that failed has left behind the end is written over by the next.
int SegmentWriter::write_at_end(std::string_view bytes) {
  const int error = write_all_at(file_.get(), bytes, size_);
  if (error != 0) {
    // Where this fails, too, a reader finds a last line that is not whole, and waits for the rest of it.
    static_cast<void>(::ftruncate(file_.get(), static_cast<off_t>(size_)));
    return error;
  }
  size_ += bytes.size();
  return 0;
}

int SegmentWriter::sync() {
  return file_.get() < 0 ? 0 : os::sync_content(file_.get());
}

}  // namespace heartbeat
