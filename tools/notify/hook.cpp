#include "tools/notify/hook.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include <spdlog/spdlog.h>

#include "common/events/line.h"
#include "common/json_writer.h"
#include "common/text.h"
#include "tools/notify/signature.h"

namespace heartbeat::notify {
namespace {

// What Standard Webhooks advises for one request.
constexpr std::size_t kBatchEvents = 64;
constexpr std::size_t kBatchBytes = std::size_t{20} * 1024;
// Alerts are short, and an Alertmanager takes them by the thousand.
constexpr std::size_t kBatchAlerts = 1000;
constexpr std::size_t kBatchAlertBytes = std::size_t{4} * 1024 * 1024;
constexpr Millis kRetryFirst{1000};
constexpr Millis kRetryMax{5LL * 60 * 1000};
constexpr Millis kOverloadedPause{5000};
constexpr Millis kSaveEvery{10'000};
constexpr Millis kAlertsEvery{60'000};

WallTime wall_now() {
  return std::chrono::floor<Millis>(std::chrono::system_clock::now());
}

}  // namespace

Hook::Hook(uv::Loop& loop, const Config& config, HookConfig hook, Place place, HttpClient& http,
           std::uint32_t seed)
    : loop_(loop),
      hook_(std::move(hook)),
      place_(std::move(place)),
      http_(http),
      runner_(loop),
      backoff_(seed, kRetryFirst, kRetryMax),
      file_(place_.state_directory + '/' + hook_.name + ".cursor"),
      alerts_file_(place_.state_directory + '/' + hook_.name + ".alerts"),
      alerts_(hook_.labels),
      follower_options_{.journal = config.journal, .control = config.control} {}

tl::expected<void, std::string> Hook::begin() {
  const auto saved = file_.load();
  if (!saved) return tl::unexpected(file_.path() + ": " + std::strerror(saved.error()));
  const auto alerts = alerts_file_.load();
  if (!alerts) return tl::unexpected(alerts_file_.path() + ": " + std::strerror(alerts.error()));
  if (*alerts) alerts_.load(**alerts);
  std::optional<JournalCursor> cursor;
  if (*saved) {
    const std::string& object = **saved;
    cursor = parse_cursor(events::text_in(object, "cursor"));
    follower_options_.from_oldest = true;  // there was no journal yet
    state_.batch_end = parse_cursor(events::text_in(object, "batch_end"));
    state_.failing_since_ms = events::number_in(object, "failing_since_ms").value_or(0);
    state_.lost = events::number_in(object, "lost").value_or(0);
    state_.lost_from = events::text_in(object, "lost_from");
    state_.lost_to = events::text_in(object, "lost_to");
  }
  follower_.emplace(loop_, follower_options_, cursor, [this] { poll(); });
  state_.cursor = batch_end_ = follower_->cursor().value_or(JournalCursor{});
  if (!save()) return tl::unexpected(file_.path() + " cannot be written");
  timer_ = uv::Timer::create(loop_, [this] { poll(); });
  timer_->arm(Millis{1});
  return {};
}

bool Hook::save() {
  std::string object;
  JsonWriter json{object};
  json.begin_object();
  json.add("type", "hook");
  if (!state_.cursor.boot.empty()) json.add("cursor", to_string(state_.cursor));
  if (state_.batch_end) json.add("batch_end", to_string(*state_.batch_end));
  if (state_.failing_since_ms > 0) json.add("failing_since_ms", state_.failing_since_ms);
  if (state_.lost > 0) {
    json.add("lost", state_.lost);
    json.add("lost_from", state_.lost_from);
    json.add("lost_to", state_.lost_to);
  }
  json.end_object();
  const int error = file_.save(object);
  if (error != 0)
    spdlog::error("hook={} cannot write {}: {}", hook_.name, file_.path(), std::strerror(error));
  next_save_ = loop_.now() + kSaveEvery;
  is_unsaved_ = error != 0;
  saved_cursor_ = state_.cursor;
  return error == 0;
}

// --- a batch ----------------------------------------------------------------------------------------------

std::size_t Hook::events_max() const {
  return hook_.kind == HookConfig::Kind::Alertmanager ? kBatchAlerts : kBatchEvents;
}

void Hook::poll() {
  if (is_off_ || is_attempting_) return;
  if (!is_sealed_) collect();
  if (!is_sealed_ && is_ready()) seal();
  if (is_sealed_ && loop_.now() >= next_try_) return attempt();
  if (!has_batch() && alerts_.count() > 0 && loop_.now() >= next_alerts_) return send_alerts_again();
  // Events that this hook does not want move its place, too.
  if (!has_batch()) state_.cursor = batch_end_;
  if ((is_unsaved_ || !(state_.cursor == saved_cursor_)) && loop_.now() >= next_save_)
    static_cast<void>(save());
  Millis wait{1000};
  if (is_sealed_)
    wait = std::max(Millis{1}, next_try_ - loop_.now());
  else if (has_batch())
    wait = std::max(Millis{1}, batch_since_ + std::max(hook_.wait, hook_.digest) - loop_.now());
  timer_->arm(wait);
}

void Hook::collect() {
  while (!is_full_) {
    auto item = held_ ? std::exchange(held_, std::nullopt) : follower_->next();
    if (!item) return;
    if (item->kind == Follower::Item::Kind::Note) continue;
    const std::uint64_t seq = item->cursor.seq;
    take(std::move(*item));
    // What an earlier process may have sent has this extent, and so the same id.
    if (!held_ && state_.batch_end && seq >= state_.batch_end->seq && has_batch()) is_full_ = true;
  }
}

void Hook::take(Follower::Item item) {
  const bool is_loss = item.kind == Follower::Item::Kind::Loss;
  const EventFacts facts = is_loss ? EventFacts{} : facts_of(item.text);
  if (!is_loss && !is_wanted(facts)) {
    batch_end_ = item.cursor;
    return;
  }
  if (!is_loss && !has_batch() && is_too_old(facts.at)) return give_up(item.cursor, 1);
  if (!has_batch()) {
    batch_since_ = loop_.now();
    batch_first_ = item.cursor;
    if (state_.cursor.boot.empty()) state_.cursor = {item.cursor.boot, item.cursor.seq - 1};
    batch_at_ = facts.at;
  }
  if (is_loss) item.text = lost_object(item.count.value_or(0), to_string(batch_end_), to_string(item.cursor));
  if (hook_.digest > Millis{0}) {
    if (is_loss) digest_.add_loss(item.count.value_or(1));
    digest_.add(facts, item.cursor);
  } else {
    const bool is_alert = hook_.kind == HookConfig::Kind::Alertmanager;
    const std::size_t bytes_max = is_alert ? kBatchAlertBytes : kBatchBytes;
    if (!records_.empty() && bytes_ + item.text.size() > bytes_max) {
      held_ = std::move(item);
      is_full_ = true;
      return;
    }
    bytes_ += item.text.size();
    records_.push_back({item.cursor, std::move(item.text)});
    is_full_ = records_.size() >= events_max();
  }
  batch_end_ = item.cursor;
}

bool Hook::is_wanted(const EventFacts& facts) const {
  const bool is_kind = hook_.events.empty() ||
                       std::find(hook_.events.begin(), hook_.events.end(), facts.event) != hook_.events.end();
  return is_kind && (!hook_.match || (!facts.client.empty() && hook_.match->matches(facts.client)));
}

// Only while nothing has been delivered for as long: an event that was written while no notifier ran is still
// sent.
bool Hook::is_too_old(const std::string& at) const {
  if (state_.failing_since_ms == 0) return false;
  const WallTime horizon = wall_now() - hook_.give_up;
  return WallTime{Millis{static_cast<std::int64_t>(state_.failing_since_ms)}} <= horizon &&
         at < format_instant(horizon);
}

bool Hook::is_ready() const {
  if (!has_batch()) return false;
  return is_full_ || loop_.now() >= batch_since_ + std::max(hook_.wait, hook_.digest);
}

// From here on the batch is what it is: its extent is on disk before anything of it is sent.
void Hook::seal() {
  if (hook_.digest > Millis{0}) records_ = {{batch_first_, digest_.object()}};
  if (state_.lost > 0) {
    const JournalCursor to = parse_cursor(state_.lost_to).value_or(batch_first_);
    records_.insert(records_.begin(), {to, lost_object(state_.lost, state_.lost_from, state_.lost_to)});
  }
  body_ = body_of_records();
  is_sealed_ = true;
  next_try_ = std::max(next_try_, loop_.now());
  state_.batch_end = batch_end_;
  if (!save()) next_try_ = loop_.now() + kRetryFirst;
}

std::string Hook::body_of_records() {
  switch (hook_.kind) {
    case HookConfig::Kind::Alertmanager: return alerts_.apply(records_, wall_now());
    case HookConfig::Kind::Command: return event_lines(records_);
    case HookConfig::Kind::Webhook: break;
  }
  return hook_.format == HookConfig::Format::CloudEvents ? cloudevents(records_, place_.host)
                                                         : plain_events(records_);
}

// --- delivering -------------------------------------------------------------------------------------------

void Hook::attempt() {
  if (body_.empty()) return delivered();  // no alert of it changed
  is_attempting_ = true;
  const std::string id = hook_.name + '-' + batch_first_.boot + '-' + std::to_string(batch_first_.seq);
  send(body_, id, [this](const AttemptResult& result) { ended(result); });
}

void Hook::send(const std::string& body, const std::string& id, OnAttemptEnd on_end) {
  HttpClient::Request request{.url = hook_.url, .body = body, .timeout = hook_.timeout};
  request.headers = {"Content-Type: application/json", "Expect:"};
  switch (hook_.kind) {
    case HookConfig::Kind::Command:
      return runner_.run(hook_.command, hook_.name, body, hook_.timeout, std::move(on_end));
    case HookConfig::Kind::Alertmanager: request.url += "/api/v2/alerts"; break;
    case HookConfig::Kind::Webhook: sign(request, id); break;
  }
  http_.send(std::move(request), std::move(on_end));
}

void Hook::sign(HttpClient::Request& request, const std::string& id) const {
  const auto at = std::chrono::floor<std::chrono::seconds>(wall_now()).time_since_epoch().count();
  if (hook_.format == HookConfig::Format::CloudEvents) {
    request.headers.front() = "Content-Type: application/cloudevents-batch+json";
  }
  request.headers.push_back("webhook-id: " + id);
  request.headers.push_back("webhook-timestamp: " + std::to_string(at));
  if (place_.key.empty()) return;
  request.headers.push_back("webhook-signature: " + signature(place_.key, id, at, request.body));
}

void Hook::test(OnAttemptEnd on_end) {
  const std::string at = format_instant(wall_now());
  std::string object;
  JsonWriter json{object};
  json.begin_object();
  json.add("type", "event");
  json.add("event", hook_.kind == HookConfig::Kind::Alertmanager ? "leave" : "test");
  json.add("at", at);
  json.add("client", "heartbeat-notify-test");
  json.add("reason", "test");
  json.end_object();
  records_ = {{JournalCursor{"test", 0}, object}};
  send(body_of_records(), hook_.name + "-test-" + at, std::move(on_end));
}

void Hook::ended(const AttemptResult& result) {
  is_attempting_ = false;
  if (result.is_delivered) {
    if (state_.failing_since_ms > 0) spdlog::info("hook={} delivers again: {}", hook_.name, result.text);
    delivered();
  } else if (result.is_gone) {
    is_off_ = true;
    spdlog::error("hook_off hook={}: the receiver answered 410, and is sent nothing more until a restart",
                  hook_.name);
  } else {
    failed(result);
  }
}

void Hook::delivered() {
  backoff_.succeeded();
  next_try_ = {};
  if (hook_.kind == HookConfig::Kind::Alertmanager && is_sealed_) {
    const int error = alerts_file_.save(alerts_.save());
    if (error != 0)
      spdlog::error("hook={} cannot write {}: {}", hook_.name, alerts_file_.path(), std::strerror(error));
  }
  if (is_sealed_) {
    state_ = {.cursor = batch_end_};
    clear_batch();
  } else {
    state_.failing_since_ms = 0;
  }
  next_alerts_ = loop_.now() + kAlertsEvery;
  // With the extent of the next batch, where there is one: one write for both.
  next_save_ = loop_.now();
  is_unsaved_ = true;
  timer_->arm(Millis{1});
}

void Hook::failed(const AttemptResult& result) {
  const bool is_first = state_.failing_since_ms == 0;
  if (is_first) {
    state_.failing_since_ms = static_cast<std::uint64_t>(wall_now().time_since_epoch().count());
    static_cast<void>(save());
  }
  Millis pause = backoff_.failed();
  if (result.retry_after) {
    pause = std::max(pause, *result.retry_after);
  } else if (result.text == "429" || result.text == "502" || result.text == "504") {
    pause = std::max(pause, kOverloadedPause);
  }
  next_try_ = loop_.now() + pause;
  next_alerts_ = next_try_;
  if (is_first) {
    spdlog::warn("hook_failing hook={} answer={}: it is tried again, for {} ms at most", hook_.name,
                 log_value(result.text), hook_.give_up.count());
  } else {
    spdlog::debug("hook={} failed again: {}; next attempt in {} ms", hook_.name, result.text, pause.count());
  }
  if (is_sealed_ && is_too_old(batch_at_)) abandon();
  timer_->arm(std::max(Millis{1}, pause));
}

// The batch was refused for `give_up`: the next one begins with its number.
void Hook::abandon() {
  const std::uint64_t before =
      state_.lost > 0 ? 1 : 0;  // the record of an earlier loss is none of the events
  const std::uint64_t events = hook_.digest > Millis{0} ? digest_.count() : records_.size() - before;
  give_up(batch_end_, events);
  state_.batch_end.reset();
  clear_batch();
  static_cast<void>(save());
}

void Hook::give_up(const JournalCursor& cursor, std::uint64_t count) {
  if (state_.lost == 0) {
    state_.lost_from = to_string(has_batch() ? batch_first_ : cursor);
    spdlog::error("hook_gave_up hook={}: events from {} on are not delivered; the next delivery says so",
                  hook_.name, state_.lost_from);
  }
  state_.lost += count;
  state_.lost_to = to_string(cursor);
  state_.cursor = batch_end_ = cursor;
}

void Hook::clear_batch() {
  records_.clear();
  bytes_ = 0;
  digest_ = {};
  body_.clear();
  is_full_ = is_sealed_ = false;
}

void Hook::send_alerts_again() {
  is_attempting_ = true;
  send(alerts_.firing(wall_now()), {}, [this](const AttemptResult& result) { ended(result); });
}

}  // namespace heartbeat::notify
