#include <array>
#include <initializer_list>
#include <vector>

#include <doctest/doctest.h>
#include <sysexits.h>

#include "tools/client/options.h"

namespace heartbeat::client {
namespace {

tl::expected<Options, CommandLine::End> parse(std::initializer_list<const char*> flags) {
  std::vector<const char*> argv{"heartbeat-client"};
  argv.insert(argv.end(), flags);
  return parse_options(static_cast<int>(argv.size()), argv.data(), 4711);
}

void refuses(std::initializer_list<const char*> flags, std::string_view line) {
  const auto options = parse(flags);
  REQUIRE(!options.has_value());
  CHECK(options.error().exit_code == EX_USAGE);
  CHECK(options.error().text == line);
}

TEST_CASE("without flags the client is the article's: every 10 s, alive, its own pid") {
  const auto options = parse({});
  REQUIRE(options.has_value());
  CHECK(options->server.host == "127.0.0.1");
  CHECK(options->server.port == 14000);
  CHECK(options->interval == Millis{10'000});
  CHECK(options->status == Status::Alive);
  CHECK(options->pid == 4711);
  CHECK(!options->count);
  CHECK(!options->retries);
  CHECK(!options->notify);
  CHECK(options->base == Millis{1'000});
  CHECK(options->cap == Millis{60'000});
  CHECK(options->gate == Millis{0});
}

TEST_CASE("a flag given twice counts as given last") {
  const auto options = parse({"--interval", "1s", "--interval", "250ms"});
  REQUIRE(options.has_value());
  CHECK(options->interval == Millis{250});
}

TEST_CASE("a client with an id asks for messages, so that it does not fight for the id") {
  const auto options = parse({"--id", "pump-7"});
  REQUIRE(options.has_value());
  CHECK(options->notify);
}

TEST_CASE("a bad value is refused with one line that names the flag and the text") {
  refuses({"--interval", "10"}, "heartbeat-client: --interval: '10' has no unit (did you mean 10s or 10ms?)");
  refuses({"--interval", "0ms"}, "heartbeat-client: --interval: '0ms' is not from 1ms to 1d");
  refuses({"--count", "0"},
          "heartbeat-client: --count: '0' is not a whole number from 1 to 18446744073709551615");
  refuses({"--pid", "4294967296"},
          "heartbeat-client: --pid: '4294967296' is not a whole number from 0 to 4294967295");
  refuses({"--status", "dead"},
          "heartbeat-client: --status: 'dead' is not a status (use alive, leave or close)");
  refuses({"--id", "a\tb"},
          "heartbeat-client: --id: 'a\\x09b' is not an id: it has characters that cannot be seen (1 to 128 "
          "bytes of "
          "printable text)");
  refuses({"--id", "10.0.0.7:4711"},
          "heartbeat-client: --id: '10.0.0.7:4711' is not an id: it reads as an address, and only a client "
          "without an "
          "id is named by one (1 to 128 bytes of printable text)");
  CHECK(!parse({"--bogus"}).has_value());
  CHECK(!parse({"--server", "nowhere"}).has_value());
}

TEST_CASE("text for the wire is taken up to its limit, and not one byte past it") {
  CHECK(parse({"--id", std::string(128, 'x').c_str()}).has_value());
  CHECK(!parse({"--id", std::string(129, 'x').c_str()}).has_value());
  CHECK(parse({"--ip", std::string(64, 'x').c_str()}).has_value());
  CHECK(!parse({"--ip", std::string(65, 'x').c_str()}).has_value());
  CHECK(!parse({"--ip", ""}).has_value());
}

TEST_CASE("help and version are for standard output, and no error") {
  for (const char* flag : {"--help", "--version"}) {
    const auto options = parse({flag});
    REQUIRE(!options.has_value());
    CHECK(options.error().exit_code == EX_OK);
    CHECK(options.error().text.ends_with("\n"));
  }
}

}  // namespace
}  // namespace heartbeat::client
