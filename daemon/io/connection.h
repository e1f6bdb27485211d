// One client's socket: hands bytes and its end to the server, and is told what to write.
#pragma once

#include <list>
#include <string_view>

#include "common/uv/handle.h"
#include "common/uv/stream.h"
#include "daemon/core/connection_id.h"

namespace heartbeat {

class Connection;
class Server;

// A connection that the monitor has closed already, kept until its peer has read what it was told.
struct Lingering {
  uv::Owned<Connection> connection;
  MonoTime until;  // on the machine's clock
};

class Connection final : public uv::TcpStream {
 public:
  Connection(uv::Loop& loop, Server& server) : TcpStream(loop), server_(server) {}

  // Whose connection it is; before that it belongs to nobody.
  void belongs_to(ConnId conn) { standing_.conn = conn; }

  // Returns 0 or a libuv error, as TcpStream::write() does.
  int tell(std::string_view bytes);

  // Does not read any more for now, and in small pieces afterwards.
  void hold_back();
  void read_on();

  // Whether the peer may yet have to read what it was told.  One that has closed its own side, or reset the
  // connection, needs no more than what the kernel does for it.
  [[nodiscard]] bool may_be_reading() const;

  // The server has put it among its lingering ones, at this place.
  void linger(std::list<Lingering>::iterator place);

 private:
  [[nodiscard]] std::size_t read_per_turn() const override {
    return was_held_back_ ? limits::kReadBytesHeldBack : limits::kReadBytesPerTurn;
  }
  void on_bytes(std::string_view bytes) override;
  void on_end(int error) override;

  // Where it stands with the server.  A connection that lingers belongs to no client any more, so that the
  // two share their room.
  union Standing {
    ConnId conn;
    std::list<Lingering>::iterator lingering;
  };

  Server& server_;
  Standing standing_{.conn = {}};
  int end_ = 0;  // what on_end() reported
  bool told_ = false;
  bool lingers_ = false;
  bool is_held_back_ = false;
  bool was_held_back_ = false;
};

}  // namespace heartbeat
