#include "tools/relay/redis_link.h"

#include <array>
#include <utility>

#include <netdb.h>
#include <uv.h>

#include "common/uv/address.h"
#include "common/uv/guard.h"
#include "common/uv/stream.h"

namespace heartbeat::relay {

// Plain bytes to and from the socket, through TLS where there is a context.
class RedisLink::Connection final : public uv::TcpStream {
 public:
  Connection(uv::Loop& loop, RedisLink& owner) : uv::TcpStream(loop), owner_(owner) {}

  int send(std::string_view plain) {
    if (session_ == nullptr) return write(plain, kOutputMax);
    std::string records;
    return session_->write(plain, records) ? write(records, kOutputMax) : UV_EPIPE;
  }

  [[nodiscard]] std::string why(int error) const {
    if (session_ != nullptr && session_->failure() != tls::Failure::None) return "TLS: " + session_->why();
    return error == UV_EOF ? "the connection was closed" : uv_strerror(error);
  }

 private:
  void on_connected(int error) override {
    if (error != 0) return owner_.opened(error);
    send_at_once();
    static_cast<void>(start_reading());
    if (owner_.options_.tls == nullptr) return owner_.opened(0);
    session_ = owner_.options_.tls->begin();
    std::string_view nothing;
    shake_hands(nothing);
  }

  void on_bytes(std::string_view bytes) override {
    if (session_ == nullptr) return owner_.take(bytes);
    if (!is_open_) shake_hands(bytes);
    if (is_open_) decrypt(bytes);
  }

  void on_end(int error) override { owner_.opened(error == 0 ? UV_EOF : error); }

  void shake_hands(std::string_view& bytes) {
    std::string answer;
    const tls::Session::Handshake handshake = session_->shake_hands(bytes, answer);
    if (!answer.empty()) static_cast<void>(write(answer));
    if (handshake == tls::Session::Handshake::NeedMore) return;
    if (handshake == tls::Session::Handshake::Failed) return owner_.opened(UV_EPROTO);
    is_open_ = true;
    owner_.opened(0);
  }

  // The owner may let go of this object in a call: it is closing then, and not yet gone.
  void decrypt(std::string_view bytes) {
    std::array<char, tls::kRecordMax> plain;
    while (uv_is_closing(handle()) == 0) {
      std::size_t count = 0;
      std::string answer;
      const tls::Session::Read read = session_->read(bytes, plain, count, answer);
      if (!answer.empty()) static_cast<void>(write(answer));
      switch (read) {
        case tls::Session::Read::NeedMore: return;
        case tls::Session::Read::Bytes: owner_.take({plain.data(), count}); break;
        case tls::Session::Read::End: return owner_.opened(UV_EOF);
        case tls::Session::Read::Failed: return owner_.opened(UV_EPROTO);
      }
    }
  }

  RedisLink& owner_;
  std::unique_ptr<tls::Session> session_;
  bool is_open_ = false;
};

// A look-up on libuv's threads.  It outlives the link where that ends first.
struct RedisLink::Lookup {
  uv_getaddrinfo_t request{};
  RedisLink* owner = nullptr;
};

RedisLink::RedisLink(uv::Loop& loop, Options options, Callbacks callbacks)
    : loop_(loop), options_(std::move(options)), callbacks_(std::move(callbacks)) {
  const auto seconds = [](Millis span) { return std::to_string(span.count() / 1000) + " s"; };
  limit_ = uv::Timer::create(loop_, [this, seconds] {
    end(EngineError::Kind::Later, "no connection within " + seconds(kConnectMax));
  });
  silence_ = uv::Timer::create(
      loop_, [this, seconds] { end(EngineError::Kind::Later, "no reply for " + seconds(kSilenceMax)); });
  soon_ = uv::Timer::create(loop_, [] {});
  limit_->arm(kConnectMax);
  resolve();
}

RedisLink::~RedisLink() {
  if (lookup_ == nullptr) return;
  lookup_->owner = nullptr;
  uv_cancel(reinterpret_cast<uv_req_t*>(&lookup_->request));
}

void RedisLink::resolve() {
  auto lookup = std::make_unique<Lookup>();
  lookup->owner = this;
  lookup->request.data = lookup.get();
  const auto on_found = [](uv_getaddrinfo_t* request, int status, addrinfo* list) {
    const std::unique_ptr<Lookup> done{static_cast<Lookup*>(request->data)};
    RedisLink* const owner = done->owner;
    if (owner != nullptr) owner->lookup_ = nullptr;
    std::vector<Endpoint> addresses;
    for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
      if (each->ai_family == AF_INET || each->ai_family == AF_INET6)
        addresses.push_back(uv::endpoint_of(each->ai_addr));
    }
    uv_freeaddrinfo(list);
    if (owner == nullptr || status == UV_ECANCELED) return;
    uv::guarded(
        [&] { owner->resolved(std::move(addresses), status == 0 ? std::string{} : uv_strerror(status)); });
  };
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  const std::string port = std::to_string(options_.where.port);
  const int error = uv_getaddrinfo(loop_.get(), &lookup->request, on_found, options_.where.host.c_str(),
                                   port.c_str(), &hints);
  if (error != 0) return resolved({}, uv_strerror(error));
  lookup_ = lookup.release();
}

void RedisLink::resolved(std::vector<Endpoint> addresses, const std::string& error) {
  addresses_ = std::move(addresses);
  if (addresses_.empty()) {
    return end(EngineError::Kind::Later,
               "the name does not resolve" + (error.empty() ? error : ": " + error));
  }
  connect_next();
}

void RedisLink::connect_next() {
  connection_ = uv::Owned<Connection>{new Connection{loop_, *this}};
  const int error = connection_->connect(addresses_[next_address_++]);
  if (error != 0) opened(error);
}

// Connected, with TLS where that is wanted; or the end of the connection, before that or later.
void RedisLink::opened(int error) {
  if (is_ended_) return;
  if (error != 0) {
    if (!is_ready_ && !awaits_auth_ && next_address_ < addresses_.size()) return connect_next();
    // A server that has no room says so unasked, and closes.
    if (!last_error_.empty()) {
      const EngineError said = engine_error(last_error_);
      return end(said.kind, said.text);
    }
    const bool is_operators = error == UV_EPROTO;
    return end(is_operators ? EngineError::Kind::Refused : EngineError::Kind::Later, connection_->why(error));
  }
  if (options_.password.empty()) {
    limit_->disarm();
    is_ready_ = true;
    return callbacks_.on_ready();
  }
  std::string command;
  if (options_.user.empty())
    append_command(command, {"AUTH", options_.password});
  else
    append_command(command, {"AUTH", options_.user, options_.password});
  awaits_auth_ = true;
  write(command);
}

void RedisLink::take(std::string_view plain) {
  if (awaits_reply_) silence_->arm(kSilenceMax);
  replies_.feed(plain);
  while (!is_ended_) {
    auto reply = replies_.next();
    if (!reply) return end(EngineError::Kind::Refused, reply.error());
    if (!*reply) return;
    if (std::exchange(awaits_auth_, false)) {
      if ((*reply)->is_error()) {
        const EngineError error = engine_error((*reply)->text);
        return end(error.kind, error.text);
      }
      limit_->disarm();
      is_ready_ = true;
      callbacks_.on_ready();
      continue;
    }
    last_error_ = (*reply)->is_error() ? (*reply)->text : std::string{};
    callbacks_.on_reply(**reply);
  }
}

void RedisLink::send(std::string_view commands) {
  if (commands.empty() || is_ended_) return;
  if (!std::exchange(awaits_reply_, true)) silence_->arm(kSilenceMax);
  write(commands);
}

void RedisLink::all_answered() {
  awaits_reply_ = false;
  silence_->disarm();
}

void RedisLink::write(std::string_view plain) {
  const int error = connection_->send(plain);
  if (error == UV_ENOBUFS) {
    return end(EngineError::Kind::Later,
               "more than " + std::to_string(kOutputMax) + " bytes wait to be sent");
  }
  // Any other error is the end of the connection, which its stream reports.
}

// Reported in a call of its own, so that the owner is never called from within its own call.
void RedisLink::end(EngineError::Kind kind, const std::string& why) {
  if (std::exchange(is_ended_, true)) return;
  is_ready_ = false;
  limit_->disarm();
  silence_->disarm();
  connection_.reset();
  soon_ = uv::Timer::create(loop_, [this, error = EngineError{.kind = kind, .text = why}] {
    const auto on_end = callbacks_.on_end;
    on_end(error);
  });
  soon_->arm(Millis{1});
}

}  // namespace heartbeat::relay
