#include "tools/follower/cursor_file.h"

#include <cerrno>
#include <cstdint>
#include <cstdio>

#include <fcntl.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "common/events/line.h"
#include "common/events/segments.h"
#include "common/write_all.h"

namespace heartbeat {
namespace {

constexpr std::uint64_t kCursorFileMax = std::uint64_t{64} * 1024 * 1024;

}  // namespace

tl::expected<std::optional<std::string>, int> CursorFile::load() const {
  auto content = events::read_file(path_, kCursorFileMax);
  if (!content && content.error() == ENOENT) return std::nullopt;
  if (!content) return tl::unexpected(content.error());
  if (!content->ends_with('\n')) return tl::unexpected(EBADMSG);
  content->pop_back();
  if (!events::is_true_line(*content)) return tl::unexpected(EBADMSG);
  return std::optional{std::move(*content)};
}

int CursorFile::save(std::string_view object) const {
  std::string line{object};
  events::seal_line(line, 0);
  const std::string beside = path_ + ".new";
  const Descriptor file{::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640)};
  if (file.get() < 0) return errno;
  if (const int error = write_all(file.get(), line); error != 0) return error;
  if (::fsync(file.get()) != 0) return errno;
  return std::rename(beside.c_str(), path_.c_str()) == 0 ? 0 : errno;
}

}  // namespace heartbeat
