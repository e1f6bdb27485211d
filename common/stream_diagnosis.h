// Says what a byte stream probably is that does not hold frames: another protocol, or a length written
// wrongly.
//
// The author of a client gets the framing wrong first, and sees only the daemon's side of it.  So the bytes
// are compared with what such streams usually begin with.  A guess is worded as a fact only where the bytes
// leave no doubt.  Pure, and never on the path of a heartbeat that is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace heartbeat {

// Of a length that no frame can have.  `bytes` begins with the four bytes of that length, and goes on with
// what came after them as far as it is known.  Returns one sentence without a full stop: the length, what is
// wrong with it, what the bytes are where that is known, and the first of them, escaped.
[[nodiscard]] std::string diagnose_length(std::string_view bytes, std::size_t frame_max);

// Of a frame that was begun and not finished.  `bytes` is what came of it, length included, and not empty.
// Returns one sentence without a full stop: how much was announced and came, what the bytes are where that is
// known, and the first of them, escaped.
[[nodiscard]] std::string diagnose_unfinished(std::string_view bytes);

// What the first bytes of the stream are, as the end of "this is …"; empty where that is not known.
[[nodiscard]] std::string_view known_protocol(std::string_view bytes);

}  // namespace heartbeat
