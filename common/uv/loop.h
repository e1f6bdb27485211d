// The event loop of a program, with the one buffer that all of its reads share.
#pragma once

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include <uv.h>

#include "common/limits.h"
#include "common/mono_time.h"

namespace heartbeat::uv {

class Loop {
 public:
  Loop();
  ~Loop();  // the loop must have been drained
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  Loop(Loop&&) = delete;
  Loop& operator=(Loop&&) = delete;

  [[nodiscard]] uv_loop_t* get() { return &loop_; }

  // The machine's monotonic clock when the loop last woke: the same for all callbacks of one poll.
  [[nodiscard]] MonoTime now() const;

  // A clock for lengths of time within a turn, in nanoseconds since an origin of its own.
  [[nodiscard]] static std::chrono::nanoseconds fine_now();

  // How long the next poll would sleep at the most, from this moment on; 0 where it would not.
  // Moves now() on.
  [[nodiscard]] Millis next_sleep();

  // Runs until stop() is called, or until nothing is left that could happen.
  void run();
  void stop();
  // One turn that does not sleep: what has come is dealt with.  Not from within a callback.
  void turn_once();

  // Runs until every handle has closed, for at most `bound`.  Returns the type and address of each handle
  // that is still open then: a leak, and a defect of its owner.
  [[nodiscard]] std::vector<std::string> drain(Millis bound);

  // Whether work on a thread (work.h) has not ended.  When every handle has closed.
  [[nodiscard]] bool has_work() const { return uv_loop_alive(&loop_) != 0; }

  // The buffer for a read of up to `size` bytes; nothing for the stream that has just filled it.
  [[nodiscard]] uv_buf_t read_buffer(const uv_stream_t* stream, std::size_t size);
  void filled_by(const uv_stream_t* stream) { filled_by_ = stream; }
  [[nodiscard]] static Loop& of(const uv_handle_t* handle);

 private:
  uv_loop_t loop_;
  std::array<char, limits::kReadBufferSize> read_buffer_;
  const uv_stream_t* filled_by_ = nullptr;  // by the last read of all; only to be compared
};

}  // namespace heartbeat::uv
