#include <cerrno>

#include <unistd.h>

#include "common/os/file_sync.h"

namespace heartbeat::os {

int sync_content(int descriptor) {
  return ::fsync(descriptor) == 0 ? 0 : errno;
}

}  // namespace heartbeat::os
