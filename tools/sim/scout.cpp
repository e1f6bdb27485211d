#include "tools/sim/scout.h"

#include <optional>

#include "common/duration.h"
#include "common/frame.h"
#include "common/limits.h"
#include "common/uv/handle.h"
#include "common/uv/watchers.h"
#include "tools/door/stream.h"

namespace heartbeat::sim {
namespace {

class Scout final : public door::Stream {
 public:
  Scout(uv::Loop& loop, std::shared_ptr<const tls::Context> context, std::string preface, std::string token,
        ClientKind kind)
      : Stream(loop, std::move(context), std::move(preface)),
        loop_(loop),
        token_(std::move(token)),
        kind_(std::move(kind)) {}

  [[nodiscard]] const std::optional<Welcome>& welcome() const { return welcome_; }
  [[nodiscard]] int error() const { return error_; }

 private:
  void on_open(int error) override {
    if (error != 0) return on_end(error);
    say(Status::Alive);
  }

  void on_plain(std::string_view bytes) override {
    for (;;) {
      const FrameDecoder::Result frame = decoder_.next(bytes, limits::kFrameMax);
      if (frame.state == FrameDecoder::State::NeedMore) return;
      if (frame.state == FrameDecoder::State::Bad) return on_end(UV_EPROTO);
      const auto read = parse_server_frame(frame.body);
      if (read && read->welcome && !welcome_) {
        welcome_ = read->welcome;
        say(Status::Close);
      }
    }
  }

  void on_end(int error) override {
    error_ = error;
    loop_.stop();
  }

  void say(Status status) {
    Heartbeat heartbeat{.ip = "127.0.0.1", .status = status};
    heartbeat.notify = true;
    if (!token_.empty()) heartbeat.token = token_;
    if (!kind_.group.empty()) {
      heartbeat.group = kind_.group;
      heartbeat.interval_ms = static_cast<std::uint32_t>(kind_.interval.count());
    }
    std::string frame;
    append_frame(frame, encode(heartbeat));
    send(frame);
  }

  uv::Loop& loop_;
  std::string token_;
  ClientKind kind_;
  FrameDecoder decoder_;
  std::optional<Welcome> welcome_;
  int error_ = 0;
};

bool is_sound(const Welcome& rule) {
  return rule.tick.count() > 0 && rule.leave_timeout.count() > 0 && rule.threshold > 0 && rule.cursor > 0 &&
         rule.recover > 0 && rule.frame_max > 0;
}

}  // namespace

tl::expected<Welcome, std::string> ask_rule(uv::Loop& loop, const Endpoint& server,
                                            const std::shared_ptr<const tls::Context>& context,
                                            const std::string& preface, const std::string& token,
                                            const ClientKind& kind) {
  const uv::Owned<Scout> scout{new Scout{loop, context, preface, token, kind}};
  const auto give_up = uv::Timer::create(loop, [&] { loop.stop(); });
  give_up->arm(limits::kConnectMax);
  int error = scout->connect(server);
  if (error == 0) {
    loop.run();
    error = scout->error();
  }

  if (scout->welcome() && is_sound(*scout->welcome())) return *scout->welcome();
  const std::string name = to_string(server);
  if (scout->welcome()) return tl::unexpected(name + " sent a rule that is not one");
  if (const std::string why = scout->why(); !why.empty()) return tl::unexpected(name + ": " + why);
  if (error == 0) return tl::unexpected(name + " sent no rule in " + format_duration(limits::kConnectMax));
  if (error == UV_EOF || error == UV_EPROTO) {
    return tl::unexpected(name + " did not tell its rule (is it heartbeatd?)");
  }
  return tl::unexpected("cannot reach " + name + ": " + uv_strerror(error));
}

}  // namespace heartbeat::sim
