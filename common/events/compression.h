// Closed segments of the event journal, compressed by zstd: with libzstd where the build found it, otherwise
// not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <tl/expected.hpp>

namespace heartbeat::events {

// Whether this program can write and read compressed segments.
[[nodiscard]] bool can_compress();

// Writes the file `from` to a new file `to` with the same permissions, and has the disk hold it.  The error
// is errno's; nothing of `to` is left then.
[[nodiscard]] int compress_file(const std::string& from, const std::string& to);

// The content of a compressed file.  The error is errno's: EBADMSG for one that is damaged, EFBIG for a
// content of more than `size_max` bytes.
[[nodiscard]] tl::expected<std::string, int> read_compressed(const std::string& path, std::uint64_t size_max);

// The content of a compressed file, a piece at a time: memory for one piece, whatever the file's size.
class CompressedFile {
 public:
  // The error is errno's.
  [[nodiscard]] static tl::expected<CompressedFile, int> open(const std::string& path);

  CompressedFile(CompressedFile&&) noexcept;
  CompressedFile& operator=(CompressedFile&&) noexcept;
  CompressedFile(const CompressedFile&) = delete;
  CompressedFile& operator=(const CompressedFile&) = delete;
  ~CompressedFile();

  // Appends the next piece, of at most 256 KiB, and returns its size; 0 at the end.  The error is errno's:
  // EBADMSG where the file is damaged or cut off.
  [[nodiscard]] tl::expected<std::size_t, int> read(std::string& out);

 private:
  struct State;
  explicit CompressedFile(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace heartbeat::events
