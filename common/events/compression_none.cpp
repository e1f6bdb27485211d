#include <cerrno>

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

}  // namespace heartbeat::events
