#include "daemon/events/journal_worker.h"

#include <cerrno>
#include <new>
#include <utility>

#include "common/events/line.h"
#include "common/json_writer.h"
#include "daemon/report/event_json.h"

namespace heartbeat {
namespace {

// Room that is kept for the next batch; what a storm took beyond it goes back.
constexpr std::size_t kKeptRoom = 1024UL * 1024;

}  // namespace

JournalWorker::JournalWorker(std::string directory, std::string boot, SegmentBounds bounds)
    : writer_(std::move(directory), bounds), boot_(std::move(boot)) {}

tl::expected<SegmentWriter::Found, int> JournalWorker::open() {
  auto found = writer_.open();
  if (found) last_seq_ = found->last_seq;
  return found;
}

JournalWorker::Result JournalWorker::write(Batch& batch) noexcept {
  try {
    return try_to_write(batch);
  } catch (const std::bad_alloc&) {
    return {.error = ENOMEM};
  }
}

// The state is changed only behind the last step that can fail, so that the same batch can come again.
JournalWorker::Result JournalWorker::try_to_write(Batch& batch) {
  Result result;
  if (!writer_.is_open()) {
    const auto found = writer_.open();
    if (!found) return {.error = found.error()};
    if (skips_written_) last_seq_ = found->last_seq;
    result.cut_bytes = found->cut_bytes;
  }
  const std::uint64_t seq_before = last_seq_;
  const std::uint64_t left_out_before = left_out_;
  const std::uint64_t serial_before = writer_.serial();
  lines_.clear();
  for (const Entry& entry : batch.entries) {
    if (const auto* const event = std::get_if<Event>(&entry)) {
      add_event(*event, batch, result);
    } else {
      add_note(std::get<Note>(entry), batch, result);
    }
  }
  if (!lines_.empty()) result.error = writer_.append(lines_, seq_before, batch.now);
  if (result.error != 0) {
    last_seq_ = seq_before;
    left_out_ = left_out_before;
    result.written = result.lost = 0;
    return result;
  }
  result.bytes = lines_.size();
  result.serial = writer_.serial();
  result.began_segment = result.serial != serial_before;
  skips_written_ = false;
  batch.entries = {};
  if (lines_.capacity() > kKeptRoom) lines_ = {};
  if (batch.sync) result.error = writer_.sync();
  result.synced = batch.sync && result.error == 0;
  return result;
}

void JournalWorker::add_event(const Event& event, const Batch& batch, Result& result) {
  if (skips_written_ && event.number <= last_seq_) return;
  add_lost_until(event.number - 1, batch.clock.at(event.at), result);
  last_seq_ = event.number;
  if (event.kind == Event::Kind::Struck && !batch.strikes) {
    ++left_out_;
    return;
  }
  const std::size_t begin = lines_.size();
  JsonWriter json{lines_};
  json.begin_object();
  add_feed_event(json, event, boot_, batch.clock);
  if (left_out_ > 0) json.add("left_out", std::exchange(left_out_, 0));
  json.end_object();
  events::seal_line(lines_, begin);
  ++result.written;
}

void JournalWorker::add_note(const Note& note, const Batch& batch, Result& result) {
  add_lost_until(note.seq, batch.now, result);
  const std::size_t begin = lines_.size();
  lines_ += note.object;
  events::seal_line(lines_, begin);
}

// Events up to this number have not come, and will not.
void JournalWorker::add_lost_until(std::uint64_t seq, WallTime at, Result& result) {
  if (seq <= last_seq_) return;
  const std::uint64_t count = seq - last_seq_;
  const std::size_t begin = lines_.size();
  JsonWriter json{lines_};
  json.begin_object();
  json.add("type", "lost");
  json.add("boot", boot_);
  json.add("seq", seq);
  json.add("at", format_instant(at));
  json.add("count", count);
  json.add("from_seq", last_seq_ + 1);
  if (left_out_ > 0) json.add("left_out", std::exchange(left_out_, 0));
  json.end_object();
  events::seal_line(lines_, begin);
  last_seq_ = seq;
  result.lost += count;
}

}  // namespace heartbeat
