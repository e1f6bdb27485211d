#include "daemon/restart/state_file.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

#include "common/os/unnamed_file.h"
#include "common/write_all.h"

namespace heartbeat {
namespace {

constexpr std::array<char, 8> kFileMagic{'H', 'B', 's', 't', 'a', 't', 'e', '\0'};
constexpr std::size_t kHeadRoom = 4096;

// At the beginning of the file.  The calls are at kHeadRoom, and the handover is behind the room for them.
struct FileHead {
  std::array<char, 8> magic = kFileMagic;
  std::uint32_t format = kCallLogFormat;
  std::uint32_t attempts = 0;
  std::uint64_t number = 0;
  std::uint64_t is_planned = 0;
  std::uint64_t log_size = 0;
  std::uint64_t handover_size = 0;
  CallLog::Head log;
};
static_assert(sizeof(FileHead) <= kHeadRoom);

bool read_at(int file, char* bytes, std::size_t size, std::size_t at) {
  while (size > 0) {
    const ssize_t count = ::pread(file, bytes, size, static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes += count;
    size -= static_cast<std::size_t>(count);
    at += static_cast<std::size_t>(count);
  }
  return true;
}

std::optional<FileHead> read_head(int file) {
  FileHead head;
  if (!read_at(file, reinterpret_cast<char*>(&head), sizeof head, 0)) return {};
  if (head.magic != kFileMagic || head.format != kCallLogFormat) return {};
  return head;
}

}  // namespace

StateFile::StateFile(Descriptor file, std::span<std::byte> mapped)
    : file_(std::move(file)),
      mapped_(mapped),
      log_(reinterpret_cast<FileHead*>(mapped.data())->log, mapped.subspan(kHeadRoom)) {}

StateFile::~StateFile() {
  if (!mapped_.empty()) munmap(mapped_.data(), mapped_.size());
}

StateFile::StateFile(StateFile&& other) noexcept
    : file_(std::move(other.file_)), mapped_(std::exchange(other.mapped_, {})), log_(other.log_) {}

tl::expected<StateFile, int> StateFile::create(const Label& label, const ListeningClock::State& clock,
                                               std::size_t log_size) {
  auto file = os::unnamed_file();
  if (!file) return tl::unexpected(file.error());
  const std::size_t size = kHeadRoom + log_size;
  if (ftruncate(file->get(), static_cast<off_t>(size)) != 0) return tl::unexpected(errno);
  void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file->get(), 0);
  if (memory == MAP_FAILED) return tl::unexpected(errno);  // NOLINT: the system's macro
  new (memory) FileHead{
      .number = label.number, .is_planned = label.is_planned ? 1U : 0U, .log_size = log_size, .log = {}};
  StateFile made{std::move(*file), {static_cast<std::byte*>(memory), size}};
  made.log_.commit(clock);
  return made;
}

int StateFile::write(std::string_view handover) {
  const int error = write_all_at(file_.get(), handover, mapped_.size());
  if (error == 0) reinterpret_cast<FileHead*>(mapped_.data())->handover_size = handover.size();
  return error;
}

bool StateFile::has_handover() const {
  return reinterpret_cast<const FileHead*>(mapped_.data())->handover_size > 0;
}

std::uint64_t state_file_number(int descriptor) {
  const auto head = read_head(descriptor);
  return head ? head->number : 0;
}

tl::expected<LeftState, std::string> read_state_file(int descriptor) {
  auto head = read_head(descriptor);
  if (!head) return tl::unexpected(std::string{"it is damaged, or of another version"});
  ++head->attempts;
  const std::string_view attempts{reinterpret_cast<const char*>(&head->attempts), sizeof head->attempts};
  static_cast<void>(write_all_at(descriptor, attempts, offsetof(FileHead, attempts)));
  LeftState left{.label = {.number = head->number, .is_planned = head->is_planned != 0},
                 .attempts = head->attempts,
                 .head = head->log};
  const auto size = static_cast<std::uint64_t>(lseek(descriptor, 0, SEEK_END));
  if (head->log_size > size || head->handover_size > size || head->log.committed > head->log_size) {
    return tl::unexpected(std::string{"it is damaged"});
  }
  left.handover.resize(head->handover_size);
  left.calls.resize(head->log.committed);
  if (!read_at(descriptor, left.handover.data(), left.handover.size(), kHeadRoom + head->log_size) ||
      !read_at(descriptor, left.calls.data(), left.calls.size(), kHeadRoom)) {
    return tl::unexpected(std::string{"it is cut off"});
  }
  return left;
}

}  // namespace heartbeat
