// Prints what the slices of lists of 200 000 clients cost here: the figures of docs/control.md.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "tests/control/support/desk.h"

using namespace heartbeat;

namespace {

// Of this thread alone: what else the machine does is not our cost.
double cpu_millis() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

}  // namespace

int main() {
  test::Desk desk;
  for (unsigned at = 0; at < 200'000; ++at) desk.join("client-" + std::to_string(at * 7919 % 200'000));
  desk.now += std::chrono::seconds{35};

  std::printf("%-72s %7s %9s %9s %9s\n", "200 000 clients", "slices", "median", "p99", "worst");
  for (const char* const request :
       {R"({"command":"clients","limit":10000})", R"({"command":"clients","match":"*9*9*9*x"})",
        R"({"command":"clients","status":"leave"})", R"({"command":"clients","sort":"margin","limit":10000})",
        R"({"command":"clients","sort":"name","limit":10000})", R"({"command":"watch","snapshot":true})"}) {
    const auto answer = desk.ask(request);
    std::vector<double> millis;
    std::string slice;
    auto state = Answer::State::Unfinished;
    while (state == Answer::State::Unfinished) {
      slice.clear();
      Steps steps{limits::kControlStepsPerTurn};
      const double before = cpu_millis();
      // One session alone uses a whole turn: slice after slice, as if its reader took all at once.
      while (steps.left() && state == Answer::State::Unfinished) {
        slice.clear();
        state = answer->go_on(slice, steps);
        steps.spend(limits::kStepsPerWrite);
      }
      millis.push_back(cpu_millis() - before);
    }
    std::sort(millis.begin(), millis.end());
    const std::size_t count = millis.size();
    std::printf("%-72s %7zu %6.3f ms %6.3f ms %6.3f ms\n", request, count, millis[count / 2],
                millis[count * 99 / 100], millis.back());
  }
}
