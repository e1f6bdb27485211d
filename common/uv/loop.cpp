#include "common/uv/loop.h"

#include <cassert>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <utility>

#include "common/uv/guard.h"

namespace heartbeat::uv {

Loop::Loop() {
  // Fails only where epoll or its descriptors cannot be had at all: there is nothing to do without.
  if (uv_loop_init(&loop_) != 0) std::abort();
  loop_.data = this;
  // libuv opens a spare descriptor together with its first stream.  It is opened here, so that the
  // descriptors of a program can be counted before its first connection.
  uv_pipe_t first;
  uv_pipe_init(&loop_, &first, 0);
  uv_close(reinterpret_cast<uv_handle_t*>(&first), nullptr);
  uv_run(&loop_, UV_RUN_NOWAIT);
}

Loop::~Loop() {
  [[maybe_unused]] const int closed = uv_loop_close(&loop_);
  assert(closed == 0 && "a handle outlived its loop");
}

MonoTime Loop::now() const {
  return MonoTime{Millis{static_cast<std::int64_t>(uv_now(&loop_))}};
}

std::chrono::nanoseconds Loop::fine_now() {
  return std::chrono::nanoseconds{static_cast<std::int64_t>(uv_hrtime())};
}

Millis Loop::next_sleep() {
  uv_update_time(&loop_);
  const int timeout = uv_backend_timeout(&loop_);
  return Millis{timeout < 0 ? std::numeric_limits<int>::max() : timeout};
}

void Loop::run() {
  uv_run(&loop_, UV_RUN_DEFAULT);
}

void Loop::turn_once() {
  uv_run(&loop_, UV_RUN_NOWAIT);
}

void Loop::stop() {
  uv_stop(&loop_);
}

std::vector<std::string> Loop::drain(Millis bound) {
  uv_timer_t timer;
  uv_timer_init(&loop_, &timer);
  uv_timer_start(
      &timer, [](uv_timer_t* fired) noexcept { uv_stop(fired->loop); },
      static_cast<std::uint64_t>(bound.count()), 0);
  uv_unref(reinterpret_cast<uv_handle_t*>(&timer));
  uv_run(&loop_, UV_RUN_DEFAULT);

  uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
  uv_run(&loop_, UV_RUN_NOWAIT);

  std::vector<std::string> open;
  const auto note = [](uv_handle_t* handle, void* list) {
    guarded([&] {
      std::array<char, 32> address{};
      std::snprintf(address.data(), address.size(), " at %p", static_cast<void*>(handle));
      static_cast<std::vector<std::string>*>(list)->push_back(uv_handle_type_name(handle->type) +
                                                              std::string{address.data()});
    });
  };
  uv_walk(&loop_, note, &open);
  return open;
}

uv_buf_t Loop::read_buffer(const uv_stream_t* stream, std::size_t size) {
  // The address may be that of a new stream by now; that one is then read a turn later.
  if (std::exchange(filled_by_, nullptr) == stream) size = 0;
  return uv_buf_init(read_buffer_.data(), static_cast<unsigned>(size));
}

Loop& Loop::of(const uv_handle_t* handle) {
  return *static_cast<Loop*>(handle->loop->data);
}

}  // namespace heartbeat::uv
