// heartbeat-bench: parse, see what the machine allows, measure, print.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <sysexits.h>
#include <unistd.h>

#include "common/descriptors.h"
#include "common/limits.h"
#include "tools/bench/options.h"
#include "tools/bench/results.h"
#include "tools/bench/sessions.h"
#include "tools/bench/trouble.h"

namespace heartbeat::bench {
namespace {

void say(const std::string& line) {
  std::fprintf(stderr, "heartbeat-bench: %s\n", line.c_str());
}

// What is done now: written over itself on a terminal, a line each elsewhere.
void show_progress(const std::string& line) {
  if (isatty(STDERR_FILENO) == 0) return say(line);
  std::fprintf(stderr, "\r%s\x1b[K", line.c_str());
}

void clear_progress() {
  if (isatty(STDERR_FILENO) != 0) std::fprintf(stderr, "\r\x1b[K");
}

Size quick_size() {
  return {.clients = 200,
          .clients_held = 300,
          .silent = 50,
          .per_second = 2'000,
          .per_second_slow = 500,
          .connects_per_second = 2'000,
          .core_clients_max = 10'000,
          .core_heartbeats = 100'000};
}

// Never more than this process, and a server that starts with the same limit, may have.
void lower_to(std::size_t descriptors, Size& size, Results& results) {
  const std::size_t most = descriptors - std::min(descriptors, 2 * limits::kDescriptorHeadroom);
  const auto lower = [&](std::size_t& clients) {
    if (clients <= most) return;
    const std::string line = std::to_string(clients) + " clients lowered to " + std::to_string(most) +
                             ": no more descriptors are allowed (ulimit -Hn)";
    say(line);
    results.note(line);
    clients = most;
  };
  lower(size.clients);
  lower(size.clients_held);
  size.silent = std::min(size.silent, size.clients_held / 2);
}

std::string program_beside_this_one() {
  std::error_code unknown;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", unknown).parent_path();
  for (const char* const place : {"heartbeatd", "../sbin/heartbeatd"}) {
    if (std::filesystem::exists(here / place)) return (here / place).lexically_normal();
  }
  return here / "heartbeatd";
}

int tell(const Options& options, const Setup& setup, const Results& results) {
  std::fputs(as_markdown(setup, results).c_str(), stdout);
  if (options.json.empty()) return EX_OK;
  std::ofstream file{options.json};
  file << as_json(setup, results);
  if (file.flush()) return EX_OK;
  say("cannot write " + options.json);
  return EX_CANTCREAT;
}

int run(Options options) {
  std::signal(SIGPIPE, SIG_IGN);
  end_on_signals();
  if (options.daemon.program.empty()) options.daemon.program = program_beside_this_one();
  if (options.quick) {
    options.repeat = 1;
    options.length = Millis{300};
    options.tick = Millis{1000};
  }

  const Setup setup{describe_machine(), HEARTBEAT_VERSION, options.repeat,
                    std::chrono::duration<double>(options.length).count()};
  Results results;
  int exit_code = EX_OK;
  try {
    const Cores cores = choose_cores();
    stay_on(cores.generator);
    if (!cores.apart())
      results.note("one core: the load was made on the server's own, so figures are too high");
    if (!options.daemon.flags.empty()) results.note("heartbeatd with more flags than usual");
    if (options.quick) results.note("--quick: few clients and little time, so these are no figures");
    Size size = options.quick ? quick_size() : Size{};
    lower_to(raise_descriptor_limit(), size, results);
    Sessions{options, size, cores, results, show_progress}.run();
  } catch (const Trouble& trouble) {
    clear_progress();
    say(trouble.what());
    results.note(std::string{"ended early: "} + trouble.what());
    exit_code = EX_UNAVAILABLE;
  }
  clear_progress();
  const int told = tell(options, setup, results);
  return exit_code == EX_OK ? told : exit_code;
}

}  // namespace
}  // namespace heartbeat::bench

int main(int argc, char** argv) {
  using namespace heartbeat;
  open_standard_descriptors();
  bench::become_reference_server(argc, argv);
  const auto options = bench::parse_options(argc, argv);
  return options ? bench::run(*options) : CommandLine::finish(options.error());
}
