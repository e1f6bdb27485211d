#include "common/uv/watchers.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "common/uv/guard.h"

namespace heartbeat::uv {
namespace {

std::uint64_t at_least_1ms(Millis wait) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(1, wait.count()));
}

}  // namespace

Owned<Timer> Timer::create(Loop& loop, Callback on_due) {
  Owned<Timer> timer{new Timer};
  uv_timer_init(loop.get(), &timer->timer_);
  timer->timer_.data = timer.get();
  timer->on_due_ = std::move(on_due);
  return timer;
}

void Timer::arm(Millis in) {
  const auto fire = [](uv_timer_t* due) { guarded(static_cast<Timer*>(due->data)->on_due_); };
  uv_timer_start(&timer_, fire, at_least_1ms(in), 0);
}

void Timer::disarm() {
  uv_timer_stop(&timer_);
}

Owned<AfterPoll> AfterPoll::create(Loop& loop, Callback on_polled) {
  Owned<AfterPoll> after{new AfterPoll};
  uv_check_init(loop.get(), &after->check_);
  after->check_.data = after.get();
  after->on_polled_ = std::move(on_polled);
  uv_check_start(&after->check_,
                 [](uv_check_t* check) { guarded(static_cast<AfterPoll*>(check->data)->on_polled_); });
  return after;
}

Owned<NoSleep> NoSleep::create(Loop& loop) {
  Owned<NoSleep> no_sleep{new NoSleep};
  uv_idle_init(loop.get(), &no_sleep->idle_);
  no_sleep->idle_.data = no_sleep.get();
  return no_sleep;
}

// libuv calls an idle handle before each poll, and does not sleep in one before which a handle was active.
void NoSleep::next_poll() {
  polled_ = false;
  uv_idle_start(&idle_, [](uv_idle_t* idle) noexcept {
    auto* const self = static_cast<NoSleep*>(idle->data);
    self->off();
    self->polled_ = true;
  });
}

void NoSleep::off() {
  if (polled_) uv_idle_stop(&idle_);
}

tl::expected<Owned<Readable>, int> Readable::create(Loop& loop, int descriptor, Callback on_readable) {
  std::unique_ptr<Readable> made{new Readable};  // until libuv knows the handle, there is nothing to close
  if (const int error = uv_poll_init(loop.get(), &made->poll_, descriptor); error != 0) {
    return tl::unexpected(error);
  }
  Owned<Readable> readable{made.release()};
  readable->poll_.data = readable.get();
  readable->on_readable_ = std::move(on_readable);
  readable->go_on();
  return readable;
}

void Readable::pause() {
  uv_poll_stop(&poll_);
}

void Readable::go_on() {
  uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* poll, int status, int) {
    auto* const readable = static_cast<Readable*>(poll->data);
    // libuv reports a connection that was reset as an error, and watches it no more.  But what came before
    // the reset is read first, and the reset by a later read.
    if (status < 0) readable->go_on();
    guarded(readable->on_readable_);
  });
}

Owned<Signal> Signal::create(Loop& loop, int number, Callback on_signal) {
  Owned<Signal> signal{new Signal};
  uv_signal_init(loop.get(), &signal->signal_);
  signal->signal_.data = signal.get();
  signal->on_signal_ = std::move(on_signal);
  uv_signal_start(
      &signal->signal_, [](uv_signal_t* got, int) { guarded(static_cast<Signal*>(got->data)->on_signal_); },
      number);
  return signal;
}

}  // namespace heartbeat::uv
