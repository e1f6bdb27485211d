#include "daemon/io/listener.h"

#include <cassert>
#include <cerrno>
#include <limits>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "common/uv/address.h"
#include "common/uv/listening_socket.h"

namespace heartbeat {
namespace {

// Of that connection alone: it was gone before it could be accepted, or a filter forbade it.
bool is_of_the_connection(int error) {
  return error == EINTR || error == ECONNABORTED || error == EPROTO || error == EPERM;
}

}  // namespace

Listener::Listener(uv::Loop& loop, Descriptor socket, Callback on_waiting)
    : socket_(std::move(socket)),
      local_(uv::local_endpoint(socket_.get())),
      readable_(
          uv::Readable::create(loop, socket_.get(), [this, told = std::move(on_waiting)] { told(*this); })) {}

tl::expected<std::unique_ptr<Listener>, std::string> Listener::create(uv::Loop& loop, const Endpoint& at,
                                                                      int backlog, bool shares_port,
                                                                      Callback on_waiting) {
  auto socket = uv::listening_socket(at, backlog, shares_port);
  if (!socket) {
    return tl::unexpected("cannot listen on " + to_string(at) + ": " +
                          uv_strerror(uv_translate_sys_error(socket.error())));
  }
  std::unique_ptr<Listener> listener{new Listener{loop, std::move(*socket), std::move(on_waiting)}};
  listener->asked_ = at;
  if (shares_port) listener->share_port(false);
  return listener;
}

tl::expected<std::unique_ptr<Listener>, std::string> Listener::adopt(uv::Loop& loop, int descriptor,
                                                                     int backlog, Callback on_waiting) {
  Descriptor socket{descriptor};
  if (::listen(descriptor, backlog) != 0) {
    return tl::unexpected("cannot listen on the socket that was handed over as descriptor " +
                          std::to_string(descriptor) + ": " + uv_strerror(uv_translate_sys_error(errno)));
  }
  std::unique_ptr<Listener> listener{new Listener{loop, std::move(socket), std::move(on_waiting)}};
  listener->asked_ = listener->local_;
  return listener;
}

// NOLINTNEXTLINE(readability-make-member-function-const): the socket is ours, and changes
void Listener::set_backlog(int backlog) {
  ::listen(descriptor(), backlog);  // of a socket that listens already: the length of its queue
}

// NOLINTNEXTLINE(readability-make-member-function-const): the same
void Listener::share_port(bool on) {
  const int value = on ? 1 : 0;
  setsockopt(descriptor(), SOL_SOCKET, SO_REUSEPORT, &value, sizeof value);
}

std::size_t Listener::waiting() const {
#ifdef __linux__
  tcp_info info{};
  socklen_t size = sizeof info;
  const bool tells = getsockopt(descriptor(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0;
  if (tells && info.tcpi_unacked > 0) return info.tcpi_unacked;  // of a socket that listens: its queue
#endif
  return std::numeric_limits<std::size_t>::max();
}

int Listener::accept() {
  if (in_hand_) return 0;
  for (;;) {
    sockaddr_storage peer;
    socklen_t size = sizeof peer;
    auto* const address = reinterpret_cast<sockaddr*>(&peer);
    Descriptor socket{::accept4(descriptor(), address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (socket.get() >= 0) {
      in_hand_ = Accepted{std::move(socket), uv::endpoint_of(address)};
      return 0;
    }
    if (!is_of_the_connection(errno)) return uv_translate_sys_error(errno);
  }
}

Listener::Accepted Listener::take() {
  assert(in_hand_);
  Accepted accepted = std::move(*in_hand_);
  in_hand_.reset();
  return accepted;
}

void Listener::watch(bool on) {
  on ? readable_->go_on() : readable_->pause();
}

}  // namespace heartbeat
