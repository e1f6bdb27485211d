// An answer in the making: bytes, produced a piece at a time and never ahead of their reader.
//
// Knows no socket.  How much is done at once is counted, not measured: in steps, so that what a turn of the
// loop can cost is the same on every machine but for its speed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "common/limits.h"

namespace heartbeat {

// What may still be done in this turn of the loop.
class Steps {
 public:
  explicit Steps(unsigned count) : left_(count) {}

  [[nodiscard]] bool left() const { return left_ > 0; }
  void spend(unsigned count) {
    left_ -= std::min(left_, count);
    spent_ += count;
  }
  [[nodiscard]] unsigned spent() const { return spent_; }

 private:
  unsigned left_;
  unsigned spent_ = 0;
};

// Whether there is room in the slice and in the turn for one object more.
[[nodiscard]] inline bool may_go_on(const std::string& slice, const Steps& steps) {
  return steps.left() && slice.size() < limits::kControlSliceBytes;
}

class Answer {
 public:
  enum class State : std::uint8_t {
    Unfinished,      // there is more to do at once
    WaitsForTurn,    // nothing more in this turn of the loop
    WaitsForEvents,  // nothing more until the feed has grown
    Done,
  };

  Answer() = default;
  virtual ~Answer() = default;
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
  Answer(Answer&&) = delete;
  Answer& operator=(Answer&&) = delete;

  // Appends the next bytes while may_go_on(), and at least makes some headway.
  virtual State go_on(std::string& slice, Steps& steps) = 0;

  // Whether it goes on until the connection is closed, so that no further request can follow.
  [[nodiscard]] virtual bool is_endless() const { return false; }

  // Whether it ends with a restart that is under way: the next process answers in its place.
  [[nodiscard]] virtual bool waits_for_restart() const { return false; }
};

}  // namespace heartbeat
