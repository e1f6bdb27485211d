// A piece of work on a thread of libuv's pool: for what may block, as writing to a disk does.
//
// The threads block every signal, so that a signal reaches the loop's thread or nothing.
#pragma once

#include <functional>

#include "common/uv/loop.h"

namespace heartbeat::uv {

class Work {
 public:
  using Call = std::function<void()>;

  explicit Work(Loop& loop) : loop_(loop) {}
  ~Work();  // what is running runs on, and its `on_done` is not called
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  Work(Work&&) = delete;
  Work& operator=(Work&&) = delete;

  // Calls `work` on a thread, where it may touch nothing of the loop, may not throw, and has to keep alive
  // what it uses; then `on_done` in the loop.  Not while it is_running().
  void start(Call work, Call on_done);

  [[nodiscard]] bool is_running() const { return job_ != nullptr; }

 private:
  struct Job;

  Loop& loop_;
  Job* job_ = nullptr;  // deletes itself when it is done
};

}  // namespace heartbeat::uv
