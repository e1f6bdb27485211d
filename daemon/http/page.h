// The status page: one document with its style and script in it, made by the build from daemon/http/page/.
#pragma once

#include <string_view>

namespace heartbeat::http {

struct Page {
  std::string_view html;
  std::string_view etag;    // in quotes, as it stands in the header
  std::string_view policy;  // the Content-Security-Policy: only this very style and script
};

[[nodiscard]] const Page& page();

}  // namespace heartbeat::http
