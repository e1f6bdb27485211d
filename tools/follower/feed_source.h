// The daemon's feed, from its control socket: for a follower that cannot read the journal's files.
//
// Holds a bounded number of objects: while that many wait, nothing is read, and the daemon counts what this
// follower misses.  The feed reaches back to the daemon's last 4096 events, and says how many are missing
// before them.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/events/journal_reader.h"
#include "common/frame.h"
#include "common/uv/handle.h"
#include "common/uv/stream.h"

namespace heartbeat {

class FeedSource {
 public:
  static constexpr std::size_t kWaitingMax = 256;

  FeedSource(uv::Loop& loop, std::string path, std::function<void()> on_more);
  ~FeedSource();
  FeedSource(const FeedSource&) = delete;
  FeedSource& operator=(const FeedSource&) = delete;
  FeedSource(FeedSource&&) = delete;
  FeedSource& operator=(FeedSource&&) = delete;

  // Connects, and asks for the events behind this one, or from now on.  Returns 0 or errno's number.
  [[nodiscard]] int open(const std::optional<JournalCursor>& since);
  [[nodiscard]] bool is_open() const { return stream_ != nullptr; }

  // The next object, in order; nothing where none waits.
  [[nodiscard]] std::optional<std::string> next();

  // Ends the connection, and forgets what waits.
  void close();

 private:
  class FeedStream;

  void take(std::string_view bytes);

  uv::Loop& loop_;
  std::string path_;
  std::function<void()> on_more_;
  uv::Owned<FeedStream> stream_;
  FrameDecoder decoder_;
  std::deque<std::string> waiting_;
};

}  // namespace heartbeat
