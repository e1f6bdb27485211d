#include <cerrno>
#include <utility>

#include "common/events/compression.h"

namespace heartbeat::events {

bool can_compress() {
  return false;
}

int compress_file(const std::string& /*from*/, const std::string& /*to*/) {
  return ENOTSUP;
}

tl::expected<std::string, int> read_compressed(const std::string& /*path*/, std::uint64_t /*size_max*/) {
  return tl::unexpected(ENOTSUP);
}

struct CompressedFile::State {};

CompressedFile::CompressedFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
CompressedFile::CompressedFile(CompressedFile&&) noexcept = default;
CompressedFile& CompressedFile::operator=(CompressedFile&&) noexcept = default;
CompressedFile::~CompressedFile() = default;

tl::expected<CompressedFile, int> CompressedFile::open(const std::string& /*path*/) {
  return tl::unexpected(ENOTSUP);
}

// NOLINTNEXTLINE(readability-convert-member-functions-to-static): the other build's has a state
tl::expected<std::size_t, int> CompressedFile::read(std::string& /*out*/) {
  return tl::unexpected(ENOTSUP);
}

}  // namespace heartbeat::events
