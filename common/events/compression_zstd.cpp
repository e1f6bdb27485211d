#include <cerrno>
#include <memory>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "common/descriptor.h"
#include "common/events/compression.h"
#include "common/events/segments.h"
#include "common/write_all.h"

namespace heartbeat::events {

// Has a name beyond this file, as a member of CompressedFile::State is of this type.
struct FreeDecompression {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

namespace {

// On lines of the feed level 3 makes 12 bytes of an event; above it a tenth less costs ten times the time.
constexpr int kLevel = 3;

}  // namespace

bool can_compress() {
  return true;
}

int compress_file(const std::string& from, const std::string& to) {
  const auto content = read_file(from, UINT64_MAX);
  if (!content) return content.error();
  std::string packed(ZSTD_compressBound(content->size()), '\0');
  const std::size_t size =
      ZSTD_compress(packed.data(), packed.size(), content->data(), content->size(), kLevel);
  if (ZSTD_isError(size) != 0) return ENOMEM;
  packed.resize(size);

  struct stat status {};
  if (::stat(from.c_str(), &status) != 0) return errno;
  const Descriptor file{::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  if (file.get() < 0) return errno;
  int error = ::fchmod(file.get(), status.st_mode & 0777U) == 0 ? 0 : errno;
  if (error == 0) error = write_all(file.get(), packed);
  if (error == 0 && ::fsync(file.get()) != 0) error = errno;
  if (error != 0) ::unlink(to.c_str());
  return error;
}

tl::expected<std::string, int> read_compressed(const std::string& path, std::uint64_t size_max) {
  const auto packed = read_file(path, size_max);
  if (!packed) return tl::unexpected(packed.error());
  const std::unique_ptr<ZSTD_DCtx, FreeDecompression> context{ZSTD_createDCtx()};
  if (context == nullptr) return tl::unexpected(ENOMEM);
  std::string content;
  ZSTD_inBuffer in{packed->data(), packed->size(), 0};
  // Grows as bytes come, so that a size that a damaged header claims is not believed.
  std::size_t rest = 1;
  while (rest != 0) {
    const std::size_t before = content.size();
    if (before > size_max) return tl::unexpected(EFBIG);
    content.resize(before + ZSTD_DStreamOutSize());
    ZSTD_outBuffer out{content.data() + before, content.size() - before, 0};
    rest = ZSTD_decompressStream(context.get(), &out, &in);
    content.resize(before + out.pos);
    if (ZSTD_isError(rest) != 0) return tl::unexpected(EBADMSG);
    if (out.pos == 0 && in.pos == in.size && rest != 0) return tl::unexpected(EBADMSG);  // it is cut off
  }
  return content;
}

struct CompressedFile::State {
  Descriptor file{-1};
  std::unique_ptr<ZSTD_DCtx, FreeDecompression> context{ZSTD_createDCtx()};
  std::string packed{};             // read from the file
  ZSTD_inBuffer in{nullptr, 0, 0};  // of `packed`
  std::size_t rest = 1;             // 0: a whole frame has been given out
};

CompressedFile::CompressedFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
CompressedFile::CompressedFile(CompressedFile&&) noexcept = default;
CompressedFile& CompressedFile::operator=(CompressedFile&&) noexcept = default;
CompressedFile::~CompressedFile() = default;

tl::expected<CompressedFile, int> CompressedFile::open(const std::string& path) {
  auto state = std::make_unique<State>();
  if (state->context == nullptr) return tl::unexpected(ENOMEM);
  state->file = Descriptor{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (state->file.get() < 0) return tl::unexpected(errno);
  return CompressedFile{std::move(state)};
}

tl::expected<std::size_t, int> CompressedFile::read(std::string& out) {
  constexpr std::size_t kPiece = std::size_t{256} * 1024;
  const std::size_t before = out.size();
  while (out.size() == before && state_->rest != 0) {
    if (state_->in.pos == state_->in.size) {
      state_->packed.resize(ZSTD_DStreamInSize());
      const ssize_t got = ::read(state_->file.get(), state_->packed.data(), state_->packed.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return tl::unexpected(errno);
      if (got == 0) return tl::unexpected(EBADMSG);  // it is cut off
      state_->in = {state_->packed.data(), static_cast<std::size_t>(got), 0};
    }
    out.resize(before + kPiece);
    ZSTD_outBuffer unpacked{out.data() + before, kPiece, 0};
    state_->rest = ZSTD_decompressStream(state_->context.get(), &unpacked, &state_->in);
    out.resize(before + unpacked.pos);
    if (ZSTD_isError(state_->rest) != 0) return tl::unexpected(EBADMSG);
  }
  return out.size() - before;
}

}  // namespace heartbeat::events
