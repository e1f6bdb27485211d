#include "daemon/io/anteroom.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <new>
#include <utility>

#include <sys/socket.h>

#include "common/limits.h"
#include "common/os/socket.h"
#include "common/uv/guard.h"

namespace heartbeat {

Anteroom::Anteroom(uv::Loop& loop, Host& host)
    : loop_(loop), host_(host), timer_(uv::Timer::create(loop, [this] { hand_over_late(); })) {}

void Anteroom::receive(Descriptor& socket, Introduction introduction, Preambles preambles) {
  Guests arriving;
  const bool costs = preambles.back()->cost() != Preamble::Cost::None;  // a handshake is the last preamble
  arriving.push_back({.socket = Descriptor{-1},
                      .introduction = std::move(introduction),
                      .preambles = std::move(preambles),
                      .costs = costs});
  const auto guest = arriving.begin();
  guest->introduction.arrival.accepted = host_.instant();
  auto readable = uv::Readable::create(loop_, socket.get(), [this, guest] { read(guest); });
  if (!readable) throw std::bad_alloc{};  // the kernel has no memory to watch it
  guest->readable = std::move(*readable);
  guest->socket = std::move(socket);

  guests_.splice(guests_.end(), arriving);
  if (costs) ++handshakes_;
  make_room();
  if (guests_.size() == 1) set_timer();
}

void Anteroom::make_room() {
  while (!guests_.empty() && guests_.size() > host_.places()) close(guests_.begin(), figures_.displaced);
  if (handshakes_ <= limits::kHandshakesMax) return;
  const auto longest =
      std::find_if(guests_.begin(), guests_.end(), [](const Guest& guest) { return guest.costs; });
  close(longest, figures_.displaced);
}

void Anteroom::clear() {
  guests_.clear();
  handshakes_ = 0;
}

void Anteroom::begin_turn() {
  steps_ = 0;
  begun_one_waited_ = std::exchange(begun_one_waits_, false);
}

bool Anteroom::may_step(Preamble::Cost cost) {
  if (cost == Preamble::Cost::None) return true;
  host_.work_waits();
  const bool is_begun = cost == Preamble::Cost::GoOn;
  if (steps_ < limits::kHandshakeStepsPerTurn && (is_begun || !begun_one_waited_)) {
    ++steps_;
    return true;
  }
  begun_one_waits_ = begun_one_waits_ || is_begun;
  return false;
}

bool Anteroom::read(Guests::iterator guest) {
  if (!guest->preambles.empty() && !may_step(guest->preambles.front()->cost())) return false;
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
  std::string answer;
  auto state = Preamble::State::Done;
  while (!guest->preambles.empty() && state == Preamble::State::Done) {
    state = guest->preambles.front()->read(bytes, guest->introduction, answer);
    if (state == Preamble::State::Done) guest->preambles.erase(guest->preambles.begin());
  }
  Introduction& introduction = guest->introduction;
  // The answer is small, and the kernel has room for it unless the peer takes nothing.
  if (!answer.empty() && std::cmp_not_equal(os::send_bytes(guest->socket.get(), answer), answer.size()) &&
      !introduction.fault) {
    introduction.fault = BadInput::TlsFailed;
    introduction.why = "TLS: the peer does not take its part of the handshake";
  }
  if (introduction.fault) {
    bytes = {};
    introduction.session.reset();
  } else if (state == Preamble::State::NeedMore || (bytes.empty() && introduction.session == nullptr)) {
    return false;
  }
  hand_over(guest, bytes);
  return true;
}

void Anteroom::hand_over(Guests::iterator guest, std::string_view first_bytes) {
  Guests leaving;
  leaving.splice(leaving.end(), guests_, guest);
  if (guest->costs) --handshakes_;
  guest->introduction.is_cut_short = !guest->preambles.empty();
  guest->readable.reset();  // the socket is watched as the client's from here on
  const bool had_memory =
      uv::guarded([&] { host_.arrived(guest->socket, guest->introduction, first_bytes); });
  if (!had_memory) ++figures_.no_memory;
}

void Anteroom::close(Guests::iterator guest, std::uint64_t& cause) {
  ++cause;
  if (guest->costs) --handshakes_;
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
