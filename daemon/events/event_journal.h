// The event journal on the loop: takes every event where the core makes it, and hands each turn's events to
// one worker at a time.
//
// No call waits for the disk.  While a write is under way, or the disk refuses, events wait in memory, up to
// limits::kJournalQueueMax; those beyond it are dropped, and the worker names them in a `lost` line, as the
// numbers of the events have a gap there.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/json_writer.h"
#include "common/mono_time.h"
#include "common/uv/loop.h"
#include "common/uv/work.h"
#include "common/wall_time.h"
#include "daemon/core/event.h"
#include "daemon/core/feed.h"
#include "daemon/events/journal_worker.h"
#include "daemon/events/segment_store.h"
#include "daemon/report/figures.h"
#include "daemon/report/wall_clock.h"

namespace heartbeat {

class EventJournal {
 public:
  enum class Sync : std::uint8_t { Never, EachSecond, EachWrite };

  struct Options {
    std::string directory;  // empty: there is no journal
    bool strikes = false;   // also Event::Kind::Struck
    Sync sync = Sync::EachSecond;
    StoreBounds bounds{};
  };

  // `boot` is the run of the daemon whose events these are.
  EventJournal(uv::Loop& loop, Options options, std::string boot);

  [[nodiscard]] bool is_on() const { return !options_.directory.empty(); }

  // Opens the journal, and returns the number of its last event, which those of this run go on from.  Where
  // that fails, returns 0, and each turn tries again.  May block: before the daemon serves.
  [[nodiscard]] std::uint64_t open();

  // In the place of open(): this run goes on from another process, with these events.  The journal is opened
  // with the first write.
  void go_on(const Feed& feed);

  // A line for the beginning of this run.
  void begin(std::string_view version, WallTime now);

  // A line of this type between the events, with members behind the common ones: `reload`, `order`.
  void add_line(std::string_view type, WallTime now, const std::function<void(JsonWriter&)>& add_members);

  // What the first write will open, beyond what is open now.  Before the first turn.
  [[nodiscard]] std::size_t descriptors_to_come() const;

  // Of the options, all but the directory.
  void change(const Options& options);

  void add(const Event& event);

  // When `clock` agrees with the clocks of this turn.
  void after_turn(const WallClock& clock);

  // Outside of the loop: waits until everything is written, for so long at the most.  `ends`: with a line for
  // the end of this run.
  void finish(const WallClock& clock, Millis bound, bool ends);

  [[nodiscard]] JournalFigures figures() const;

 private:
  // What the thread works on.  It outlives the journal while a write is under way.
  struct Job {
    Job(std::string directory, std::string boot);

    JournalWorker worker;
    JournalWorker::Batch batch;
    JournalWorker::Result result{};

    // For finish(), which waits while the loop does not turn.
    std::mutex mutex{};
    std::condition_variable ended{};
    bool is_writing = false;
  };

  // The batch that is under way or was refused, and what waits behind it.
  [[nodiscard]] std::size_t in_memory() const { return in_batch_ + waiting_.size(); }
  [[nodiscard]] bool wants_to_write() const;
  void start_writing(uv::Work& by, const WallClock& clock);
  [[nodiscard]] bool wait_for_writing(Millis bound);
  void written();
  void failed(int error);
  void start_tidying();
  void tidied(const StoreReport& report);

  uv::Loop& loop_;
  Options options_;
  std::string boot_;
  std::shared_ptr<Job> job_;
  std::vector<JournalWorker::Entry> waiting_;  // for the next batch
  std::size_t in_batch_ = 0;                   // of the job, which its thread may be working on
  std::uint64_t last_seq_ = 0;                 // of the last event that came
  bool takes_result_ = false;                  // the result of the last write has not been looked at
  bool unsynced_ = false;
  std::uint64_t serial_ = 0;  // of the segment that was last written to; 0: of none yet
  MonoTime next_sync_{};
  MonoTime next_mark_;
  MonoTime next_try_{};
  MonoTime next_tidy_{};
  JournalFigures figures_{};
  uv::Work writing_;
  uv::Work last_writing_;  // of finish(), for which the loop does not turn
  uv::Work tidying_;
};

}  // namespace heartbeat
