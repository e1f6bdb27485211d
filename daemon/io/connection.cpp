#include "daemon/io/connection.h"

#include "daemon/io/server.h"

namespace heartbeat {

int Connection::tell(std::string_view bytes) {
  if (!told_) send_at_once();
  told_ = true;
  return write(bytes);
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

void Connection::on_bytes(std::string_view bytes) {
  if (!lingers_) server_.received(conn_, bytes);
}

void Connection::on_end(int error) {
  end_ = error;
  lingers_ ? server_.lingered(lingering_) : server_.ended(conn_, error);
}

}  // namespace heartbeat
