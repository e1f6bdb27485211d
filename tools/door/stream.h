// A tool's connection to the daemon, plain or by TLS.
//
// A derived class implements on_open() and on_plain() in the place of on_connected() and on_bytes(), and
// otherwise need not know which of the two it is.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/tls/session.h"
#include "common/uv/stream.h"

namespace heartbeat::door {

class Stream : public uv::TcpStream {
 public:
  // `context`: null for a plain connection.  `preface` is sent before anything else, and never encrypted.
  Stream(uv::Loop& loop, std::shared_ptr<const tls::Context> context, std::string preface)
      : TcpStream(loop), context_(std::move(context)), preface_(std::move(preface)) {}

  // As write(), by TLS where the connection is.
  int send(std::string_view bytes);
  // As finish(), with the end of the TLS session before it.
  void part();
  // Why a TLS session failed: a sentence; empty where none did.
  [[nodiscard]] std::string why() const;

 protected:
  // Bytes can be sent and are read from here on; or an error of libuv, UV_EPROTO where TLS failed.
  virtual void on_open(int error) = 0;
  virtual void on_plain(std::string_view bytes) = 0;

 private:
  void on_connected(int error) final;
  void on_bytes(std::string_view bytes) final;
  void shake_hands(std::string_view& bytes);
  void decrypt(std::string_view bytes);
  void fail();

  std::shared_ptr<const tls::Context> context_;
  std::string preface_;
  std::unique_ptr<tls::Session> session_;
  bool is_open_ = false;
};

}  // namespace heartbeat::door
