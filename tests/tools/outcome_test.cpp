#include "tools/client/outcome.h"

#include <doctest/doctest.h>
#include <sysexits.h>

namespace heartbeat::client {
namespace {

int exit_code_after(const char* reason, Status declared = Status::Alive) {
  const Outcome outcome = outcome_of_close(reason, declared);
  CHECK_MESSAGE(!outcome.reconnect, reason);
  return outcome.exit_code;
}

TEST_CASE("a client that must not come back ends, and its exit code tells why") {
  CHECK(exit_code_after("goodbye", Status::Close) == EX_OK);
  CHECK(exit_code_after("superseded") == kExitSuperseded);
  CHECK(exit_code_after("kicked") == kExitKicked);
  CHECK(exit_code_after("bad_frame") == EX_DATAERR);
  CHECK(exit_code_after("bad_heartbeat") == EX_DATAERR);
}

TEST_CASE("a client that did nothing wrong connects again") {
  for (const char* reason : {"silent", "shutdown", "limit", "never_spoke", "frame_timeout", "peer_closed",
                             "given_up", "timed_out", "unauthorized", "crash"}) {
    CHECK_MESSAGE(outcome_of_close(reason, Status::Alive).reconnect, reason);
  }
}

TEST_CASE("away is the end that a declared leave leads to, and none that a living client accepts") {
  CHECK(exit_code_after("away", Status::Leave) == EX_OK);
  CHECK(outcome_of_close("away", Status::Alive).reconnect);
}

TEST_CASE("superseded, kicked, unauthorized and crash bar a client, and no other reason does") {
  for (const char* reason : {"superseded", "kicked", "unauthorized", "crash"})
    CHECK_MESSAGE(is_barred(reason), reason);
  for (const char* reason : {"silent", "shutdown", "limit", "goodbye", "eclipse", ""})
    CHECK_MESSAGE(!is_barred(reason), reason);
}

TEST_CASE("a reason of a later daemon is no reason to give up") {
  CHECK(outcome_of_close("eclipse", Status::Alive).reconnect);
  CHECK(outcome_of_close("", Status::Alive).reconnect);
}

}  // namespace
}  // namespace heartbeat::client
