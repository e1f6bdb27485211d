// The machine that is measured on: its cores, its clock, and how to name it beside a figure.
#pragma once

#include <chrono>
#include <string>

namespace heartbeat::bench {

using Nanos = std::chrono::nanoseconds;

// On the monotonic clock.
[[nodiscard]] Nanos monotonic_now();

// Waits until then: asleep while that is far, awake for the last tenth of a millisecond where `precise`,
// which takes a core of one's own.  Throws Trouble where SIGINT or SIGTERM came.
void wait_until(Nanos when, bool precise);

// From now on the first SIGINT or SIGTERM ends the run in an orderly way, at the next wait.
void end_on_signals();

// One core for the server, another for the program that makes its load; the same one where there is only one.
struct Cores {
  int server = 0;
  int generator = 0;

  [[nodiscard]] bool apart() const { return server != generator; }
};
[[nodiscard]] Cores choose_cores();

// The calling thread, and what it starts, run on this core alone.
void stay_on(int core);

// What a figure has to be read with.
struct Machine {
  std::string processor;
  long cores;
  std::string kernel;
  std::string system;
  std::string compiler;
  std::string build;  // CMake's name for it
  std::string libuv;
  std::string clocksource;
};
[[nodiscard]] Machine describe_machine();

}  // namespace heartbeat::bench
