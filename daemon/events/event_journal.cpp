#include "daemon/events/event_journal.h"

#include <cstring>
#include <utility>

#include <spdlog/spdlog.h>

#include "common/limits.h"
#include "common/uv/machine.h"

namespace heartbeat {
namespace {

void log_cut(std::uint64_t bytes) {
  spdlog::warn("journal_cut bytes={}: the end of the event journal was torn, and is removed", bytes);
}

}  // namespace

EventJournal::Job::Job(std::string directory, std::string boot)
    : worker(std::move(directory), std::move(boot)),
      batch{.entries = {}, .clock = WallClock{WallTime{}, MonoTime{}}, .now = WallTime{}} {}

EventJournal::EventJournal(uv::Loop& loop, Options options, std::string boot)
    : loop_(loop),
      options_(std::move(options)),
      boot_(std::move(boot)),
      job_(std::make_shared<Job>(options_.directory, boot_)),
      next_mark_(loop.now() + limits::kJournalMarkEvery),
      writing_(loop),
      last_writing_(loop),
      tidying_(loop) {
  figures_.is_on = is_on();
  figures_.directory = options_.directory;
}

std::uint64_t EventJournal::open() {
  if (!is_on()) return 0;
  const auto found = job_->worker.open();
  if (!found) {
    failed(found.error());
    return 0;
  }
  if (found->cut_bytes > 0) log_cut(found->cut_bytes);
  last_seq_ = found->last_seq;
  return last_seq_;
}

void EventJournal::go_on(const Feed& feed) {
  if (!is_on()) return;
  job_->worker.skip_written();
  for (std::uint64_t number = feed.oldest(); number < feed.next(); ++number) {
    if (const Event* const event = feed.find(number)) add(*event);
  }
  last_seq_ = feed.next() - 1;
}

void EventJournal::begin(std::string_view version, WallTime now) {
  add_line("start", now, [&](JsonWriter& json) { json.add("version", version); });
}

std::size_t EventJournal::descriptors_to_come() const {
  constexpr std::size_t kLockAndSegment = 2;
  return is_on() ? kLockAndSegment - job_->worker.descriptors() : 0;
}

void EventJournal::change(const Options& options) {
  options_.strikes = options.strikes;
  options_.sync = options.sync;
  options_.bounds = options.bounds;
  next_tidy_ = MonoTime{};
}

void EventJournal::add(const Event& event) {
  if (!is_on() || event.number == 0) return;
  last_seq_ = event.number;
  if (in_memory() < limits::kJournalQueueMax) waiting_.emplace_back(event);
}

void EventJournal::add_line(std::string_view type, WallTime now,
                            const std::function<void(JsonWriter&)>& add_members) {
  if (!is_on() || in_memory() >= limits::kJournalQueueMax) return;
  JournalWorker::Note note{.seq = last_seq_, .object = {}};
  JsonWriter json{note.object};
  json.begin_object();
  json.add("type", type);
  json.add("boot", boot_);
  json.add("seq", last_seq_);
  json.add("at", format_instant(now));
  add_members(json);
  json.end_object();
  waiting_.emplace_back(std::move(note));
}

// --- each turn --------------------------------------------------------------------------------------------

void EventJournal::after_turn(const WallClock& clock) {
  if (!is_on() || writing_.is_running() || last_writing_.is_running()) return;
  if (loop_.now() >= next_mark_) {
    add_line("mark", uv::wall_time(loop_), [](JsonWriter&) {});
    next_mark_ = loop_.now() + limits::kJournalMarkEvery;
  }
  if (wants_to_write()) start_writing(writing_, clock);
  if (serial_ != 0 && loop_.now() >= next_tidy_ && !tidying_.is_running()) start_tidying();
}

bool EventJournal::wants_to_write() const {
  if (loop_.now() < next_try_) return false;
  const bool has_lines = !waiting_.empty() || !job_->batch.entries.empty();
  return has_lines || (unsynced_ && loop_.now() >= next_sync_);
}

// A batch that the disk refused comes again, before what came meanwhile.
void EventJournal::start_writing(uv::Work& by, const WallClock& clock) {
  JournalWorker::Batch& batch = job_->batch;
  if (batch.entries.empty()) batch.entries.swap(waiting_);
  in_batch_ = batch.entries.size();
  batch.clock = clock;
  batch.now = uv::wall_time(loop_);
  batch.strikes = options_.strikes;
  batch.sync =
      options_.sync == Sync::EachWrite || (options_.sync == Sync::EachSecond && loop_.now() >= next_sync_);
  job_->is_writing = true;
  takes_result_ = true;
  const auto work = [job = job_] {
    job->result = job->worker.write(job->batch);
    const std::lock_guard lock{job->mutex};
    job->is_writing = false;
    job->ended.notify_all();
  };
  by.start(work, [this] { written(); });
}

// Returns whether no write is under way any more.
bool EventJournal::wait_for_writing(Millis bound) {
  std::unique_lock lock{job_->mutex};
  return job_->ended.wait_for(lock, bound, [this] { return !job_->is_writing; });
}

// After each write, in the loop or in finish(), whichever comes first.
void EventJournal::written() {
  if (!takes_result_ || !wait_for_writing(Millis{0})) return;
  takes_result_ = false;
  const JournalWorker::Result& result = job_->result;
  if (result.cut_bytes > 0) log_cut(result.cut_bytes);
  figures_.written += result.written;
  figures_.lost += result.lost;
  if (result.lost > 0) {
    spdlog::error("journal_lost events={}: the event journal names their numbers", result.lost);
  }
  if (result.bytes > 0) unsynced_ = options_.sync != Sync::Never;
  if (job_->batch.sync) next_sync_ = loop_.now() + limits::kJournalSyncEvery;
  if (result.synced) unsynced_ = false;
  if (result.serial != 0) serial_ = result.serial;
  if (result.began_segment) next_tidy_ = MonoTime{};
  if (job_->batch.entries.empty()) in_batch_ = 0;
  if (result.error != 0) return failed(result.error);
  if (!figures_.is_paused) return;
  figures_.is_paused = false;
  figures_.error.clear();
  spdlog::warn("journal_resumed: events are written to {} again", options_.directory);
}

// Reported once; each further try counts.
void EventJournal::failed(int error) {
  ++figures_.failures;
  next_try_ = loop_.now() + limits::kJournalRetry;
  figures_.error = std::strerror(error);
  if (std::exchange(figures_.is_paused, true)) return;
  spdlog::error("journal_paused: {} cannot be written to ({}); events wait in memory, {} at most",
                options_.directory, figures_.error, limits::kJournalQueueMax);
}

// The write that is under way, and one more with all that waits.
void EventJournal::finish(const WallClock& clock, Millis bound, bool ends) {
  if (!is_on()) return;
  if (ends) add_line("end", uv::wall_time(loop_), [](JsonWriter&) {});
  if (wait_for_writing(bound)) {
    written();
    if (!last_writing_.is_running()) start_writing(last_writing_, clock);
    if (wait_for_writing(bound)) written();
  }
  const bool is_done = !takes_result_ && waiting_.empty() && job_->batch.entries.empty();
  if (is_done) return;
  spdlog::error("journal_unfinished: not every event was written to {} in time", options_.directory);
}

// --- the closed segments ----------------------------------------------------------------------------------

void EventJournal::start_tidying() {
  next_tidy_ = loop_.now() + limits::kJournalTidyEvery;
  auto report = std::make_shared<StoreReport>();
  const auto work = [report, directory = options_.directory, current = serial_, bounds = options_.bounds,
                     now = uv::wall_time(loop_)] {
    *report = tidy_segments(directory, current, bounds, now);
  };
  tidying_.start(work, [this, report] { tidied(*report); });
}

void EventJournal::tidied(const StoreReport& report) {
  figures_.disk_bytes = report.bytes;
  figures_.segments = report.segments;
  if (report.removed > 0) {
    spdlog::info("journal_removed segments={} bytes={}: the oldest, by events.keep and events.max",
                 report.removed, report.removed_bytes);
  }
  if (report.error != 0) {
    spdlog::error("closed segments of the event journal in {} cannot all be compressed and removed: {}",
                  options_.directory, std::strerror(report.error));
  }
}

JournalFigures EventJournal::figures() const {
  JournalFigures figures = figures_;
  figures.waiting = in_memory();
  return figures;
}

}  // namespace heartbeat
