#include <array>
#include <cstddef>
#include <cstdlib>

#include <uv.h>

#include "tools/bench/reference_server.h"

namespace heartbeat::bench {
namespace {

constexpr int kBacklog = 65535;  // the socket listens already; the kernel lowers this to what it allows

// A program of its own: callbacks reach nothing else.
// NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables)
std::array<char, std::size_t{64} * 1024> buffer;
ReferenceCounters* counters = nullptr;
// NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables)

void on_closed(uv_handle_t* client) {
  delete reinterpret_cast<uv_tcp_t*>(client);
  count(counters->closed, 1);
}

void on_alloc(uv_handle_t*, std::size_t, uv_buf_t* into) {
  *into = uv_buf_init(buffer.data(), buffer.size());
}

void on_read(uv_stream_t* client, ssize_t got, const uv_buf_t*) {
  if (got > 0) count(counters->bytes, static_cast<std::uint64_t>(got));
  if (got < 0) uv_close(reinterpret_cast<uv_handle_t*>(client), on_closed);
}

void on_connection(uv_stream_t* listener, int error) {
  if (error != 0) return;
  auto* const client = new uv_tcp_t;
  uv_tcp_init(listener->loop, client);
  auto* const stream = reinterpret_cast<uv_stream_t*>(client);
  if (uv_accept(listener, stream) != 0 || uv_read_start(stream, on_alloc, on_read) != 0) std::abort();
  count(counters->accepted, 1);
}

}  // namespace

void serve_with_libuv(int listener, ReferenceCounters& into) {
  counters = &into;
  uv_loop_t* const loop = uv_default_loop();
  uv_tcp_t server;
  uv_tcp_init(loop, &server);
  if (uv_tcp_open(&server, listener) != 0) std::abort();
  if (uv_listen(reinterpret_cast<uv_stream_t*>(&server), kBacklog, on_connection) != 0) std::abort();
  for (;;) uv_run(loop, UV_RUN_DEFAULT);
}

}  // namespace heartbeat::bench
