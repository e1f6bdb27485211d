// The events of one daemon, each once and in order, from a place that the caller has kept.
//
// Reads the journal's files.  Where they cannot be read, it follows the feed of the control socket, and goes
// back to the files as soon as these know the place.  What is missing is an item of its own, never a silence.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/events/journal_reader.h"
#include "common/mono_time.h"
#include "common/uv/directory_changes.h"
#include "common/uv/loop.h"
#include "common/uv/watchers.h"
#include "tools/follower/feed_source.h"

namespace heartbeat {

class Follower {
 public:
  struct Options {
    std::string journal;       // the directory
    std::string control{};     // the daemon's control socket; empty: the files or nothing
    Millis look_every{1000};   // what inotify does not show, as on a network's file system, is seen by then
    bool from_oldest = false;  // without a cursor: begin with the oldest event, not with the next one
  };

  struct Item {
    enum class Kind : std::uint8_t {
      Event,
      Loss,  // events that the caller will not get
      Note,  // a line of the journal about a run of the daemon: `start`, `end`, `mark`
    };
    Kind kind = Kind::Event;
    JournalCursor cursor{};  // of the event; of a loss, its last event; of a note, the event before it
    std::string text{};      // the JSON object; empty for a loss
    // Of a loss: nothing where the number is not known, as the journal was begun anew.
    std::optional<std::uint64_t> count{};
  };

  enum class Source : std::uint8_t { None, Journal, Feed };

  // Begins behind `cursor`; without one at the next event.  `on_more` is called when next() may have
  // an item again after it had none.
  Follower(uv::Loop& loop, Options options, std::optional<JournalCursor> cursor,
           std::function<void()> on_more);

  // Nothing where there is none yet.
  [[nodiscard]] std::optional<Item> next();

  // Where items come from.  With None, error() says why there are none.
  [[nodiscard]] Source source() const { return source_; }
  [[nodiscard]] const std::string& error() const { return error_; }

  // The place: behind the last event or loss that next() returned.  Nothing where there was none yet.
  [[nodiscard]] const std::optional<JournalCursor>& cursor() const { return cursor_; }

 private:
  void look();
  [[nodiscard]] bool open_journal(bool must_know_place);
  void open_feed();
  [[nodiscard]] std::optional<Item> next_of_journal();
  [[nodiscard]] std::optional<Item> next_of_feed();
  [[nodiscard]] Item take(Item item);
  [[nodiscard]] Item loss_before(const Item& next, std::optional<std::uint64_t> count);

  uv::Loop& loop_;
  Options options_;
  std::optional<JournalCursor> cursor_;
  std::function<void()> on_more_;
  Source source_ = Source::None;
  std::string error_;
  JournalReader reader_;
  FeedSource feed_;
  bool place_is_unknown_ = false;  // the journal does not know the cursor: the first event shows the loss
  bool began_without_journal_ = false;
  std::optional<Item> held_;  // the item behind a loss
  uv::Owned<uv::DirectoryChanges> changes_;
  uv::Owned<uv::Timer> look_again_;
};

}  // namespace heartbeat
