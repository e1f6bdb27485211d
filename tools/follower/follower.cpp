#include "tools/follower/follower.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/events/line.h"

namespace heartbeat {

using events::number_in;
using events::text_in;

Follower::Follower(uv::Loop& loop, Options options, std::optional<JournalCursor> cursor,
                   std::function<void()> on_more)
    : loop_(loop),
      options_(std::move(options)),
      cursor_(std::move(cursor)),
      on_more_(std::move(on_more)),
      reader_(options_.journal),
      feed_(loop, options_.control, [this] { on_more_(); }) {
  look_again_ = uv::Timer::create(loop_, [this] {
    look();
    look_again_->arm(options_.look_every);
    on_more_();
  });
  look();
  look_again_->arm(options_.look_every);
}

// Finds a source where there is none, and a better one where there is the feed.
void Follower::look() {
  if (changes_ == nullptr) {
    auto changes = uv::DirectoryChanges::create(loop_, options_.journal, [this] { on_more_(); });
    if (changes) changes_ = std::move(*changes);
  }
  if (source_ == Source::Journal) return;
  if (open_journal(source_ == Source::Feed)) return;
  if (!options_.control.empty() && !feed_.is_open()) open_feed();
}

bool Follower::open_journal(bool must_know_place) {
  int error = 0;
  bool knows_place = true;
  if (cursor_) {
    const auto found = reader_.behind(*cursor_);
    if (!found) error = found.error();
    knows_place = found.value_or(false);
  } else {
    // A journal that was not there when this follower began has nothing but what came since.
    const bool is_new = std::exchange(began_without_journal_, false) || options_.from_oldest;
    const auto newest =
        is_new ? reader_.to_oldest().map([] { return std::optional<JournalCursor>{}; }) : reader_.to_newest();
    if (!newest) error = newest.error();
    began_without_journal_ = error == ENOENT;
    if (newest && *newest) cursor_ = **newest;
  }
  if (error != 0) {
    error_ = options_.journal + ": " + std::strerror(error);
    return false;
  }
  if (!knows_place && must_know_place) return false;
  place_is_unknown_ = !knows_place;
  source_ = Source::Journal;
  error_.clear();
  held_.reset();
  feed_.close();
  return true;
}

void Follower::open_feed() {
  const int error = feed_.open(cursor_);
  if (error == 0) {
    source_ = Source::Feed;
    error_.clear();
    return;
  }
  source_ = Source::None;
  error_ += std::string{error_.empty() ? "" : "; "} + options_.control + ": " + std::strerror(error);
}

std::optional<Follower::Item> Follower::next() {
  if (held_) return take(*std::exchange(held_, std::nullopt));
  if (source_ == Source::Journal) return next_of_journal();
  return next_of_feed();
}

Follower::Item Follower::take(Item item) {
  if (item.kind != Item::Kind::Note) cursor_ = item.cursor;
  return item;
}

std::optional<Follower::Item> Follower::next_of_journal() {
  for (;;) {
    const auto line = reader_.next();
    if (!line) {
      error_ = options_.journal + ": " + std::strerror(line.error());
      source_ = Source::None;
      changes_.reset();
      look();
      return source_ == Source::Feed ? next_of_feed() : std::nullopt;
    }
    if (!*line) return std::nullopt;
    const std::string_view type = text_in(**line, "type");
    Item item{.cursor = {std::string{text_in(**line, "boot")}, number_in(**line, "seq").value_or(0)}};
    const std::uint64_t lost_before = reader_.lost_before();
    if (type == "segment") continue;
    if (type == "lost") {
      item.kind = Item::Kind::Loss;
      item.count = number_in(**line, "count");
    } else {
      item.kind = type == "event" ? Item::Kind::Event : Item::Kind::Note;
      item.text = events::unsealed(**line);
    }
    if (item.kind == Item::Kind::Note) return item;
    // Written again, after a write that failed half-way.
    if (cursor_ && item.cursor.boot == cursor_->boot && item.cursor.seq <= cursor_->seq) continue;
    // Of a loss that the feed has reported in part, the rest.
    if (item.count && cursor_ && item.cursor.boot == cursor_->boot) {
      item.count = std::min(*item.count, item.cursor.seq - cursor_->seq);
    }
    if (std::exchange(place_is_unknown_, false)) {
      const bool goes_on = cursor_ && item.cursor.seq > cursor_->seq;
      const std::uint64_t named = item.count.value_or(1);
      if (goes_on && item.cursor.seq - cursor_->seq == named) return take(std::move(item));
      return loss_before(item,
                         goes_on ? std::optional{item.cursor.seq - cursor_->seq - named} : std::nullopt);
    }
    if (lost_before > 0) return loss_before(item, lost_before);
    return take(std::move(item));
  }
}

std::optional<Follower::Item> Follower::next_of_feed() {
  while (const auto object = feed_.next()) {
    const std::string_view type = text_in(*object, "type");
    if (type == "event") {
      return take({.cursor = {std::string{text_in(*object, "boot")}, number_in(*object, "seq").value_or(0)},
                   .text = *object});
    }
    if (type == "lost") {
      Item loss{.kind = Item::Kind::Loss,
                .cursor = cursor_.value_or(JournalCursor{}),
                .count = number_in(*object, "count")};
      loss.cursor.seq += loss.count.value_or(0);
      return take(std::move(loss));
    }
    // Refused or ended by the daemon: asked again at the next look.
    if (type == "error" || type == "done") feed_.close();
  }
  if (!feed_.is_open()) source_ = Source::None;
  return std::nullopt;
}

// What is missing ends right before the item, which comes next.
Follower::Item Follower::loss_before(const Item& next, std::optional<std::uint64_t> count) {
  Item loss{.kind = Item::Kind::Loss, .cursor = next.cursor, .count = count};
  if (loss.cursor.seq > 0) --loss.cursor.seq;
  held_ = next;
  return take(std::move(loss));
}

}  // namespace heartbeat
