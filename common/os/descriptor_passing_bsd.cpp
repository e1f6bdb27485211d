#include <cerrno>

#include "common/os/descriptor_passing.h"

namespace heartbeat::os {

int send_descriptors(int /*socket*/, std::span<const int> /*descriptors*/) {
  return ENOTSUP;
}

tl::expected<std::vector<Descriptor>, int> peek_descriptors(int /*socket*/) {
  return tl::unexpected(ENOTSUP);
}

}  // namespace heartbeat::os
