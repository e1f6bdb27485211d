#include "daemon/io/anteroom.h"

#include <array>
#include <cerrno>
#include <iterator>
#include <new>
#include <utility>

#include <sys/socket.h>

#include "common/uv/guard.h"

namespace heartbeat {

Anteroom::Anteroom(uv::Loop& loop, OnDone on_done)
    : loop_(loop), on_done_(std::move(on_done)), timer_(uv::Timer::create(loop, [this] { close_late(); })) {}

void Anteroom::receive(Descriptor& socket, const Endpoint& peer, const Endpoint& listener,
                       std::unique_ptr<Preamble> preamble) {
  Guests arriving;
  arriving.push_back({.socket = Descriptor{-1},
                      .peer = peer,
                      .listener = listener,
                      .preamble = std::move(preamble),
                      .until = loop_.now() + kTimeMax});
  const auto guest = arriving.begin();
  guest->received.reserve(kPreambleMax);
  auto readable = uv::Readable::create(loop_, socket.get(), [this, guest] { read(guest); });
  if (!readable) throw std::bad_alloc{};  // the kernel has no memory to watch it
  guest->readable = std::move(*readable);
  guest->socket = std::move(socket);

  if (guests_.size() == kGuestsMax) close(guests_.begin(), figures_.displaced);
  guests_.splice(guests_.end(), arriving);
  if (guests_.size() == 1) timer_->arm(kTimeMax);
}

void Anteroom::read(Guests::iterator guest) {
  std::array<char, kPreambleMax> bytes;
  const std::size_t room = kPreambleMax - guest->received.size();
  const ssize_t count = ::recv(guest->socket.get(), bytes.data(), room, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) return close(guest, figures_.ended);

  guest->received.append(bytes.data(), static_cast<std::size_t>(count));  // has room: see receive()
  const Preamble::Result result = guest->preamble->read(guest->received, guest->peer);
  if (result.state == Preamble::State::Done) return finish(guest, result.length);
  const bool is_full = guest->received.size() == kPreambleMax;
  if (result.state == Preamble::State::Bad || is_full) close(guest, figures_.bad);
}

void Anteroom::finish(Guests::iterator guest, std::size_t preamble_length) {
  guest->readable.reset();  // the socket is watched as the client's from here on
  const std::string_view first_bytes = std::string_view{guest->received}.substr(preamble_length);
  const bool had_memory =
      uv::guarded([&] { on_done_(guest->socket, guest->peer, guest->listener, first_bytes); });
  if (!had_memory) ++figures_.no_memory;
  guests_.erase(guest);
}

void Anteroom::close(Guests::iterator guest, std::uint64_t& cause) {
  ++cause;
  guests_.erase(guest);
}

// All wait for the same length of time, so that the front is the first whose time is up.
void Anteroom::close_late() {
  const MonoTime now = loop_.now();
  while (!guests_.empty() && guests_.front().until <= now) close(guests_.begin(), figures_.timed_out);
  if (!guests_.empty()) timer_->arm(guests_.front().until - now);
}

}  // namespace heartbeat
