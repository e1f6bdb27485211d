#include "tools/bench/machine.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fstream>
#include <string_view>

#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <uv.h>

#include "tools/bench/trouble.h"

namespace heartbeat::bench {
namespace {

// What a wake-up may come late by; the rest of a precise wait is spent awake.
constexpr Nanos kAwake{100'000};

// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): a handler reaches nothing else
std::atomic<bool> told_to_end{false};

void on_signal(int) {
  told_to_end = true;
}

// The first line of a file that begins so, behind the colon or equals sign; the whole line for no beginning.
std::string line_of(const char* path, std::string_view beginning) {
  std::ifstream file{path};
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(beginning)) continue;
    const auto sign = beginning.empty() ? std::string::npos : line.find_first_of(":=");
    if (sign != std::string::npos) line.erase(0, sign + 1);
    std::erase(line, '"');
    line.erase(0, std::min(line.find_first_not_of(" \t"), line.size()));
    return line;
  }
  return "unknown";
}

}  // namespace

Nanos monotonic_now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

void wait_until(Nanos when, bool precise) {
  for (;;) {
    const Nanos left = when - monotonic_now();
    if (left <= Nanos{0}) return;
    if (precise && left < 2 * kAwake) continue;
    if (told_to_end) throw Trouble{"ended by a signal"};
    const Nanos asleep = precise ? left - kAwake : left;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(asleep);
    const timespec timeout{.tv_sec = seconds.count(), .tv_nsec = (asleep - seconds).count()};
    ppoll(nullptr, 0, &timeout, nullptr);
  }
}

void end_on_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // a second one ends it where it is
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  prctl(PR_SET_TIMERSLACK, 1UL);  // in nanoseconds: a wake-up comes when it was asked for
}

Cores choose_cores() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) throw system_trouble("cannot ask for the cores");
  Cores cores{.server = -1, .generator = -1};
  for (int core = 0; core < CPU_SETSIZE && cores.generator == -1; ++core) {
    if (CPU_ISSET(core, &allowed)) (cores.server == -1 ? cores.server : cores.generator) = core;
  }
  if (cores.generator == -1) cores.generator = cores.server;
  return cores;
}

void stay_on(int core) {
  cpu_set_t wanted;
  CPU_ZERO(&wanted);
  CPU_SET(core, &wanted);
  if (sched_setaffinity(0, sizeof wanted, &wanted) != 0) {
    throw system_trouble("cannot stay on core " + std::to_string(core));
  }
}

Machine describe_machine() {
  utsname kernel{};
  uname(&kernel);
  return {.processor = line_of("/proc/cpuinfo", "model name"),
          .cores = sysconf(_SC_NPROCESSORS_ONLN),
          .kernel = std::string{kernel.sysname} + " " + kernel.release + " " + kernel.machine,
          .system = line_of("/etc/os-release", "PRETTY_NAME"),
          .compiler = HEARTBEAT_BENCH_COMPILER,
          .build = HEARTBEAT_BENCH_BUILD,
          .libuv = uv_version_string(),
          .clocksource = line_of("/sys/devices/system/clocksource/clocksource0/current_clocksource", "")};
}

}  // namespace heartbeat::bench
