// One connection to the control socket: requests in, answers out, one after another.
//
// Nothing is made ahead of the reader: while bytes of one slice wait to be taken, there is no next.  So a
// session that never reads holds one slice and what it asked, and nothing else.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "common/frame.h"
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
    WaitsForPeer,    // to ask, or to read
    WaitsForEvents,  // to be told to its peer
    Ended,           // to be let go of
  };

  ControlSession(uv::Loop& loop, ControlServer& server) : PipeStream(loop), server_(server) {}

  // Notes who is there, and begins to listen to him.
  void begin();
  // Ends the session with this error as the only answer.
  void turn_away(std::string_view code, std::string_view message);

  // Forgets what it was answering.  The object itself lives on until the loop's closing phase, when what the
  // answer refers to may be gone.
  void abandon() { answer_.reset(); }

  // Does the next piece of work, into a buffer that is lent for it.
  [[nodiscard]] State work(std::string& slice, Steps& steps);

  // Where the server keeps it, and as what.
  Place place;
  State state = State::WaitsForPeer;

 private:
  void on_bytes(std::string_view bytes) override;
  void on_end(int error) override;
  void on_written(int error) override;

  // Takes the next request from what was read.  Whether there was one.
  bool next_request();

  ControlServer& server_;
  Operator who_;
  FrameDecoder decoder_;
  std::string unread_;  // what came while a request was being answered
  std::unique_ptr<Answer> answer_;
  bool last_ = false;  // nothing follows this answer
};

}  // namespace heartbeat
