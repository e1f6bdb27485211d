// A client as one frame of type `client`: what lists and snapshots are made of.
#pragma once

#include <string>

#include "daemon/core/client.h"
#include "daemon/report/report_context.h"

namespace heartbeat {

void append_client(std::string& out, const Client& client, const ReportContext& context);

}  // namespace heartbeat
