// The incremental decoder, fed in any pieces, cuts the same frames as a decoder that has all bytes at once.
//
// Input: which maximum, how the stream is chopped (0: all at once, else the pieces' lengths go round through
// that many bytes), the lengths, then the stream.
#include <array>
#include <string>
#include <vector>

#include "common/frame.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/promise.h"
#include "tools/sim/virtual/whole_stream.h"

using namespace heartbeat;
using heartbeat::fuzz::hold;
using heartbeat::fuzz::Input;
using heartbeat::sim::WholeStream;

namespace {

constexpr std::array<std::size_t, 6> kFrameMax{1, 2, 16, 200, 4096, 65536};

void hold_bad_kind(const FrameDecoder::Result& frame) {
  const BadInput expected = frame.length == 0  ? BadInput::LengthZero
                            : frame.length < 0 ? BadInput::LengthNegative
                                               : BadInput::LengthOverMax;
  hold(frame.error == expected, "a bad length is called what it is");
}

// Returns whether the stream still has its framing.
bool feed(FrameDecoder& decoder, std::string_view piece, WholeStream& whole, std::string& written_again) {
  for (;;) {
    const FrameDecoder::Result frame = decoder.next(piece, whole.frame_max);
    if (frame.state == FrameDecoder::State::NeedMore) {
      hold(piece.empty(), "a decoder that needs more has taken all that there was");
      return true;
    }
    const auto body = whole.next();
    if (frame.state == FrameDecoder::State::Bad) {
      hold_bad_kind(frame);
      hold(!body && whole.is_bad && whole.bad == frame.length,
           "the framing is lost where it is lost, at the same length");
      return false;
    }
    hold(body == frame.body, "a frame's body is the same however the stream is chopped");
    hold(frame.length == static_cast<std::int32_t>(frame.body.size()), "a frame's length is its body's");
    append_frame(written_again, frame.body);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input{data, size};
  const std::size_t frame_max = kFrameMax.at(input.below(kFrameMax.size()));
  const std::string_view lengths = input.bytes(input.below(9));
  const std::string_view stream = input.rest();

  FrameDecoder decoder;
  WholeStream whole{stream, frame_max};
  std::string written_again;
  bool framed = true;
  std::string_view unread = stream;
  for (std::size_t piece = 0; framed && !unread.empty(); ++piece) {
    const std::size_t length =
        lengths.empty() ? unread.size() : 1U + static_cast<std::uint8_t>(lengths[piece % lengths.size()]);
    // Of its own, so that a decoder that looks beyond it is seen to.
    const std::string bytes{unread.substr(0, length)};
    unread.remove_prefix(bytes.size());
    framed = feed(decoder, bytes, whole, written_again);
  }

  if (framed) {
    hold(!whole.next() && !whole.is_bad, "no frame and no bad length is left over");
    hold(decoder.in_frame() == !whole.rest.empty(), "bytes of an unfinished frame are known to be held");
  }
  hold(stream.starts_with(written_again), "frames that are written again are the bytes that they came from");
  return 0;
}
