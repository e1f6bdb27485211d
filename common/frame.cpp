#include "common/frame.h"

#include <algorithm>
#include <cassert>

#include "common/limits.h"

namespace heartbeat {
namespace {

using limits::kFramePrefixSize;
using Result = FrameDecoder::Result;
using State = FrameDecoder::State;

std::int32_t read_prefix(std::string_view bytes) {
  const auto byte = [&](std::size_t at) {
    return static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[at]));
  };
  return static_cast<std::int32_t>(byte(0) << 24U | byte(1) << 16U | byte(2) << 8U | byte(3));
}

bool is_whole(std::string_view held) {
  return held.size() > kFramePrefixSize &&
         held.size() == kFramePrefixSize + static_cast<std::size_t>(read_prefix(held));
}

Result need_more() {
  return {State::NeedMore, {}, 0, {}};
}

Result frame(std::string_view body) {
  return {State::Frame, {}, static_cast<std::int32_t>(body.size()), body};
}

bool is_bad(std::int32_t length, std::size_t frame_max) {
  return length <= 0 || static_cast<std::size_t>(length) > frame_max;
}

Result bad(std::int32_t length, std::string_view bytes) {
  if (length == 0) return {State::Bad, BadInput::LengthZero, length, bytes};
  if (length < 0) return {State::Bad, BadInput::LengthNegative, length, bytes};
  return {State::Bad, BadInput::LengthOverMax, length, bytes};
}

// Moves up to `count` bytes from the front of `from` to the end of `to`.
void move_front(std::string& to, std::string_view& from, std::size_t count) {
  const std::size_t moved = std::min(count, from.size());
  to.append(from.substr(0, moved));
  from.remove_prefix(moved);
}

}  // namespace

Result FrameDecoder::next(std::string_view& input, std::size_t frame_max) {
  if (in_frame()) return resume(input, frame_max);
  partial_.reset();
  if (input.empty()) return need_more();

  if (input.size() >= kFramePrefixSize) {
    const std::int32_t length = read_prefix(input);
    if (is_bad(length, frame_max)) return bad(length, input);
    const std::size_t whole = kFramePrefixSize + static_cast<std::size_t>(length);
    if (input.size() >= whole) {
      const std::string_view body = input.substr(kFramePrefixSize, static_cast<std::size_t>(length));
      input.remove_prefix(whole);
      return frame(body);
    }
  }
  partial_ = std::make_unique<std::string>();
  return resume(input, frame_max);
}

bool FrameDecoder::holds_part() const {
  return !is_whole(*partial_);
}

Result FrameDecoder::resume(std::string_view& input, std::size_t frame_max) {
  std::string& held = *partial_;
  if (held.size() < kFramePrefixSize) {
    move_front(held, input, kFramePrefixSize - held.size());
    if (held.size() < kFramePrefixSize) return need_more();
    const std::int32_t length = read_prefix(held);
    if (is_bad(length, frame_max)) {
      move_front(held, input, limits::kExcerptMax);  // what follows helps to explain what the stream is
      return bad(length, held);
    }
    held.reserve(kFramePrefixSize + static_cast<std::size_t>(length));
  }

  const std::size_t whole = kFramePrefixSize + static_cast<std::size_t>(read_prefix(held));
  move_front(held, input, whole - held.size());
  if (held.size() < whole) return need_more();
  return frame(std::string_view{held}.substr(kFramePrefixSize));
}

void append_frame(std::string& out, std::string_view body) {
  const std::size_t frame = begin_frame(out);
  out.append(body);
  end_frame(out, frame);
}

std::size_t begin_frame(std::string& out) {
  const std::size_t frame = out.size();
  out.append(kFramePrefixSize, '\0');
  return frame;
}

void end_frame(std::string& out, std::size_t frame) {
  const auto length = static_cast<std::uint32_t>(out.size() - frame - kFramePrefixSize);
  assert(length > 0);
  for (const unsigned shift : {24U, 16U, 8U, 0U}) out[frame++] = static_cast<char>(length >> shift & 0xFFU);
}

}  // namespace heartbeat
