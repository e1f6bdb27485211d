#include "daemon/restart/handover.h"

#include <chrono>

#include <doctest/doctest.h>

#include "common/tagged_fields.h"

using namespace heartbeat;
using namespace std::chrono_literals;

namespace {

Handover some_handover() {
  return {.version = "1.2.3",
          .written = MonoTime{123456ms},
          .state = std::string{"opaque\0bytes", 12},
          .clients = {{.socket = 17, .conn = {.slot = 4, .generation = 2}, .unsent = "{}"},
                      {.socket = 0xffffffffffff, .conn = {.slot = 5, .generation = 9}}},
          .listeners = {{.socket = 3, .asked = *parse_endpoint("127.0.0.1:0"), .is_of_manager = false},
                        {.socket = 6, .asked = *parse_endpoint("[::1]:14000"), .is_of_manager = true}},
          .control = 8,
          .control_path = "/run/heartbeatd/control.sock",
          .http = 9,
          .log_level = "debug",
          .waiting = {21, 22}};
}

}  // namespace

TEST_CASE("a handover is read as it was written") {
  const Handover wrote = some_handover();
  const auto read = read_handover(write_handover(wrote));
  REQUIRE(read);
  CHECK(read->version == wrote.version);
  CHECK(read->written == wrote.written);
  CHECK(read->state == wrote.state);
  REQUIRE(read->clients.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(read->clients[i].socket == wrote.clients[i].socket);
    CHECK(read->clients[i].conn == wrote.clients[i].conn);
    CHECK(read->clients[i].unsent == wrote.clients[i].unsent);
    CHECK(read->listeners[i].socket == wrote.listeners[i].socket);
    CHECK(read->listeners[i].asked == wrote.listeners[i].asked);
    CHECK(read->listeners[i].is_of_manager == wrote.listeners[i].is_of_manager);
  }
  CHECK(read->control == 8);
  CHECK(read->control_path == wrote.control_path);
  CHECK(read->http == 9);
  CHECK(read->log_level == "debug");
  CHECK(read->waiting == wrote.waiting);
}

TEST_CASE("a damaged handover is refused") {
  std::string bytes = write_handover(some_handover());
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  const auto read = read_handover(bytes);
  REQUIRE_FALSE(read);
  CHECK(read.error() == "it is damaged, or no state of heartbeatd");
  CHECK_FALSE(read_handover(""));
}

TEST_CASE("a handover of a later format is read while its writer says that it can be") {
  const auto with_formats = [](std::uint32_t written_by, std::uint32_t readable_by) {
    std::string content;
    FieldWriter fields{content};
    fields.bytes(1, "9.0.0");
    fields.bytes(999, "a field of the future");
    return in_envelope("HBho", {.written_by = written_by, .readable_by = readable_by, .content = content});
  };
  const auto read = read_handover(with_formats(Handover::kFormat + 1, Handover::kFormat));
  REQUIRE(read);
  CHECK(read->version == "9.0.0");
  const auto refused = read_handover(with_formats(Handover::kFormat + 1, Handover::kFormat + 1));
  REQUIRE_FALSE(refused);
  CHECK(refused.error() == "it has format 2, which this version (1) cannot read");
}
