#include "tools/relay/daemon_source.h"

#include <array>
#include <utility>

#include <spdlog/spdlog.h>

#include "common/events/line.h"
#include "common/text.h"
#include "tools/ctl/json_request.h"
#include "tools/ctl/time_text.h"

namespace heartbeat::relay {
namespace {

// Events that are read in one turn of the loop.
constexpr int kEventsPerTurn = 256;

std::uint64_t wall_ms(std::string_view instant) {
  const auto at = ctl::parse_instant(instant);
  return at ? static_cast<std::uint64_t>(at->count()) : 0;
}

}  // namespace

std::optional<ListedClient> listed_client(const ctl::Object& client) {
  if (client.number("heartbeats").value_or(0) == 0) return {};
  const bool is_in_leave = client.text("status") == "leave";
  return ListedClient{.name = std::string{client.text("name")},
                      .has_id = !client.text("id").empty(),
                      .peer = std::string{client.text("peer")},
                      .status = is_in_leave ? Status::Leave : Status::Alive,
                      .since = wall_ms(client.text(is_in_leave ? "left" : "connected")),
                      .connected = wall_ms(client.text("connected"))};
}

std::optional<DaemonEvent> daemon_event(const std::string& line) {
  const auto kind = parse_record_kind(events::text_in(line, "event"));
  if (!kind) return {};
  const auto reply = ctl::Reply::parse(line);
  if (!reply) return {};
  const ctl::Object event = reply->object();
  return DaemonEvent{
      .kind = *kind,
      .client = std::string{event.text("client")},
      .previous = *kind == Record::Kind::Named ? std::string{event.text("previous")} : std::string{},
      .peer = std::string{event.text("peer")},
      .reason = std::string{event.text("reason")},
      .at = std::string{event.text("at")},
      .at_ms = wall_ms(event.text("at")),
      .number = static_cast<std::uint64_t>(event.number("seq").value_or(0))};
}

DaemonSource::DaemonSource(uv::Loop& loop, const std::string& control, std::string journal,
                           Callbacks callbacks)
    : loop_(loop),
      journal_(std::move(journal)),
      callbacks_(std::move(callbacks)),
      control_path_(control),
      control_(loop, control, [this](const std::string& why) { retry(why); }),
      lister_(loop, control, [this](const std::string& why) {
        if (is_listing_) retry(why);
      }) {
  again_ = uv::Timer::create(loop_, [this] { is_listing_&& follower_ != nullptr ? end_list() : begin(); });
  more_ = uv::Timer::create(loop_, [this] { read_events(); });
  again_->arm(Millis{1});
}

void DaemonSource::ask_status() {
  if (!control_.is_open()) return;
  control_.ask(ctl::Request{"status"}.body(), [this](const ctl::Object& object) {
    if (object.text("type") == "status") take_status(object);
  });
}

void DaemonSource::begin() {
  control_.ask(ctl::Request{"status"}.body(), [this](const ctl::Object& object) {
    if (object.text("type") == "status") take_status(object);
  });
}

// A daemon that was away is the same run still, or another.
void DaemonSource::take_status(const ctl::Object& status) {
  is_away_ = false;
  const std::string_view boot = status.text("boot");
  if (is_listing_) return;
  if (boot != boot_ || !is_whole_) return list(status);
  callbacks_.on_status(status);
}

void DaemonSource::retry(const std::string& why) {
  if (!std::exchange(is_away_, true)) callbacks_.on_away(why);
  is_listing_ = false;
  lister_.close();
  control_.close();
  again_->arm(kRetry);
}

void DaemonSource::list(const ctl::Object& status) {
  const auto next = status.object("feed").number("next");
  const std::string boot{status.text("boot")};
  callbacks_.on_list(boot != boot_);
  boot_ = boot;
  is_listing_ = true;
  is_whole_ = false;
  whole_at_.reset();
  listed_from_ = {boot_, static_cast<std::uint64_t>(next.value_or(1) - 1)};
  // A journal that is not written holds up what the feed has already.
  has_journal_ = !journal_.empty() && status.object("journal").text("state") == "writing";
  follower_.reset();
  lister_.close();
  lister_.ask(ctl::Request{"watch"}.flagged("snapshot").body(), [this](const ctl::Object& object) {
    const std::string_view type = object.text("type");
    if (type == "client") take_listed(object);
    if (type == "error") retry("the daemon lists no clients: " + std::string{object.text("message")});
    if (type != "snapshot_end") return;
    lister_.close();
    follower_ = std::make_unique<Follower>(
        loop_,
        Follower::Options{.journal = has_journal_ ? journal_ : std::string{}, .control = control_path_},
        listed_from_, [this] { more_->arm(Millis{1}); });
    end_list();
  });
}

void DaemonSource::take_listed(const ctl::Object& object) const {
  if (const auto client = listed_client(object)) callbacks_.on_client(*client);
}

// The list shows the daemon as it was up to now at the latest.
void DaemonSource::end_list() {
  control_.ask(ctl::Request{"status"}.body(), [this](const ctl::Object& object) {
    if (object.text("type") != "status") return;
    if (!is_listing_) return;
    if (!whole_at_)
      whole_at_ = static_cast<std::uint64_t>(object.object("feed").number("next").value_or(1) - 1);
    is_written_ = !has_journal_ || object.object("journal").number("waiting").value_or(0) == 0;
    read_events();
  });
}

void DaemonSource::read_events() {
  if (follower_ == nullptr) return;
  for (int read = 0; read < kEventsPerTurn; ++read) {
    const auto item = follower_->next();
    if (!item) break;
    const bool is_of_run = item->cursor.boot == boot_;
    if (item->kind == Follower::Item::Kind::Note) continue;
    // Another run of the daemon has begun, or events of this one were missed.
    if (!is_of_run || item->kind == Follower::Item::Kind::Loss) {
      is_listing_ = is_whole_ = false;
      follower_.reset();
      return again_->arm(kRelist);
    }
    if (const auto event = daemon_event(item->text)) callbacks_.on_event(*event);
    if (read + 1 == kEventsPerTurn) return more_->arm(Millis{1});
  }
  if (!is_listing_ || !whole_at_) return;
  const auto& cursor = follower_->cursor();
  const bool has_all = cursor && cursor->boot == boot_ && cursor->seq >= *whole_at_;
  // The journal is behind by a moment, as its files are written on a thread.
  if (!has_all && !(has_journal_ && is_written_)) {
    if (has_journal_) again_->arm(kRelist);
    return;
  }
  is_listing_ = false;
  is_whole_ = true;
  again_->disarm();
  callbacks_.on_whole();
  ask_status();
}

void DaemonSource::give(const DaemonOrder& order) {
  switch (order.kind) {
    case DaemonOrder::Kind::Supersede:
      return control_.ask(ctl::Request{"supersede"}
                              .with("client", order.client)
                              .with("peer", order.peer)
                              .with("by", order.by)
                              .body(),
                          [](const ctl::Object&) {});
    case DaemonOrder::Kind::Remember:
      return control_.ask(
          ctl::Request{"remember"}.with("client", order.client).with("peer", order.peer).body(),
          [](const ctl::Object&) {});
    case DaemonOrder::Kind::Kick: {
      const std::array clients{order.client};
      return control_.ask(ctl::Request{"kick"}.with("clients", clients).body(), [](const ctl::Object&) {});
    }
    case DaemonOrder::Kind::Drain: {
      ctl::Request drain{"drain"};
      order.rate == 0 ? drain.flagged("stop") : drain.with("rate", order.rate);
      return control_.ask(drain.body(), [](const ctl::Object& answer) {
        if (answer.text("type") != "error") return;
        spdlog::warn("order_refused kind=drain reason={}", log_value(answer.text("message")));
      });
    }
  }
}

}  // namespace heartbeat::relay
