#include "tools/relay/control_session.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/socket.h>
#include <sys/un.h>

#include "common/limits.h"
#include "common/os/socket.h"
#include "common/uv/stream.h"

namespace heartbeat::relay {

class ControlSession::ControlStream final : public uv::PipeStream {
 public:
  ControlStream(uv::Loop& loop, ControlSession& owner) : uv::PipeStream(loop), owner_(owner) {}

 private:
  void on_bytes(std::string_view bytes) override { owner_.take(bytes); }
  void on_end(int error) override {
    owner_.end(error == UV_EOF ? "the daemon closed the connection" : uv_strerror(error));
  }

  ControlSession& owner_;
};

ControlSession::ControlSession(uv::Loop& loop, std::string path,
                               std::function<void(const std::string&)> on_end)
    : loop_(loop), path_(std::move(path)), on_end_(std::move(on_end)) {
  limit_ = uv::Timer::create(loop_, [this] { end("the daemon does not answer"); });
  soon_ = uv::Timer::create(loop_, [this] {
    const auto report = on_end_;
    report(std::exchange(why_, {}));
  });
}

ControlSession::~ControlSession() = default;

void ControlSession::open() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) return end(path_ + ": the name is too long");
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  auto socket = os::stream_socket(AF_UNIX);
  if (!socket) return end(std::strerror(socket.error()));
  // A Unix socket connects at once or not at all.
  if (::connect(socket->get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return end(path_ + ": " + std::strerror(errno));
  }
  uv::Owned<ControlStream> stream{new ControlStream{loop_, *this}};
  int error = stream->open(std::move(*socket));
  if (error == 0) error = stream->start_reading();
  if (error != 0) return end(path_ + ": " + uv_strerror(error));
  decoder_ = FrameDecoder{};
  stream_ = std::move(stream);
}

void ControlSession::ask(std::string_view request, OnObject on_object) {
  pending_.push_back(std::move(on_object));
  if (stream_ == nullptr) open();
  if (stream_ == nullptr) return;
  std::string frame;
  append_frame(frame, request);
  limit_->arm(kAnswerMax);
  if (const int error = stream_->write(frame); error == UV_ENOBUFS) end("the daemon reads no requests");
}

void ControlSession::take(std::string_view bytes) {
  limit_->arm(kAnswerMax);
  while (stream_ != nullptr) {
    const FrameDecoder::Result frame = decoder_.next(bytes, limits::kControlFrameMax);
    if (frame.state == FrameDecoder::State::NeedMore) break;
    const auto reply = frame.state == FrameDecoder::State::Frame ? ctl::Reply::parse(frame.body)
                                                                 : std::optional<ctl::Reply>{};
    if (!reply || pending_.empty()) return end("what answers at " + path_ + " is no heartbeatd");
    const std::string_view type = reply->type();
    const OnObject on_object = pending_.front();
    if (type == "done" || type == "error") pending_.pop_front();
    on_object(reply->object());
  }
  if (pending_.empty()) limit_->disarm();
}

void ControlSession::close() {
  stream_.reset();
  pending_.clear();
  limit_->disarm();
  soon_->disarm();
}

void ControlSession::end(const std::string& why) {
  close();
  why_ = why;
  soon_->arm(Millis{1});
}

}  // namespace heartbeat::relay
