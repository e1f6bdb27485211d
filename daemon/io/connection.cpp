#include "daemon/io/connection.h"

#include <array>
#include <string>

#include <sys/socket.h>

#include "common/uv/guard.h"
#include "daemon/io/server.h"

namespace heartbeat {

int Connection::tell(std::string_view bytes) {
  if (!told_) send_at_once();
  told_ = true;
  if (session_ == nullptr) return write(bytes);
  std::string records;
  bool is_encrypted = false;
  if (!uv::guarded([&] { is_encrypted = session_->write(bytes, records); })) return UV_ENOMEM;
  return is_encrypted ? write(records) : UV_EPIPE;
}

void Connection::end_session() {
  if (session_ == nullptr) return;
  std::string record;
  if (uv::guarded([&] { session_->end(record); })) static_cast<void>(write(record));
}

void Connection::hold_back() {
  is_held_back_ = was_held_back_ = true;
  pause_reading();
}

void Connection::read_on() {
  is_held_back_ = false;
  static_cast<void>(start_reading());  // fails only for a stream that is closing
}

bool Connection::may_be_reading() const {
  if (!told_) return false;
  return end_ == 0 || (end_ == UV_EOF && has_unsent());
}

void Connection::linger(std::list<Lingering>::iterator place) {
  lingering_ = place;
  lingers_ = true;
  // A connection that was held back is read again, so that its end is seen.  One whose end was seen already
  // must not be read: it would seem to end a second time, before it was sent what still waits.
  if (is_held_back_) read_on();
  finish();
}

void EndConnection::operator()(Connection* connection) const noexcept {
  connection->shut_down();
  uv::BeginClose{}(connection);
}

int Connection::share() {
  is_shared_ = true;
  return descriptor();
}

void Connection::shut_down() const noexcept {
  if (is_shared_) ::shutdown(descriptor(), SHUT_RDWR);
}

void Connection::before_read() {
  if (!lingers_) server_.reads(conn_);
}

void Connection::on_written(int /*error*/) {
  if (!lingers_) server_.has_sent_all(conn_);
}

void Connection::on_bytes(std::string_view bytes) {
  if (lingers_ || is_deaf_) return;
  session_ == nullptr ? server_.received(conn_, bytes) : decrypt(bytes);
}

// All of it in this call: a frame left in the session would wait for bytes that may never come.
void Connection::decrypt(std::string_view bytes) {
  std::array<char, tls::kRecordMax> plain;
  for (auto read = tls::Session::Read::Bytes; read == tls::Session::Read::Bytes && !lingers_;) {
    std::size_t count = 0;
    std::string answer;  // to a change of keys, or an alert
    read = session_->read(bytes, plain, count, answer);
    if (!answer.empty()) static_cast<void>(write(answer));
    switch (read) {
      case tls::Session::Read::NeedMore: break;
      case tls::Session::Read::Bytes: server_.received(conn_, {plain.data(), count}); break;
      case tls::Session::Read::End:
        pause_reading();
        on_end(UV_EOF);
        break;
      case tls::Session::Read::Failed:
        is_deaf_ = true;
        server_.garbled(conn_, "TLS: " + session_->why());
        break;
    }
  }
}

void Connection::on_end(int error) {
  end_ = error;
  lingers_ ? server_.lingered(lingering_) : server_.ended(conn_, error);
}

}  // namespace heartbeat
