// The whole story of one client, or of an address, as members of a JSON object: what `why` answers.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/json_writer.h"
#include "daemon/report/operator_desk.h"
#include "daemon/report/verdict.h"

namespace heartbeat {

// Each adds to the object that is open: at most limits::kMomentsMax moments and limits::kStallsMax stalls.
void add_story(JsonWriter& json, const Client& client, const Stalls& stalls, const ReportContext& context);
void add_story(JsonWriter& json, const ClosedClient& client, const Stalls& stalls,
               const ReportContext& context);
// `close` says when it will be absent.
void add_missing_story(JsonWriter& json, const ClosedClient& client, const Stalls& stalls,
                       const ReportContext& context);
void add_story(JsonWriter& json, const RefusedPeer& peer, const ReportContext& context);

// What an operator calls by a name, at most one of the four: a connected client, by its id or else its
// address; a client of before the daemon's start that is missing; one of the last that were closed; an
// address, with or without a port, whose connections ended before a heartbeat.
struct Named {
  std::optional<ConnId> client{};
  const ClosedClient* missing = nullptr;
  const ClosedClient* closed = nullptr;
  const RefusedPeer* refused = nullptr;
};
// Valid until the monitor is called.  Nothing where nothing is called so.
[[nodiscard]] std::optional<Named> find_named(const Monitor& monitor, std::string_view name);
// Adds its story.
void add_story(JsonWriter& json, const Named& named, const OperatorDesk& desk);

// Where nothing is called so: a sentence, which repeats the name escaped.
[[nodiscard]] std::string explain_unknown(std::string_view name);

}  // namespace heartbeat
