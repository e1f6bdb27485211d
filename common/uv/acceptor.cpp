#include "common/uv/acceptor.h"

#include <cerrno>
#include <string>
#include <utility>

#include <poll.h>

#include "common/limits.h"
#include "common/os/socket.h"
#include "common/uv/address.h"
#include "common/uv/guard.h"

namespace heartbeat::uv {
namespace {

// The error belongs to the one connection: it ended before it was accepted, or a filter forbade it.
bool is_of_the_connection(int error) {
  return error == EINTR || error == ECONNABORTED || error == EPROTO || error == EPERM;
}

std::string explain(int lacking) {
  std::string why =
      std::string{"no connection can be accepted: "} + uv_strerror(uv_translate_sys_error(lacking));
  if (lacking == EMFILE) why += " (LimitNOFILE= of the unit, ulimit -n)";
  if (lacking == ENFILE) why += " (fs.file-max of the machine)";
  if (lacking == ENOMEM || lacking == ENOBUFS) why += " (MemoryMax= of the unit, or the machine's own)";
  return why + "; connections wait, and are accepted in turn";
}

}  // namespace

Acceptor::Acceptor(Loop& loop, Descriptor socket, Door& door)
    : loop_(loop), door_(door), socket_(std::move(socket)), retry_(Timer::create(loop, [this] {
        is_short_ = false;
        watch();
        accept_waiting();
      })) {}

tl::expected<std::unique_ptr<Acceptor>, int> Acceptor::create(Loop& loop, Descriptor socket, Door& door) {
  std::unique_ptr<Acceptor> acceptor{new Acceptor{loop, std::move(socket), door}};
  auto readable =
      Readable::create(loop, acceptor->descriptor(), [self = acceptor.get()] { self->accept_waiting(); });
  if (!readable) return tl::unexpected(readable.error());
  acceptor->readable_ = std::move(*readable);
  return acceptor;
}

void Acceptor::pause() {
  paused_ = true;
  watch();
}

void Acceptor::go_on() {
  paused_ = false;
  watch();
}

void Acceptor::watch() {
  paused_ || is_short_ ? readable_->pause() : readable_->go_on();
}

// Called when at least one connection waits in the kernel, or one in hand.  The accept queue is asked before
// each further accept.  Linux reserves a descriptor before it looks for a connection: an accept with nothing
// to accept costs nearly as much as one that succeeds, and where descriptors lack it would report a shortage
// that keeps no connection waiting.
void Acceptor::accept_waiting() {
  do {
    if (!in_hand_) {
      if (!door_.may_accept(*this)) return;
      const int error = accept();
      if (error == EAGAIN) return;
      if (error != 0) return wait_for(error);
    }
    const bool had_memory = guarded([this] { door_.take(*this, *in_hand_); });
    if (!had_memory && in_hand_->socket.get() >= 0) return wait_for(ENOMEM);
    in_hand_.reset();
  } while (has_waiting());
}

int Acceptor::accept() {
  for (;;) {
    sockaddr_storage peer{};
    auto socket = os::accept_connection(descriptor(), peer);
    if (socket) {
      in_hand_ = Accepted{std::move(*socket), endpoint_of(reinterpret_cast<const sockaddr*>(&peer))};
      return 0;
    }
    if (!is_of_the_connection(socket.error())) return socket.error();
  }
}

bool Acceptor::has_waiting() const {
  pollfd queue{.fd = descriptor(), .events = POLLIN, .revents = 0};
  return poll(&queue, 1, 0) == 1;
}

void Acceptor::wait_for(int lacking) {
  ++shortages_;
  is_short_ = true;
  watch();
  retry_->arm(limits::kAcceptPause);
  const MonoTime now = loop_.now();
  const bool is_known = reported_ && now - *reported_ < limits::kAcceptQuiet;
  // A report that there is no memory for is made after the next try.
  if (is_known || guarded([&] { door_.on_shortage(*this, explain(lacking)); })) reported_ = now;
}

}  // namespace heartbeat::uv
