#include "tools/follower/feed_source.h"

#include <utility>

#include "common/json_frame.h"
#include "common/limits.h"
#include "common/os/unix_socket.h"

namespace heartbeat {

class FeedSource::FeedStream final : public uv::PipeStream {
 public:
  FeedStream(uv::Loop& loop, FeedSource& owner) : uv::PipeStream(loop), owner_(owner) {}

 private:
  void on_bytes(std::string_view bytes) override { owner_.take(bytes); }
  void on_end(int /*error*/) override {
    FeedSource& owner = owner_;
    owner.stream_.reset();
    owner.on_more_();
  }

  FeedSource& owner_;
};

FeedSource::FeedSource(uv::Loop& loop, std::string path, std::function<void()> on_more)
    : loop_(loop), path_(std::move(path)), on_more_(std::move(on_more)) {}

FeedSource::~FeedSource() = default;

int FeedSource::open(const std::optional<JournalCursor>& since) {
  close();
  auto socket = os::connect_to(path_);
  if (!socket) return socket.error();
  uv::Owned<FeedStream> stream{new FeedStream{loop_, *this}};
  if (const int error = stream->open(std::move(*socket)); error != 0) return -error;
  if (const int error = stream->start_reading(); error != 0) return -error;
  std::string request;
  append_json_frame(request, [&](JsonWriter& json) {
    json.add("command", "watch");
    if (since) json.add("since", to_string(*since));
  });
  if (const int error = stream->write(request); error != 0) return -error;
  stream_ = std::move(stream);
  return 0;
}

std::optional<std::string> FeedSource::next() {
  if (waiting_.empty()) return {};
  std::string object = std::move(waiting_.front());
  waiting_.pop_front();
  if (waiting_.empty() && stream_ != nullptr) static_cast<void>(stream_->start_reading());
  return object;
}

void FeedSource::close() {
  stream_.reset();
  decoder_ = FrameDecoder{};
  waiting_.clear();
}

void FeedSource::take(std::string_view bytes) {
  while (!bytes.empty()) {
    const FrameDecoder::Result frame = decoder_.next(bytes, limits::kControlFrameMax);
    if (frame.state == FrameDecoder::State::NeedMore) break;
    if (frame.state == FrameDecoder::State::Bad) return stream_.reset();
    waiting_.emplace_back(frame.body);
  }
  // The rest of what was read, at most the loop's buffer, is beyond the bound.
  if (waiting_.size() >= kWaitingMax) stream_->pause_reading();
  on_more_();
}

}  // namespace heartbeat
