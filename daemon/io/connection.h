// One client's socket: hands its bytes and its end to the server, which says what to write.
#pragma once

#include <list>
#include <string_view>

#include "common/uv/handle.h"
#include "common/uv/stream.h"
#include "daemon/core/connection_id.h"

namespace heartbeat {

class Connection;
class Server;

// A connection whose client is closed already, kept until the peer has read its notice.
struct Lingering {
  uv::Owned<Connection> connection;
  MonoTime until;  // on the machine's clock
};

class Connection final : public uv::TcpStream {
 public:
  Connection(uv::Loop& loop, Server& server) : TcpStream(loop), server_(server) {}

  // From here on it is this client's.  Before that nothing may be read from it.
  void belongs_to(ConnId conn) { conn_ = conn; }

  // Returns 0 or a libuv error, as TcpStream::write() does.
  int tell(std::string_view bytes);

  // Stops reading until read_on(), and reads in small pieces from then on.
  void hold_back();
  void read_on();

  // Whether the peer may still have to read what was written.  A peer that has closed its own side, or reset
  // the connection, needs no more than what the kernel does for it.
  [[nodiscard]] bool may_be_reading() const;

  // The server keeps it among the connections that linger, at this place.
  void linger(std::list<Lingering>::iterator place);

 private:
  [[nodiscard]] std::size_t read_per_turn() const override {
    return was_held_back_ ? limits::kReadBytesHeldBack : limits::kReadBytesPerTurn;
  }
  void on_bytes(std::string_view bytes) override;
  void on_end(int error) override;

  Server& server_;
  ConnId conn_;                               // until it lingers
  std::list<Lingering>::iterator lingering_;  // from there on
  int end_ = 0;                               // what on_end() reported
  bool told_ = false;
  bool lingers_ = false;
  bool is_held_back_ = false;
  bool was_held_back_ = false;
};

}  // namespace heartbeat
