#include <initializer_list>
#include <vector>

#include <doctest/doctest.h>
#include <sysexits.h>

#include "tools/sim/options.h"

namespace heartbeat::sim {
namespace {

tl::expected<Options, CommandLine::End> parse(std::initializer_list<const char*> flags) {
  std::vector<const char*> argv{"heartbeat-sim"};
  argv.insert(argv.end(), flags);
  return parse_options(static_cast<int>(argv.size()), argv.data(), 4711, 42);
}

TEST_CASE("without flags the simulator adds a client every 10 s, of every behaviour") {
  const auto options = parse({});
  REQUIRE(options.has_value());
  CHECK(options->add_every == Millis{10'000});
  CHECK(options->id_prefix == "sim4711");
  CHECK(options->seed == 42);
  CHECK(!options->interval);
  CHECK(!options->duration);
  for (const std::uint32_t share : options->mix) CHECK(share > 0);
}

TEST_CASE("a bad mix is refused with one line that names it") {
  const auto options = parse({"--mix", "steady=8,asleep=1"});
  REQUIRE(!options.has_value());
  CHECK(options.error().exit_code == EX_USAGE);
  CHECK(options.error().text ==
        "heartbeat-sim: --mix: 'asleep' is not a behaviour (use steady, flaky, glued, dribble, late, silent, "
        "declared, goodbye, illegal, takeover)");
}

TEST_CASE("as many source addresses as there are may be asked for, and not one more") {
  CHECK(parse({"--sources", "65536"}).has_value());
  CHECK(!parse({"--sources", "65537"}).has_value());
}

TEST_CASE("as many seeds as there may be can be asked for, and not one more") {
  CHECK(parse({"--virtual", "--seeds", "1000000"}).has_value());
  CHECK(!parse({"--virtual", "--seeds", "1000001"}).has_value());
  CHECK(!parse({"--virtual", "--seeds", "0"}).has_value());
}

TEST_CASE("kinds of clients are groups with their intervals") {
  const auto options = parse({"--kinds", "game=1s,battery=15min"});
  REQUIRE(options.has_value());
  CHECK(options->kinds == std::vector<ClientKind>{{"game", Millis{1000}}, {"battery", Millis{900'000}}});
}

TEST_CASE("a kind of clients has a group of 1 to 64 bytes and an interval that may be a tick") {
  const std::string at = std::string(64, 'x') + "=1s";
  const std::string past = std::string(65, 'x') + "=1s";
  CHECK(parse({"--kinds", at.c_str()}).has_value());
  CHECK(!parse({"--kinds", past.c_str()}).has_value());
  for (const char* const wrong :
       {"", "game", "=1s", "game=", "game=1", "game=9ms", "game=1s,", "game=1s,game=2s"}) {
    CAPTURE(wrong);
    CHECK(!parse({"--kinds", wrong}).has_value());
  }
}

TEST_CASE("as many kinds of clients as groups may be given, and not one more") {
  std::string kinds = "a0=1s";
  for (int number = 1; number < 64; ++number) kinds += ",a" + std::to_string(number) + "=1s";
  CHECK(parse({"--kinds", kinds.c_str()}).has_value());
  kinds += ",a64=1s";
  CHECK(!parse({"--kinds", kinds.c_str()}).has_value());
}

TEST_CASE("with kinds of clients there is no interval for all") {
  CHECK(!parse({"--kinds", "game=1s", "--interval", "1s"}).has_value());
}

TEST_CASE("an id prefix leaves room for the number behind it") {
  const std::string at(116, 'x');
  const std::string past(117, 'x');
  CHECK(parse({"--id-prefix", at.c_str()}).has_value());
  CHECK(!parse({"--id-prefix", past.c_str()}).has_value());
}

}  // namespace
}  // namespace heartbeat::sim
