#include <cerrno>

#include <fcntl.h>
#include <sys/mman.h>

#include "common/os/unnamed_file.h"

namespace heartbeat::os {

tl::expected<Descriptor, int> unnamed_file() {
  Descriptor file{memfd_create("heartbeatd", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
  if (file.get() < 0) return tl::unexpected(errno);
  return file;
}

int seal(int descriptor) {
  constexpr int kAll = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  return fcntl(descriptor, F_ADD_SEALS, kAll) == 0 ? 0 : errno;
}

}  // namespace heartbeat::os
