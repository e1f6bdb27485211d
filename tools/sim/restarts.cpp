#include "tools/sim/restarts.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include <uv.h>

#include "common/json_frame.h"
#include "common/limits.h"
#include "common/os/unix_socket.h"
#include "tools/ctl/json_reply.h"

namespace heartbeat::sim {

// The session that a restart was ordered in; the next process of the daemon answers in it.
class Restarts::Order final : public uv::PipeStream {
 public:
  Order(uv::Loop& loop, Restarts& owner) : uv::PipeStream(loop), owner_(owner) {}

 private:
  void on_bytes(std::string_view bytes) override { owner_.take(bytes); }
  void on_end(int /*error*/) override { owner_.fail("the daemon closed the control connection"); }

  Restarts& owner_;
};

Restarts::Restarts(uv::Loop& loop, std::string control_path, Millis every,
                   std::function<void(const std::string& why)> on_failed)
    : loop_(loop),
      control_path_(std::move(control_path)),
      every_(every),
      on_failed_(std::move(on_failed)),
      timer_(uv::Timer::create(loop, [this] { order(); })) {
  timer_->arm(every_);
}

Restarts::~Restarts() = default;

void Restarts::order() {
  ordered_at_ = loop_.now();
  decoder_ = FrameDecoder{};
  auto socket = os::connect_to(control_path_);
  if (!socket) return fail(control_path_ + ": " + std::strerror(socket.error()));
  order_.reset(new Order{loop_, *this});
  int error = order_->open(std::move(*socket));
  if (error == 0) error = order_->start_reading();
  std::string request;
  append_json_frame(request, [](JsonWriter& json) { json.add("command", "restart"); });
  if (error == 0) error = order_->write(request);
  if (error != 0) fail(control_path_ + ": " + uv_strerror(error));
}

void Restarts::take(std::string_view bytes) {
  const FrameDecoder::Result frame = decoder_.next(bytes, limits::kControlFrameMax);
  if (frame.state == FrameDecoder::State::Bad) return fail("the daemon's answer is no frame");
  if (frame.state == FrameDecoder::State::Frame) answered(frame.body);
}

void Restarts::answered(std::string_view body) {
  const auto reply = ctl::Reply::parse(body);
  if (!reply) return fail("the daemon's answer cannot be read");
  if (reply->type() != "done") return fail(std::string{reply->object().text("message")});
  ++count_;
  const Millis length = loop_.now() - ordered_at_;
  longest_ = std::max(longest_, length);
  total_ += length;
  order_.reset();
  timer_->arm(every_);
}

void Restarts::fail(const std::string& why) {
  order_.reset();
  on_failed_(why);
}

}  // namespace heartbeat::sim
