#include "tools/door/stream.h"

#include <array>

namespace heartbeat::door {

int Stream::send(std::string_view bytes) {
  if (session_ == nullptr) return write(bytes);
  std::string records;
  return session_->write(bytes, records) ? write(records) : UV_EPIPE;
}

void Stream::part() {
  if (session_ != nullptr) {
    std::string record;
    session_->end(record);
    static_cast<void>(write(record));
  }
  finish();
}

std::string Stream::why() const {
  return session_ != nullptr && session_->failure() != tls::Failure::None ? "TLS: " + session_->why()
                                                                          : std::string{};
}

void Stream::on_connected(int error) {
  if (error == 0 && !preface_.empty()) error = write(preface_);
  if (error != 0 || context_ == nullptr) {
    is_open_ = error == 0;
    if (is_open_) static_cast<void>(start_reading());  // fails only for a stream that is closing
    return on_open(error);
  }
  session_ = context_->begin();
  static_cast<void>(start_reading());
  std::string_view nothing;
  shake_hands(nothing);
}

void Stream::on_bytes(std::string_view bytes) {
  if (session_ == nullptr) return on_plain(bytes);
  if (!is_open_) shake_hands(bytes);
  if (is_open_) decrypt(bytes);
}

void Stream::shake_hands(std::string_view& bytes) {
  std::string answer;
  const tls::Session::Handshake handshake = session_->shake_hands(bytes, answer);
  if (!answer.empty()) static_cast<void>(write(answer));
  if (handshake == tls::Session::Handshake::NeedMore) return;
  if (handshake == tls::Session::Handshake::Failed) return fail();
  is_open_ = true;
  on_open(0);
}

// A derived class may let go of this object in a callback: it is closing then, and not yet gone.
void Stream::decrypt(std::string_view bytes) {
  std::array<char, tls::kRecordMax> plain;
  while (uv_is_closing(handle()) == 0) {
    std::size_t count = 0;
    std::string answer;
    const tls::Session::Read read = session_->read(bytes, plain, count, answer);
    if (!answer.empty()) static_cast<void>(write(answer));
    switch (read) {
      case tls::Session::Read::NeedMore: return;
      case tls::Session::Read::Bytes: on_plain({plain.data(), count}); break;
      case tls::Session::Read::End: pause_reading(); return on_end(UV_EOF);
      case tls::Session::Read::Failed: return fail();
    }
  }
}

void Stream::fail() {
  pause_reading();
  is_open_ ? on_end(UV_EPROTO) : on_open(UV_EPROTO);
}

}  // namespace heartbeat::door
