#include "tools/client/outcome.h"

#include <sysexits.h>

namespace heartbeat::client {

Outcome outcome_of_close(std::string_view reason, Status declared) {
  const auto end = [](int exit_code) { return Outcome{false, exit_code}; };
  if (reason == "goodbye") return end(EX_OK);
  if (reason == "away" && declared == Status::Leave) return end(EX_OK);
  if (reason == "superseded") return end(kExitSuperseded);
  if (reason == "kicked") return end(kExitKicked);
  if (reason == "bad_frame" || reason == "bad_heartbeat") return end(EX_DATAERR);
  return Outcome{true, EX_OK};
}

bool is_barred(std::string_view reason) {
  return reason == "superseded" || reason == "kicked" || reason == "unauthorized" || reason == "crash";
}

}  // namespace heartbeat::client
