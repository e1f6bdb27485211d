// heartbeat-relay: parse, load, run, exit code.
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include <spdlog/spdlog.h>
#include <sysexits.h>

#include "common/descriptors.h"
#include "common/log.h"
#include "common/uv/loop.h"
#include "common/uv/watchers.h"
#include "tools/relay/config.h"
#include "tools/relay/journal_sink.h"
#include "tools/relay/options.h"
#include "tools/relay/relay.h"
#include "tools/relay/tls_context.h"

namespace heartbeat::relay {
namespace {

constexpr Millis kDrainMax{10'000};

// A configuration with what it names in files.
struct Loaded {
  Config config;
  std::string password;
};

tl::expected<Loaded, std::vector<std::string>> load(const std::string& path) {
  auto config = load_config(path);
  if (!config) return tl::unexpected(std::move(config.error()));
  auto password = read_password(*config);
  if (!password) return tl::unexpected(std::vector{std::move(password.error())});
  if (config->tls) {
    const auto context = tls_context(*config, "redis");
    if (!context) return tl::unexpected(std::vector{context.error()});
  }
  return Loaded{std::move(*config), std::move(*password)};
}

class Program {
 public:
  Program(uv::Loop& loop, const std::string& path, Loaded loaded) : loop_(loop), path_(path) {
    begin(std::move(loaded));
  }

  // A file with mistakes changes nothing.
  void reload() {
    auto loaded = load(path_);
    if (!loaded) {
      for (const std::string& mistake : loaded.error()) spdlog::error("reload_refused {}", mistake);
      return;
    }
    spdlog::info("reloaded {}", path_);
    if (relay_->can_change_to(loaded->config)) {
      return relay_->change(std::move(loaded->config), std::move(loaded->password));
    }
    begin(std::move(*loaded));
  }

 private:
  void begin(Loaded loaded) {
    relay_ = std::make_unique<Relay>(loop_, std::move(loaded.config), std::move(loaded.password));
  }

  uv::Loop& loop_;
  const std::string& path_;
  std::unique_ptr<Relay> relay_;
};

int run(const Options& options, Loaded loaded) {
  std::signal(SIGPIPE, SIG_IGN);
  uv::Loop loop;
  {
    const auto end = uv::Signal::create(loop, SIGTERM, [&] { loop.stop(); });
    const auto interrupt = uv::Signal::create(loop, SIGINT, [&] { loop.stop(); });
    spdlog::info("heartbeat-relay {} fleet={} node={} control={}", HEARTBEAT_VERSION, loaded.config.fleet,
                 loaded.config.node, loaded.config.control);
    Program program{loop, options.config, std::move(loaded)};
    const auto again = uv::Signal::create(loop, SIGHUP, [&] { program.reload(); });
    loop.run();
  }
  int exit_code = EX_OK;
  for (const std::string& leak : loop.drain(kDrainMax)) {
    std::fprintf(stderr, "heartbeat-relay: leaked handle: %s\n", leak.c_str());
    exit_code = EX_SOFTWARE;
  }
  return exit_code;
}

int main_of(const Options& options) {
  if (const auto log = set_up_log(LogStyle::Plain, options.log_level); !log) {
    std::fprintf(stderr, "heartbeat-relay: --log-level: %s\n", log.error().c_str());
    return EX_USAGE;
  }
  auto loaded = load(options.config);
  if (!loaded) {
    for (const std::string& mistake : loaded.error())
      std::fprintf(stderr, "heartbeat-relay: %s\n", mistake.c_str());
    return EX_CONFIG;
  }
  if (options.check_config) {
    std::printf("%s: node %s of fleet %s\n", options.config.c_str(), loaded->config.node.c_str(),
                loaded->config.fleet.c_str());
    return EX_OK;
  }
  send_log_to_journal();
  return run(options, std::move(*loaded));
}

}  // namespace
}  // namespace heartbeat::relay

int main(int argc, char** argv) {
  using namespace heartbeat;
  open_standard_descriptors();
  const auto options = relay::parse_options(argc, argv);
  return options ? relay::main_of(*options) : CommandLine::finish(options.error());
}
