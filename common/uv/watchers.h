// The small handles of which a program has a few: a timer, a signal, a borrowed descriptor, a callback after
// each poll, and one that keeps the next poll from sleeping.
//
// Each is made by create() and lives as long as its owner keeps it (see handle.h).  A callback that runs out
// of memory ends there (guard.h): what it has done stands, the rest is left out, and the loop goes on.
#pragma once

#include <functional>

#include <tl/expected.hpp>
#include <uv.h>

#include "common/mono_time.h"
#include "common/uv/handle.h"
#include "common/uv/loop.h"

namespace heartbeat::uv {

// Calls back once, some time from now.  Never armed below 1 ms: libuv 1.44 runs a timer that
// is re-armed at 0 from its own callback again at once, and never polls a socket in between.  The callback
// runs before the poll: what must follow after a poll is asked for by a WakeUp.
class Timer {
 public:
  using Callback = std::function<void()>;
  [[nodiscard]] static Owned<Timer> create(Loop& loop, Callback on_due);

  void arm(Millis in);
  void disarm();
  [[nodiscard]] uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&timer_); }

 private:
  Timer() = default;

  uv_timer_t timer_;
  Callback on_due_;
};

// Calls back after each poll of the loop, when the sockets that were ready have been read.
class AfterPoll {
 public:
  using Callback = std::function<void()>;
  [[nodiscard]] static Owned<AfterPoll> create(Loop& loop, Callback on_polled);

  [[nodiscard]] uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&check_); }

 private:
  AfterPoll() = default;

  uv_check_t check_;
  Callback on_polled_;
};

// Keeps the next poll from sleeping: it takes what is ready and returns.
class NoSleep {
 public:
  [[nodiscard]] static Owned<NoSleep> create(Loop& loop);

  // The next poll does not sleep; the one after it may.
  void next_poll();
  // Lets go before the next poll if the poll that was asked for has been made.  Without this call that
  // happens just before the next poll, and Loop::next_sleep() does not know it yet.
  void off();
  [[nodiscard]] uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&idle_); }

 private:
  NoSleep() = default;

  uv_idle_t idle_;
  bool polled_ = false;  // since next_poll(), or about to be
};

// Calls back in each poll in which a descriptor has something to read, and once where the descriptor has
// failed (a connection that was reset).  The descriptor stays its owner's, and open for as long as this
// lives.
class Readable {
 public:
  using Callback = std::function<void()>;
  // The error is libuv's: the descriptor cannot be polled, or the kernel has no room to watch it.
  [[nodiscard]] static tl::expected<Owned<Readable>, int> create(Loop& loop, int descriptor,
                                                                 Callback on_readable);

  void pause();
  void go_on();
  [[nodiscard]] bool is_on() const { return uv_is_active(reinterpret_cast<const uv_handle_t*>(&poll_)) != 0; }
  [[nodiscard]] uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&poll_); }

 private:
  Readable() = default;

  uv_poll_t poll_;
  Callback on_readable_;
};

// Calls back each time this process gets the signal.
class Signal {
 public:
  using Callback = std::function<void()>;
  [[nodiscard]] static Owned<Signal> create(Loop& loop, int number, Callback on_signal);

  [[nodiscard]] uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&signal_); }

 private:
  Signal() = default;

  uv_signal_t signal_;
  Callback on_signal_;
};

}  // namespace heartbeat::uv
