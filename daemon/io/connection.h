// One client's socket: hands its bytes and its end to the server, which says what to write.  Where the client
// came by TLS, both directions pass its session here.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string_view>
#include <utility>

#include "common/tls/session.h"
#include "common/uv/handle.h"
#include "common/uv/stream.h"
#include "daemon/core/connection_id.h"

namespace heartbeat {

class Connection;
class Server;

// As uv::Owned.  If the socket is shared (Connection::share()), letting go of it also shuts the connection
// down.
struct EndConnection {
  void operator()(Connection* connection) const noexcept;
};
using OwnedConnection = std::unique_ptr<Connection, EndConnection>;

// A connection whose client is closed already, kept until the peer has read its notice.
struct Lingering {
  OwnedConnection connection;
  MonoTime until;  // on the machine's clock
};

class Connection final : public uv::TcpStream {
 public:
  // `session`: null where bytes are plain.
  Connection(uv::Loop& loop, Server& server, std::unique_ptr<tls::Session> session)
      : TcpStream(loop), server_(server), session_(std::move(session)) {}

  // From here on it is this client's.  Before that nothing may be read from it.
  void belongs_to(ConnId conn) { conn_ = conn; }

  // Bytes that were read before; may throw std::bad_alloc.
  void take_first(std::string_view bytes) { on_bytes(bytes); }

  // Throws away what the peer sends from here on.
  void ignore_bytes() { is_deaf_ = true; }

  [[nodiscard]] bool has_session() const { return session_ != nullptr; }

  // Returns 0 or a libuv error, as TcpStream::write() does.
  int tell(std::string_view bytes);

  // Ends a TLS session in order; nothing can be sent after that.
  void end_session();

  // Stops reading until read_on(), and reads in small pieces from then on.
  void hold_back();
  void read_on();

  // Whether the peer may still have to read what was written.  A peer that has closed its own side, or reset
  // the connection, needs no more than what the kernel does for it.
  [[nodiscard]] bool may_be_reading() const;

  // The server keeps it among the connections that linger, at this place.
  void linger(std::list<Lingering>::iterator place);

  // The socket, of which a duplicate is kept open elsewhere from now on: a close alone would send nothing to
  // the peer.
  [[nodiscard]] int share();
  // The connection goes on in the duplicate.
  void leave() { is_shared_ = false; }
  void shut_down() const noexcept;

 private:
  [[nodiscard]] std::size_t read_per_turn() const override {
    return was_held_back_ ? limits::kReadBytesHeldBack : limits::kReadBytesPerTurn;
  }
  void before_read() override;
  void on_bytes(std::string_view bytes) override;
  void on_end(int error) override;
  void on_written(int error) override;
  void decrypt(std::string_view bytes);

  Server& server_;
  std::unique_ptr<tls::Session> session_;
  ConnId conn_;                               // until it lingers
  std::list<Lingering>::iterator lingering_;  // from there on
  int end_ = 0;                               // what on_end() reported
  bool told_ = false;
  bool lingers_ = false;
  bool is_deaf_ = false;
  bool is_held_back_ = false;
  bool was_held_back_ = false;
  bool is_shared_ = false;
};

}  // namespace heartbeat
