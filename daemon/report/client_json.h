// A client, connected or closed, as members of a JSON object: what lists, snapshots and stories show.
#pragma once

#include "common/json_writer.h"
#include "daemon/core/client.h"
#include "daemon/core/closed_clients.h"
#include "daemon/report/report_context.h"

namespace heartbeat {

// Each adds to the object that is open.
void add_client(JsonWriter& json, const Client& client, const ReportContext& context);
void add_client(JsonWriter& json, const ClosedClient& client, const ReportContext& context);

// Adds the object `close`: when, why, and which side began it.
void add_close(JsonWriter& json, const ClosedClient& client, const ReportContext& context);

}  // namespace heartbeat
