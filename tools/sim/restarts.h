// Orders a restart of the daemon again and again, by its control socket, while the clients are simulated.
//
// A promise of the daemon is that no client notices a restart: what the clients are promised, and how they
// are judged, stays the same.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "common/frame.h"
#include "common/mono_time.h"
#include "common/uv/handle.h"
#include "common/uv/loop.h"
#include "common/uv/stream.h"
#include "common/uv/watchers.h"

namespace heartbeat::sim {

class Restarts {
 public:
  // The first restart comes after `every`; the next follows that long after the one before is done.
  // `on_failed` is called once, with a sentence, when the daemon refuses or cannot be reached.  Then there
  // are no more.
  Restarts(uv::Loop& loop, std::string control_path, Millis every,
           std::function<void(const std::string& why)> on_failed);
  ~Restarts();
  Restarts(const Restarts&) = delete;
  Restarts& operator=(const Restarts&) = delete;
  Restarts(Restarts&&) = delete;
  Restarts& operator=(Restarts&&) = delete;

  [[nodiscard]] std::size_t count() const { return count_; }
  // The longest that a restart has taken, from the order to the next process's answer.
  [[nodiscard]] Millis longest() const { return longest_; }
  // And all of them together.
  [[nodiscard]] Millis total() const { return total_; }

 private:
  class Order;

  void order();
  void take(std::string_view bytes);
  void answered(std::string_view body);
  void fail(const std::string& why);

  uv::Loop& loop_;
  std::string control_path_;
  Millis every_;
  std::function<void(const std::string&)> on_failed_;
  uv::Owned<uv::Timer> timer_;
  uv::Owned<Order> order_;  // null: none is under way
  FrameDecoder decoder_;
  MonoTime ordered_at_{};
  std::size_t count_ = 0;
  Millis longest_{0};
  Millis total_{0};
};

}  // namespace heartbeat::sim
