// Closed segments of the event journal, compressed by zstd: with libzstd where the build found it, otherwise
// not at all.
#pragma once

#include <cstdint>
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

}  // namespace heartbeat::events
