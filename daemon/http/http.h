// http::Server, in a build with HTTP and in one without.
#pragma once

#if HEARTBEAT_HTTP
#include "daemon/http/http_server.h"
#else
#include "daemon/http/without_http.h"
#endif
