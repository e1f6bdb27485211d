// One connection to the control socket: requests in, answers out, one after another.
//
// Nothing is made ahead of the peer's reading: while bytes of one slice wait in the write queue, no further
// slice is made.  Nothing is read ahead of the answers either: after each read the session stops reading
// until every whole request in it has been answered.
//
// Invariant: a session holds at most one slice, one unfinished frame and limits::kControlReadBytes.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "common/frame.h"
#include "common/limits.h"
#include "common/uv/handle.h"
#include "common/uv/stream.h"
#include "daemon/control/commands.h"
#include "daemon/report/answer.h"

namespace heartbeat {

class ControlServer;

class ControlSession final : public uv::PipeStream {
 public:
  using Place = std::list<uv::Owned<ControlSession>>::iterator;

  enum class State : std::uint8_t {
    Ready,           // there is something to do
    WaitsForPeer,    // to send a request, or to read its answer
    WaitsForTurn,    // the next one of the loop
    WaitsForEvents,  // of the feed, for the answer to `watch`
    Ended,           // the server lets go of it
  };

  ControlSession(uv::Loop& loop, ControlServer& server) : PipeStream(loop), server_(server) {}

  // Records what the peer may do and starts reading.  A peer that may do nothing is turned away: the caller
  // then lets go of the session.
  [[nodiscard]] bool begin(const ControlAccess& access);
  // Sends this error.  The caller then lets go of the session.
  void turn_away(std::string_view code, std::string_view message);

  // Whether its answer is the end of a restart that is under way.
  [[nodiscard]] bool waits_for_restart() const { return answer_ != nullptr && answer_->waits_for_restart(); }
  // Sends the last word before a restart.
  void say_restarting();

  // Drops the answer in the making.  The session itself lives until the loop's closing phase, when the
  // objects that the answer refers to may be gone.
  void abandon() { answer_.reset(); }

  // Does the next piece of work.  `slice` is a buffer that is lent for the call.
  [[nodiscard]] State work(std::string& slice, Steps& steps);

  // The server's: the session's place in the list of its state.
  Place place;
  State state = State::WaitsForPeer;

 private:
  [[nodiscard]] std::size_t read_per_turn() const override { return limits::kControlReadBytes; }
  void on_bytes(std::string_view bytes) override;
  void on_end(int error) override;
  void on_written(int error) override;

  // Takes the next request from `unread_`.  Returns whether there was one.
  bool next_request();
  void read_on();

  ControlServer& server_;
  Operator who_;
  FrameDecoder decoder_;
  std::string unread_;     // the bytes of the last read
  std::size_t taken_ = 0;  // of them, from the front
  std::unique_ptr<Answer> answer_;
  bool last_ = false;  // the session ends after this answer
};

}  // namespace heartbeat
