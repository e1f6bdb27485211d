// The configuration in a build without HTTP: this program has that answer to has_http(), and not the
// library's.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <array>

#include <doctest/doctest.h>
#include <sysexits.h>

#include "daemon/config/command_line.h"
#include "daemon/config/has_http.h"
#include "daemon/config/load.h"

namespace heartbeat {

bool has_http() {
  return false;
}

namespace {

constexpr const char* kNoFile = "/nonexistent/heartbeatd.toml";

TEST_CASE("a build without HTTP refuses http.listen, and says why") {
  const std::array<const char*, 3> arguments{"heartbeatd", "--http-listen", "127.0.0.1:14080"};
  const auto command_line = parse_command_line(static_cast<int>(arguments.size()), arguments.data());
  REQUIRE(command_line);
  const auto loaded = load_config(*command_line, kNoFile);
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().exit_code == EX_USAGE);
  CHECK(loaded.error().lines.front() ==
        "heartbeatd: --http-listen: '127.0.0.1:14080': this heartbeatd was built without HTTP");
}

TEST_CASE("a build without HTTP needs no setting for that, and says so in its version") {
  const std::array<const char*, 1> nothing{"heartbeatd"};
  const auto command_line = parse_command_line(static_cast<int>(nothing.size()), nothing.data());
  REQUIRE(command_line);
  CHECK(load_config(*command_line, kNoFile));

  const std::array<const char*, 2> arguments{"heartbeatd", "--version"};
  const auto version = parse_command_line(static_cast<int>(arguments.size()), arguments.data());
  REQUIRE_FALSE(version);
  CHECK(version.error().text.ends_with(", without HTTP)\n"));
}

}  // namespace
}  // namespace heartbeat
