#include "daemon/io/anteroom.h"

#include <array>
#include <cerrno>
#include <iterator>
#include <new>
#include <utility>

#include <sys/socket.h>

#include "common/limits.h"
#include "common/uv/guard.h"

namespace heartbeat {

Anteroom::Anteroom(uv::Loop& loop, Host& host)
    : loop_(loop), host_(host), timer_(uv::Timer::create(loop, [this] { hand_over_late(); })) {}

void Anteroom::receive(Descriptor& socket, Introduction introduction, std::unique_ptr<Preamble> preamble) {
  Guests arriving;
  arriving.push_back(
      {.socket = Descriptor{-1}, .introduction = std::move(introduction), .preamble = std::move(preamble)});
  const auto guest = arriving.begin();
  guest->introduction.arrival.accepted = host_.instant();
  auto readable = uv::Readable::create(loop_, socket.get(), [this, guest] { read(guest); });
  if (!readable) throw std::bad_alloc{};  // the kernel has no memory to watch it
  guest->readable = std::move(*readable);
  guest->socket = std::move(socket);

  guests_.splice(guests_.end(), arriving);
  make_room();
  if (guests_.size() == 1) set_timer();
}

void Anteroom::make_room() {
  while (!guests_.empty() && guests_.size() > host_.places()) close(guests_.begin(), figures_.displaced);
}

bool Anteroom::read(Guests::iterator guest) {
  std::array<char, limits::kFrameMax> bytes;
  const ssize_t count = ::recv(guest->socket.get(), bytes.data(), bytes.size(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (count <= 0) {
    hand_over(guest, {});
    return true;
  }
  bool gone = false;
  const std::string_view received{bytes.data(), static_cast<std::size_t>(count)};
  if (uv::guarded([&] { gone = take(guest, received); })) return gone;
  close(guest, figures_.no_memory);
  return true;
}

bool Anteroom::take(Guests::iterator guest, std::string_view bytes) {
  if (guest->preamble != nullptr) {
    switch (guest->preamble->read(bytes, guest->introduction)) {
      case Preamble::State::NeedMore: return false;
      case Preamble::State::Done: guest->preamble.reset(); break;
      case Preamble::State::Bad: bytes = {}; break;
    }
  }
  if (bytes.empty() && !guest->introduction.fault) return false;
  hand_over(guest, bytes);
  return true;
}

void Anteroom::hand_over(Guests::iterator guest, std::string_view first_bytes) {
  Guests leaving;
  leaving.splice(leaving.end(), guests_, guest);
  leaving.front().readable.reset();  // the socket is watched as the client's from here on
  const bool had_memory =
      uv::guarded([&] { host_.arrived(leaving.front().socket, leaving.front().introduction, first_bytes); });
  if (!had_memory) ++figures_.no_memory;
}

void Anteroom::close(Guests::iterator guest, std::uint64_t& cause) {
  ++cause;
  guests_.erase(guest);
}

void Anteroom::set_timer() {
  const Millis timeout = host_.hello_timeout();
  if (guests_.empty() || timeout == Millis{0}) return timer_->disarm();
  const MonoTime due = *guests_.front().introduction.arrival.accepted + timeout;
  timer_->arm(due - host_.instant());
}

// All wait for the same length of time, so that the front is the first whose time is up.  A timer runs before
// the poll, and after a stall what makes the difference may wait unread: so it is read first.
void Anteroom::hand_over_late() {
  const MonoTime now = host_.instant();
  const auto is_late = [&](const Guest& guest) {
    return *guest.introduction.arrival.accepted + host_.hello_timeout() <= now;
  };
  while (!guests_.empty() && is_late(guests_.front())) {
    const auto guest = guests_.begin();
    if (!read(guest)) hand_over(guest, {});
  }
  set_timer();
}

}  // namespace heartbeat
