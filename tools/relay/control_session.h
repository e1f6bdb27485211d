// A connection to the daemon's control socket, on the loop: requests in order, and their answers object by
// object.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "common/frame.h"
#include "common/mono_time.h"
#include "common/uv/handle.h"
#include "common/uv/loop.h"
#include "common/uv/watchers.h"
#include "tools/ctl/json_reply.h"

namespace heartbeat::relay {

class ControlSession {
 public:
  // The daemon answers in a turn or two; one that does not for so long hangs or is stopped.
  static constexpr Millis kAnswerMax{3'000};

  // Gets each object of the answer, the last one too.
  using OnObject = std::function<void(const ctl::Object&)>;

  // `on_end` is called with a sentence when the connection has ended, and not from within a call of the
  // owner.
  ControlSession(uv::Loop& loop, std::string path, std::function<void(const std::string&)> on_end);
  ~ControlSession();
  ControlSession(const ControlSession&) = delete;
  ControlSession& operator=(const ControlSession&) = delete;
  ControlSession(ControlSession&&) = delete;
  ControlSession& operator=(ControlSession&&) = delete;

  // Connects where there is no connection.  Every request before the end is answered, or ends with it.
  void ask(std::string_view request, OnObject on_object);
  void close();
  [[nodiscard]] bool is_open() const { return stream_ != nullptr; }
  [[nodiscard]] std::size_t unanswered() const { return pending_.size(); }

 private:
  class ControlStream;

  void open();
  void take(std::string_view bytes);
  void end(const std::string& why);

  uv::Loop& loop_;
  std::string path_;
  std::function<void(const std::string&)> on_end_;
  uv::Owned<ControlStream> stream_;
  uv::Owned<uv::Timer> limit_;
  uv::Owned<uv::Timer> soon_;
  FrameDecoder decoder_;
  std::deque<OnObject> pending_;
  std::string why_;  // of an end that is not reported yet
};

}  // namespace heartbeat::relay
