// What the tests of the simulator's model share: a pace, and a player that does each step at its instant.
#pragma once

#include <vector>

#include "tools/sim/script.h"

namespace heartbeat::sim {

inline const MonoTime kStart{Millis{1'000'000}};

// The defaults of the daemon, and clients that beat at its tick: leave after 160 s of silence.
inline Pace default_pace() {
  return {.interval = Millis{10'000},
          .rule = {.tick = Millis{10'000},
                   .threshold = 5,
                   .cursor = 3,
                   .recover = 5,
                   .leave_timeout = Millis{1'800'000},
                   .frame_max = 4096}};
}

// The steps from kStart until `end`, each done on time.
inline std::vector<Step> play(Behaviour behaviour, const Pace& pace, Millis until,
                              std::size_t frame_size = 50, std::uint64_t seed = 1) {
  Script script{behaviour, seed};
  std::vector<Step> steps;
  for (Step step = script.begin(kStart); step.at <= kStart + until;
       step = script.next(pace, frame_size, step.at)) {
    steps.push_back(step);
  }
  return steps;
}

}  // namespace heartbeat::sim
