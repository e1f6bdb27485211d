// Cuts a byte stream into length-prefixed frames, and makes frames.  Knows nothing of sockets or JSON.
//
// A frame is 4 bytes, signed big-endian length N, then N bytes of body, 1 <= N <= the maximum.  TCP is a
// stream: frames arrive glued together, split anywhere, one byte at a time.
//
// Invariant: memory is held only while a frame is unfinished, and never more than the prefix and the body
// that a checked prefix announced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/bad_input.h"

namespace heartbeat {

class FrameDecoder {
 public:
  enum class State : std::uint8_t { NeedMore, Frame, Bad };

  struct Result {
    State state;
    BadInput error;       // when Bad: one of the Length kinds
    std::int32_t length;  // when Bad: the length as it stood on the wire
    // When Frame: the body.  When Bad: the wrong length's bytes, and what is known of those behind it.  Valid
    // until the next call, or until the input goes away.
    std::string_view body;
  };

  // Takes the next frame off the front of `input`, shortening it by what was used.  A frame that lies whole
  // in the input is returned in place, without a copy.  After NeedMore the input is empty; after Bad the
  // stream has lost its framing and nothing more can be read from it.
  //
  // `frame_max` is the longest body that is accepted, in bytes.  It is checked on the four bytes of the
  // prefix alone: nothing is allocated from a length that was not.
  [[nodiscard]] Result next(std::string_view& input, std::size_t frame_max);

  // Whether bytes of an unfinished frame are being held.
  [[nodiscard]] bool in_frame() const { return partial_ != nullptr && holds_part(); }
  // These bytes, length included; empty where there are none.
  [[nodiscard]] std::string_view unfinished() const { return in_frame() ? *partial_ : std::string_view{}; }

 private:
  [[nodiscard]] bool holds_part() const;
  Result resume(std::string_view& input, std::size_t frame_max);

  // Prefix and body so far.  Once whole it has been given out as a frame, and is freed at the next call.
  std::unique_ptr<std::string> partial_;
};

// Appends one frame with this body.  The caller has made sure that it is not empty and within the peer's
// limit.
void append_frame(std::string& out, std::string_view body);

// The same for a body that is made in place, at the end of `out`: begin_frame() leaves room for the prefix
// and returns where it is, end_frame() fills it in.
[[nodiscard]] std::size_t begin_frame(std::string& out);
void end_frame(std::string& out, std::size_t frame);

}  // namespace heartbeat
