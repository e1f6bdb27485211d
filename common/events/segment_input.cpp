#include "common/events/segment_input.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace heartbeat {
namespace {

constexpr std::size_t kInputPiece = std::size_t{256} * 1024;
// An event has less than 4 KiB.  What is longer is damage, and is passed over.
constexpr std::size_t kLineMax = std::size_t{1024} * 1024;

}  // namespace

tl::expected<SegmentInput, int> SegmentInput::open(const std::string& directory,
                                                   const events::Segment& segment) {
  const std::string path = events::segment_path(directory, segment.serial, segment.is_compressed);
  SegmentInput input;
  if (segment.is_compressed) {
    auto packed = events::CompressedFile::open(path);
    if (!packed) return tl::unexpected(packed.error());
    input.packed_ = std::move(*packed);
    return input;
  }
  input.file_ = Descriptor{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (input.file_.get() < 0) return tl::unexpected(errno);
  return input;
}

tl::expected<std::optional<std::string_view>, int> SegmentInput::next() {
  for (;;) {
    const std::size_t end = window_.find('\n', at_);
    if (end != std::string::npos) {
      const std::size_t begin = at_;
      at_ = end + 1;
      if (std::exchange(skips_line_, false)) continue;
      last_begin_ = begin;
      return std::string_view{window_}.substr(begin, end - begin);
    }
    const auto more = fill();
    if (!more) return tl::unexpected(more.error());
    if (!*more) return std::nullopt;
  }
}

void SegmentInput::put_back() {
  at_ = last_begin_;
}

bool SegmentInput::is_unlinked() const {
  struct stat status {};
  return !packed_ && ::fstat(file_.get(), &status) == 0 && status.st_nlink == 0;
}

// Returns whether there is more than before.
tl::expected<bool, int> SegmentInput::fill() {
  window_.erase(0, at_);
  offset_ += at_;
  at_ = last_begin_ = 0;
  if (window_.size() >= kLineMax) {
    offset_ += window_.size();
    window_.clear();
    skips_line_ = true;
  }
  if (!packed_) return fill_from_file();
  const auto got = packed_->read(window_);
  // Damaged: what could be read has been returned, and the numbers of the events show what is missing.
  if (!got && got.error() == EBADMSG) return false;
  if (!got) return tl::unexpected(got.error());
  return *got > 0;
}

// The unfinished line is read anew each time: where the daemon found it torn, other bytes may stand there
// now.
tl::expected<bool, int> SegmentInput::fill_from_file() {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) return tl::unexpected(errno);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  // Lines that were read have been cut off again: a write that failed half-way.  They come once more.
  if (size < offset_) {
    offset_ = size;
    window_.clear();
    return false;
  }
  const std::size_t before = window_.size();
  window_.resize(before + kInputPiece);
  ssize_t got = 0;
  do {
    got = ::pread(file_.get(), window_.data(), window_.size(), static_cast<off_t>(offset_));
  } while (got < 0 && errno == EINTR);
  window_.resize(got < 0 ? before : static_cast<std::size_t>(got));
  if (got < 0) return tl::unexpected(errno);
  return window_.size() > before;
}

}  // namespace heartbeat
