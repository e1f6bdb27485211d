#include "daemon/control/client_frame.h"

#include "common/json_frame.h"
#include "daemon/report/client_json.h"

namespace heartbeat {

void append_client(std::string& out, const Client& client, const ReportContext& context) {
  append_json_frame(out, [&](JsonWriter& json) {
    json.add("type", "client");
    add_client(json, client, context);
  });
}

}  // namespace heartbeat
