#include "tools/ctl/connection.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/os/socket.h"

namespace heartbeat::ctl {
namespace {

using Kind = ConnectionError::Kind;
using std::chrono::steady_clock;

// How long a daemon whose queue of connections is full is left alone before it is asked again.
constexpr Millis kBusyPause{20};

ConnectionError error_of(int number) {
  const std::string text = std::strerror(number);
  switch (number) {
    case EACCES:
    case EPERM: return {Kind::Denied, text};
    case EPIPE:
    case ECONNRESET: return {Kind::Gone, "it closed the connection"};
    default: return {Kind::NotThere, text};
  }
}

// What is left until the deadline, as poll() takes it: rounded up, so that it is over when poll() returns.
int poll_timeout(Deadline deadline) {
  if (deadline == Deadline::max()) return -1;
  const auto left = std::chrono::ceil<Millis>(deadline - steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
}

tl::expected<void, ConnectionError> wait_for(int descriptor, short events, Deadline deadline) {
  for (;;) {
    pollfd waiting{descriptor, events, 0};
    const int ready = poll(&waiting, 1, poll_timeout(deadline));
    if (ready > 0) return {};
    if (ready == 0) return tl::unexpected(ConnectionError{Kind::TooSlow, "it does not answer"});
    if (errno != EINTR) return tl::unexpected(error_of(errno));
  }
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

}  // namespace

const std::size_t Connection::kPathMax = sizeof(sockaddr_un::sun_path) - 1;

Deadline in(Millis wait) {
  return steady_clock::now() + wait;
}

tl::expected<Connection, ConnectionError> Connection::open(const std::string& path, Deadline deadline) {
  if (path.size() > kPathMax) return tl::unexpected(error_of(ENAMETOOLONG));
  auto socket = os::stream_socket(AF_UNIX);
  if (!socket) return tl::unexpected(error_of(socket.error()));
  Connection connection{socket->release()};

  const sockaddr_un address = address_of(path);
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  while (connect(connection.descriptor_, generic, sizeof address) != 0) {
    // EAGAIN: the accept queue is full, so that this connection has to be tried again.
    if (errno != EAGAIN && errno != EINTR) return tl::unexpected(error_of(errno));
    if (steady_clock::now() >= deadline) {
      return tl::unexpected(ConnectionError{Kind::TooSlow, "it accepts no connection"});
    }
    poll(nullptr, 0, static_cast<int>(kBusyPause.count()));
  }
  return connection;
}

Connection::Connection(int descriptor)
    : descriptor_(descriptor), buffer_(std::make_unique<std::array<char, limits::kReadBufferSize>>()) {}

Connection::~Connection() {
  if (descriptor_ != -1) close(descriptor_);
}

Connection::Connection(Connection&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      decoder_(std::move(other.decoder_)),
      buffer_(std::move(other.buffer_)),
      unread_(std::exchange(other.unread_, {})) {}

Connection& Connection::operator=(Connection&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(decoder_, other.decoder_);
  std::swap(buffer_, other.buffer_);
  std::swap(unread_, other.unread_);
  return *this;
}

tl::expected<void, ConnectionError> Connection::send(std::string_view body, Deadline deadline) const {
  std::string frame;
  append_frame(frame, body);
  for (std::string_view rest = frame; !rest.empty();) {
    const ssize_t sent = os::send_bytes(descriptor_, rest);
    if (sent >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (auto ready = wait_for(descriptor_, POLLOUT, deadline); !ready) return ready;
    } else if (errno != EINTR) {
      return tl::unexpected(error_of(errno));
    }
  }
  return {};
}

tl::expected<std::string_view, ConnectionError> Connection::receive(Deadline deadline) {
  for (;;) {
    const FrameDecoder::Result next = decoder_.next(unread_, limits::kControlFrameMax);
    if (next.state == FrameDecoder::State::Frame) return next.body;
    if (next.state == FrameDecoder::State::Bad) {
      return tl::unexpected(
          ConnectionError{Kind::Garbage, "a frame's length of " + std::to_string(next.length)});
    }
    const ssize_t got = recv(descriptor_, buffer_->data(), buffer_->size(), 0);
    if (got > 0) {
      unread_ = {buffer_->data(), static_cast<std::size_t>(got)};
    } else if (got == 0) {
      return tl::unexpected(ConnectionError{Kind::Gone, "it closed the connection"});
    } else if (errno == EAGAIN) {
      if (const auto ready = wait_for(descriptor_, POLLIN, deadline); !ready) {
        return tl::unexpected(ready.error());
      }
    } else if (errno != EINTR) {
      return tl::unexpected(error_of(errno));
    }
  }
}

}  // namespace heartbeat::ctl
