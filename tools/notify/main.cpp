// heartbeat-notify: parse, load, run, exit code.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include <spdlog/spdlog.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/descriptors.h"
#include "common/events/segments.h"
#include "common/log.h"
#include "common/uv/loop.h"
#include "common/uv/watchers.h"
#include "tools/notify/config.h"
#include "tools/notify/hook.h"
#include "tools/notify/http_client.h"
#include "tools/notify/options.h"
#include "tools/notify/signature.h"
#include "tools/notify/status_files.h"
#include "tools/notify/upstream.h"

namespace heartbeat::notify {
namespace {

constexpr Millis kDrainMax{10'000};
constexpr std::uint64_t kSecretFileMax = 4096;

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

// The keys that sign the requests of one hook.
using Keys = std::vector<std::string>;

tl::expected<std::string, std::string> load_key(const HookConfig& hook, const std::string& secret) {
  const char* const directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr) {
    return tl::unexpected("hook " + hook.name +
                          ": $CREDENTIALS_DIRECTORY is not set (LoadCredential= of the unit)");
  }
  const std::string path = std::string{directory} + '/' + secret;
  const auto text = events::read_file(path, kSecretFileMax);
  if (!text) return tl::unexpected(path + ": " + std::strerror(text.error()));
  auto key = key_of_secret(*text);
  if (!key) return tl::unexpected(path + ": must be whsec_ and 24 to 64 bytes in base64");
  return std::move(*key);
}

// From systemd's credentials, in the order of the hooks.
tl::expected<std::vector<Keys>, std::string> load_keys(const Config& config) {
  std::vector<Keys> all;
  for (const HookConfig& hook : config.hooks) {
    Keys& keys = all.emplace_back();
    for (const std::string& secret : hook.secrets) {
      auto key = load_key(hook, secret);
      if (!key) return tl::unexpected(std::move(key.error()));
      keys.push_back(std::move(*key));
    }
  }
  return all;
}

// Asks `ping` once a period while every hook delivers: where nothing asks any more, its receiver raises the
// alarm.
class Ping {
 public:
  Ping(uv::Loop& loop, const Config& config, HttpClient& http, std::function<bool()> is_well) {
    if (config.ping.empty()) return;
    timer_ = uv::Timer::create(loop, [this, &http, &config, is_well = std::move(is_well)] {
      if (is_well())
        http.send({.url = config.ping, .timeout = config.ping_every}, [](const AttemptResult&) {});
      timer_->arm(config.ping_every);
    });
    timer_->arm(Millis{1});
  }

 private:
  uv::Owned<uv::Timer> timer_;
};

int run(const Options& options, const Config& config, std::vector<Keys> keys) {
  std::signal(SIGPIPE, SIG_IGN);
  uv::Loop loop;
  int exit_code = EX_OK;
  {
    HttpClient http{loop};
    std::vector<std::unique_ptr<Hook>> hooks;
    const auto end = uv::Signal::create(loop, SIGTERM, [&] { loop.stop(); });
    const auto interrupt = uv::Signal::create(loop, SIGINT, [&] { loop.stop(); });
    for (std::size_t at = 0; at < config.hooks.size(); ++at) {
      hooks.push_back(std::make_unique<Hook>(loop, config, config.hooks[at],
                                             Hook::Place{options.state, host_name(), std::move(keys[at])},
                                             http, std::random_device{}()));
    }
    if (!options.test.empty()) {
      exit_code = EX_USAGE;
      for (const auto& hook : hooks) {
        if (hook->name() != options.test) continue;
        hook->test([&](const AttemptResult& result) {
          std::printf("%s: %s\n", result.is_delivered ? "delivered" : "not delivered", result.text.c_str());
          exit_code = result.is_delivered ? EX_OK : 1;
          loop.stop();
        });
        loop.run();
        break;
      }
      if (exit_code == EX_USAGE)
        std::fprintf(stderr, "heartbeat-notify: there is no hook %s\n", options.test.c_str());
    } else {
      for (const auto& hook : hooks) {
        if (const auto begun = hook->begin(); !begun) {
          spdlog::critical("hook={}: {}", hook->name(), begun.error());
          exit_code = EX_CANTCREAT;
        }
      }
      const Ping ping{loop, config, http, [&] {
                        return std::all_of(hooks.begin(), hooks.end(),
                                           [](const auto& hook) { return hook->is_well(); });
                      }};
      const auto upstream = Upstream::start(config, host_name());
      if (!upstream) {
        spdlog::critical("{}", upstream.error());
        exit_code = EX_CONFIG;
      }
      const StatusFiles files{loop, config, options.status, [&](std::uint64_t newest) {
                                std::vector<HookStatus> all;
                                all.reserve(hooks.size());
                                for (const auto& hook : hooks) all.push_back(hook->status(newest));
                                return all;
                              }};
      if (exit_code == EX_OK) {
        spdlog::info("heartbeat-notify {} delivers to {} hooks, from {}", HEARTBEAT_VERSION, hooks.size(),
                     config.journal);
        loop.run();
      }
    }
  }
  for (const std::string& leak : loop.drain(kDrainMax)) {
    std::fprintf(stderr, "heartbeat-notify: leaked handle: %s\n", leak.c_str());
    exit_code = EX_SOFTWARE;
  }
  return exit_code;
}

int main_of(const Options& options) {
  if (const auto log = set_up_log(LogStyle::Plain, options.log_level); !log) {
    std::fprintf(stderr, "heartbeat-notify: --log-level: %s\n", log.error().c_str());
    return EX_USAGE;
  }
  const auto config = load_config(options.config);
  if (!config) {
    for (const std::string& mistake : config.error())
      std::fprintf(stderr, "heartbeat-notify: %s\n", mistake.c_str());
    return EX_CONFIG;
  }
  auto keys = load_keys(*config);
  if (!keys) {
    std::fprintf(stderr, "heartbeat-notify: %s\n", keys.error().c_str());
    return EX_CONFIG;
  }
  if (options.check_config) {
    std::printf("%s: %zu hooks\n", options.config.c_str(), config->hooks.size());
    return EX_OK;
  }
  return run(options, *config, std::move(*keys));
}

}  // namespace
}  // namespace heartbeat::notify

int main(int argc, char** argv) {
  using namespace heartbeat;
  open_standard_descriptors();
  const auto options = notify::parse_options(argc, argv);
  return options ? notify::main_of(*options) : CommandLine::finish(options.error());
}
