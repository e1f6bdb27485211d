#include "daemon/io/memory_return.h"

#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace heartbeat {

void give_memory_back() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace heartbeat
