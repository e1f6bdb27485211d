#include "tools/relay/config.h"

#include <string>

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using namespace heartbeat;
using namespace heartbeat::relay;

namespace {

const std::string kLeast = "fleet = \"plant\"\nnode = \"n1\"\nredis = \"127.0.0.1\"\n";

std::string mistake(const std::string& more, const std::string& base = kLeast) {
  const auto config = parse_config(base + more, "relay.toml");
  return config ? std::string{} : config.error().front();
}

}  // namespace

TEST_CASE("the least configuration of a relay has the documented defaults") {
  const auto config = parse_config(kLeast, "relay.toml");
  REQUIRE(config);
  CHECK(to_string(config->redis.front()) == "127.0.0.1:6379");
  CHECK(config->lease == 15s);
  CHECK(config->records_max == 65'536);
  CHECK(config->control == "/run/heartbeatd/control.sock");
}

TEST_CASE("the settings of a relay have bounds") {
  CHECK(mistake("lease = \"1s\"").empty());
  CHECK(mistake("lease = \"999ms\"") == "relay.toml:4: lease: must be from 1s to 1h");
  CHECK(mistake("lease = \"1h\"").empty());
  CHECK_FALSE(mistake("lease = \"3600001ms\"").empty());
  CHECK(mistake("records_max = 100").empty());
  CHECK(mistake("records_max = 99") ==
        "relay.toml:4: records_max: must be a whole number from 100 to 1048576");
  CHECK(mistake("records_max = 1048576").empty());
  CHECK_FALSE(mistake("records_max = 1048577").empty());
  const auto named = [](std::size_t length) {
    return mistake("", "fleet = \"" + std::string(length, 'a') + "\"\nnode = \"n\"\nredis = \"h\"\n");
  };
  CHECK(named(64).empty());
  CHECK(named(65) == "relay.toml:1: fleet: must be 1 to 64 of a-z, 0-9, - and _");
}

TEST_CASE("what a relay cannot work with is named with its line") {
  CHECK(mistake("colour = 1") == "relay.toml:4: colour: there is no such setting");
  CHECK(mistake("user = \"relay\"") == "relay.toml: user: needs a password_file");
  CHECK(mistake("sentinels = [\"a\"]\nmaster = \"m\"") ==
        "relay.toml: one of redis and sentinels must be given");
  CHECK(mistake("master = \"m\"") == "relay.toml: sentinels and master belong together");
  CHECK(mistake("tls_ca = \"/ca\"") == "relay.toml: tls_ca, tls_certificate, tls_key: need tls = true");
  CHECK(mistake("", "node = \"n1\"\nredis = \"h\"\n") == "relay.toml: fleet: must be given");
  CHECK_FALSE(mistake("node = \"N 1\"", "fleet = \"f\"\nredis = \"h\"\n").empty());
  std::string many = "sentinels = [";
  for (int each = 0; each < 16; ++each) many += "\"a\", ";
  const std::string base = "fleet = \"f\"\nnode = \"n\"\nmaster = \"m\"\n";
  CHECK(mistake(many + "]", base).empty());
  CHECK_FALSE(mistake(many + "\"a\"]", base).empty());
}
