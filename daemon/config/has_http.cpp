#include "daemon/config/has_http.h"

namespace heartbeat {

bool has_http() {
  return HEARTBEAT_HTTP != 0;
}

}  // namespace heartbeat
