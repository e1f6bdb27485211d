// A connection to the daemon's control socket: frames out, frames in, each with an instant by which it has to
// be there.  Knows nothing of what is in them.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "common/frame.h"
#include "common/limits.h"
#include "common/mono_time.h"

namespace heartbeat::ctl {

using Deadline = std::chrono::steady_clock::time_point;

// The instant that is `wait` from now.
[[nodiscard]] Deadline in(Millis wait);

struct ConnectionError {
  enum class Kind : std::uint8_t {
    NotThere,  // no process listens at that path
    Denied,    // the socket may not be used by this user
    Gone,      // the other side ended the connection
    TooSlow,   // the deadline passed
    Garbage,   // what came is no frame
  };
  Kind kind;
  std::string text;  // what happened, without a full stop
};

class Connection {
 public:
  // A path longer than this does not fit into a socket address.
  static const std::size_t kPathMax;

  [[nodiscard]] static tl::expected<Connection, ConnectionError> open(const std::string& path,
                                                                      Deadline deadline);

  ~Connection();
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&& other) noexcept;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Sends one frame, of a body that is not empty and at most limits::kControlFrameMax.
  [[nodiscard]] tl::expected<void, ConnectionError> send(std::string_view body, Deadline deadline) const;

  // The body of the next frame, valid until the next call.  After TooSlow it may be called again: nothing
  // that came so far is lost.
  [[nodiscard]] tl::expected<std::string_view, ConnectionError> receive(Deadline deadline);

  // For a poll beside others: readable when receive() may have more.
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  explicit Connection(int descriptor);

  int descriptor_;  // -1: moved from
  FrameDecoder decoder_;
  std::unique_ptr<std::array<char, limits::kReadBufferSize>> buffer_;
  std::string_view unread_;  // of the buffer
};

}  // namespace heartbeat::ctl
