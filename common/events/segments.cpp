#include "common/events/segments.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <string_view>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/descriptor.h"

namespace heartbeat::events {
namespace {

constexpr std::size_t kSerialDigits = 10;  // so that a listing by name is in order

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

bool parse_name(std::string_view name, Segment& segment) {
  const auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), segment.serial);
  const auto digits = static_cast<std::size_t>(rest - name.data());
  if (error != std::errc{} || digits < kSerialDigits) return false;
  name.remove_prefix(digits);
  segment.is_compressed = name == kCompressedSuffix;
  return segment.is_compressed || name == kSegmentSuffix;
}

}  // namespace

std::string segment_path(const std::string& directory, std::uint64_t serial, bool is_compressed) {
  const std::string digits = std::to_string(serial);
  const std::string zeros(kSerialDigits - std::min(kSerialDigits, digits.size()), '0');
  return directory + "/" + zeros + digits + (is_compressed ? kCompressedSuffix : kSegmentSuffix);
}

tl::expected<std::vector<Segment>, int> list_segments(const std::string& directory) {
  const std::unique_ptr<DIR, CloseDirectory> open{::opendir(directory.c_str())};
  if (open == nullptr) return tl::unexpected(errno);
  std::vector<Segment> segments;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(open.get());
    if (entry == nullptr && errno != 0) return tl::unexpected(errno);
    if (entry == nullptr) break;
    Segment segment;
    if (!parse_name(std::data(entry->d_name), segment)) continue;
    struct stat status {};
    const std::string path = segment_path(directory, segment.serial, segment.is_compressed);
    if (::stat(path.c_str(), &status) != 0) continue;  // removed, or replaced by its compressed form
    segment.bytes = static_cast<std::uint64_t>(status.st_size);
    segment.changed_ms = static_cast<std::int64_t>(status.st_mtime) * 1000;
    segments.push_back(segment);
  }
  std::sort(segments.begin(), segments.end(), [](const Segment& one, const Segment& other) {
    return one.serial != other.serial ? one.serial < other.serial : one.is_compressed && !other.is_compressed;
  });
  const auto is_same = [](const Segment& one, const Segment& other) { return one.serial == other.serial; };
  segments.erase(std::unique(segments.begin(), segments.end(), is_same), segments.end());
  return segments;
}

tl::expected<std::string, int> read_file(const std::string& path, std::uint64_t size_max) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0) return tl::unexpected(errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return tl::unexpected(errno);
  if (static_cast<std::uint64_t>(status.st_size) > size_max) return tl::unexpected(EFBIG);
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t got = 0;
  while (got < bytes.size()) {
    const ssize_t count =
        ::pread(file.get(), bytes.data() + got, bytes.size() - got, static_cast<off_t>(got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return tl::unexpected(errno);
    if (count == 0) break;  // it was cut meanwhile
    got += static_cast<std::size_t>(count);
  }
  bytes.resize(got);
  return bytes;
}

}  // namespace heartbeat::events
