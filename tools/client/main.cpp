// heartbeat-client: parse, wire, run, exit code.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <random>

#include <sysexits.h>
#include <unistd.h>

#include "common/descriptors.h"
#include "common/limits.h"
#include "common/uv/loop.h"
#include "common/uv/watchers.h"
#include "tools/client/client.h"
#include "tools/client/options.h"

namespace heartbeat::client {
namespace {

int run(const Options& options) {
  // A daemon that goes away while it is written to is an error code, not a signal.
  std::signal(SIGPIPE, SIG_IGN);

  uv::Loop loop;
  int exit_code = EX_OK;
  {
    const auto on_ended = [&](int code) {
      exit_code = code;
      loop.stop();
    };
    Client client{loop, options, std::random_device{}(), on_ended};
    const auto on_sigterm = uv::Signal::create(loop, SIGTERM, [&] { client.say_goodbye(); });
    const auto on_sigint = uv::Signal::create(loop, SIGINT, [&] { client.say_goodbye(); });
    client.start();
    loop.run();
  }
  for (const std::string& leak : loop.drain(limits::kShutdownMax)) {
    std::fprintf(stderr, "heartbeat-client: leaked handle: %s\n", leak.c_str());
    exit_code = EX_SOFTWARE;
  }
  return exit_code;
}

}  // namespace
}  // namespace heartbeat::client

int main(int argc, char** argv) {
  using namespace heartbeat;
  open_standard_descriptors();
  const auto options = client::parse_options(argc, argv, static_cast<std::uint32_t>(getpid()));
  return options ? client::run(*options) : CommandLine::finish(options.error());
}
