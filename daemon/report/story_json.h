// The whole story of one client as members of a JSON object: what `why` answers.
#pragma once

#include "common/json_writer.h"
#include "daemon/report/verdict.h"

namespace heartbeat {

// Each adds to the object that is open: at most limits::kMomentsMax moments and limits::kStallsMax stalls.
void add_story(JsonWriter& json, const Client& client, const Stalls& stalls, const ReportContext& context);
void add_story(JsonWriter& json, const ClosedClient& client, const Stalls& stalls,
               const ReportContext& context);

}  // namespace heartbeat
