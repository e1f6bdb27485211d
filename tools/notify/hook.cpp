#include "tools/notify/hook.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include <spdlog/spdlog.h>

#include "common/json_writer.h"
#include "common/text.h"
#include "tools/ctl/time_text.h"
#include "tools/notify/change.h"
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
constexpr Millis kLookEvery{1000};
// What the daemon calls the clients that are in no group.
constexpr std::string_view kNoGroup = "default";

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
      follower_options_{.journal = config.journal, .control = config.control},
      lasting_(hook_.after),
      flapping_(hook_.flap) {}

tl::expected<void, std::string> Hook::begin() {
  const auto saved = file_.load();
  if (!saved) return tl::unexpected(file_.path() + ": " + std::strerror(saved.error()));
  const auto alerts = alerts_file_.load();
  if (!alerts) return tl::unexpected(alerts_file_.path() + ": " + std::strerror(alerts.error()));
  if (*alerts) alerts_.load(**alerts);
  std::optional<JournalCursor> place;
  if (*saved) {
    state_ = hook_state_of(**saved);
    lasting_.load_forgiven(state_.forgiven);
    hold_quiet_.load(state_.held);
    flapping_.load(state_.flapping);
    follower_options_.from_oldest = true;  // where there was no journal yet
    const JournalCursor& behind = state_.batch ? state_.batch->end : state_.cursor;
    if (!behind.boot.empty()) place = behind;
  }
  follower_.emplace(loop_, follower_options_, place, [this] { poll(); });
  batch_end_ = follower_->cursor().value_or(JournalCursor{});
  if (!state_.batch) state_.cursor = batch_end_;
  if (!save()) return tl::unexpected(file_.path() + " cannot be written");
  timer_ = uv::Timer::create(loop_, [this] { poll(); });
  timer_->arm(Millis{1});
  return {};
}

bool Hook::save() {
  state_.forgiven = lasting_.forgiven();
  state_.held = hold_quiet_.clients();
  state_.flapping = flapping_.clients();
  HookState kept = state_;
  if (hook_.kind == HookConfig::Kind::Alertmanager) kept.batch.reset();
  const int error = file_.save(to_json(kept));
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
  if (!state_.batch) collect();
  if (!state_.batch && is_ready()) seal();
  if (!state_.batch && !has_events()) {
    if (const Flapping::Client* const calm = flapping_.calm(wall_now())) seal_calm(*calm);
  }
  if (state_.batch && loop_.now() >= next_try_) return attempt();
  const bool is_idle = !state_.batch && !has_events();
  if (is_idle && alerts_.count() > 0 && loop_.now() >= next_alerts_) return send_alerts_again();
  // Events that this hook does not want move its place, too.
  if (is_idle) state_.cursor = batch_end_;
  if ((is_unsaved_ || !(state_.cursor == saved_cursor_)) && loop_.now() >= next_save_)
    static_cast<void>(save());
  timer_->arm(std::max(Millis{1}, until_due()));
}

// The length of the timer: the follower calls poll() for what is new in the journal.
Millis Hook::until_due() const {
  if (state_.batch) return next_try_ - loop_.now();
  if (has_events()) return batch_since_ + std::max(hook_.wait, hook_.digest) - loop_.now();
  const auto due = lasting_.due();
  return due ? std::min(kLookEvery, *due - wall_now()) : kLookEvery;
}

void Hook::collect() {
  while (!is_full_) {
    auto entry = held_ ? std::exchange(held_, std::nullopt) : next_wanted();
    if (!entry) return;
    take(std::move(*entry));
  }
}

std::optional<Lasting::Entry> Hook::next_wanted() {
  while (auto entry = next_due()) {
    if (passes(*entry)) return entry;
    batch_end_ = entry->cursor;
  }
  return {};
}

// The next event, when it has lasted for `after`.
std::optional<Lasting::Entry> Hook::next_due() {
  while (true) {
    if (auto entry = lasting_.next(wall_now())) return entry;
    if (lasting_.is_full()) return {};
    auto item = follower_->next();
    if (!item) return {};
    if (item->kind == Follower::Item::Kind::Note) continue;
    Lasting::Entry entry{.cursor = item->cursor, .text = std::move(item->text)};
    entry.is_missing = item->kind == Follower::Item::Kind::Loss;
    entry.count = item->count.value_or(0);
    if (!entry.is_missing) entry.facts = facts_of(entry.text);
    lasting_.add(std::move(entry), wall_now());
  }
}

// Whether the receiver is sent the event, or with a client that begins to flap a notice in its place.
bool Hook::passes(Lasting::Entry& entry) {
  if (entry.is_missing) return true;
  const bool is_quiet = is_quiet_for_hold(entry.facts);
  if (entry.did_not_last || is_quiet || !is_wanted(entry.facts)) return false;
  switch (flapping_.judge(entry.facts, entry.cursor, entry.at)) {
    case Flapping::Verdict::Tell: return true;
    case Flapping::Verdict::Silent: return false;
    case Flapping::Verdict::Begins: break;
  }
  entry.text = flapping_object(*flapping_.find(entry.facts.client));
  entry.facts.event = "flapping";
  return true;
}

void Hook::take(Lasting::Entry entry) {
  if (!entry.is_missing && !has_events() && is_too_old(entry.facts.at)) {
    return give_up(entry.cursor, entry.cursor, 1);
  }
  if (!has_events()) {
    batch_since_ = loop_.now();
    batch_first_ = entry.cursor;
    if (state_.cursor.boot.empty()) state_.cursor = {entry.cursor.boot, entry.cursor.seq - 1};
    batch_at_ = entry.facts.at;
  }
  if (entry.is_missing) entry.text = lost_object(entry.count, to_string(batch_end_), to_string(entry.cursor));
  if (hook_.digest > Millis{0}) {
    if (entry.is_missing) digest_.add_loss(std::max<std::uint64_t>(entry.count, 1));
    digest_.add(entry.facts, entry.cursor);
  } else {
    const bool is_alert = hook_.kind == HookConfig::Kind::Alertmanager;
    const std::size_t bytes_max = is_alert ? kBatchAlertBytes : kBatchBytes;
    if (!records_.empty() && bytes_ + entry.text.size() > bytes_max) {
      held_ = std::move(entry);
      is_full_ = true;
      return;
    }
    bytes_ += entry.text.size();
    records_.push_back({entry.cursor, std::move(entry.text)});
    is_full_ = records_.size() >= events_max();
  }
  batch_end_ = entry.cursor;
}

bool Hook::is_wanted(const EventFacts& facts) const {
  const bool is_kind = hook_.events.empty() ||
                       std::find(hook_.events.begin(), hook_.events.end(), facts.event) != hook_.events.end();
  if (!is_kind || (hook_.match && (facts.client.empty() || !hook_.match->matches(facts.client))))
    return false;
  if (hook_.groups.empty()) return true;
  const std::string_view group = facts.group.empty() ? kNoGroup : std::string_view{facts.group};
  return !facts.client.empty() &&
         std::find(hook_.groups.begin(), hook_.groups.end(), group) != hook_.groups.end();
}

// An alert that fired before the hold must end with what ends it; of one that did not, its end says nothing.
bool Hook::is_quiet_for_hold(const EventFacts& facts) {
  if (hook_.held || !hold_quiet_.leaves_out(facts)) return false;
  const Change change = change_of(facts);
  const bool ends_alert = change == Change::Back || change == Change::Settled;
  return hook_.kind != HookConfig::Kind::Alertmanager || !ends_alert;
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
  if (!has_events()) return false;
  return is_full_ || loop_.now() >= batch_since_ + std::max(hook_.wait, hook_.digest);
}

// From here on the batch is what it is: it is on disk before anything of it is sent.
void Hook::seal() {
  const std::uint64_t events = hook_.digest > Millis{0} ? digest_.count() : records_.size();
  if (hook_.digest > Millis{0}) records_ = {{batch_first_, digest_.object()}};
  if (state_.lost > 0) {
    const JournalCursor to = parse_cursor(state_.lost_to).value_or(batch_first_);
    records_.insert(records_.begin(), {to, lost_object(state_.lost, state_.lost_from, state_.lost_to)});
  }
  state_.batch = {.id = webhook_id(batch_first_),
                  .body = body_of(records_),
                  .first = batch_first_,
                  .end = batch_end_,
                  .at = batch_at_,
                  .events = events};
  clear_batch();
  next_try_ = std::max(next_try_, loop_.now());
  if (!save()) next_try_ = loop_.now() + kRetryFirst;
}

// The last event of a client that flapped was left out, so that no other batch has its id.
void Hook::seal_calm(const Flapping::Client& client) {
  state_.batch = {.id = webhook_id(client.cursor),
                  .body = body_of({{client.cursor, calm_object(client)}}),
                  .first = client.cursor,
                  .end = batch_end_,
                  .at = format_instant(wall_now()),
                  .events = 1,
                  .calm = client.name};
  next_try_ = std::max(next_try_, loop_.now());
  if (!save()) next_try_ = loop_.now() + kRetryFirst;
}

std::string Hook::webhook_id(const JournalCursor& first) const {
  return hook_.name + '-' + first.boot + '-' + std::to_string(first.seq);
}

std::string Hook::body_of(const std::vector<Record>& records) {
  switch (hook_.kind) {
    case HookConfig::Kind::Alertmanager: return alerts_.apply(records, wall_now());
    case HookConfig::Kind::Command: return event_lines(records);
    case HookConfig::Kind::Webhook: break;
  }
  return hook_.format == HookConfig::Format::CloudEvents ? cloudevents(records, place_.host)
                                                         : plain_events(records);
}

// --- delivering -------------------------------------------------------------------------------------------

void Hook::attempt() {
  if (state_.batch->body.empty()) return delivered();  // no alert of it changed
  is_attempting_ = true;
  send(state_.batch->body, state_.batch->id, [this](const AttemptResult& result) { ended(result); });
}

void Hook::send(const std::string& body, const std::string& id, OnAttemptEnd on_end) {
  HttpClient::Request request{.url = hook_.url, .body = body, .timeout = hook_.timeout};
  request.headers = {"Content-Type: application/json", "Expect:"};
  switch (hook_.kind) {
    case HookConfig::Kind::Command: {
      std::vector<std::string> environment = environment_of(body);
      environment.push_back("HEARTBEAT_HOOK=" + hook_.name);
      return runner_.run(hook_.command, std::move(environment), body, hook_.timeout, std::move(on_end));
    }
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
  if (place_.keys.empty()) return;
  std::string signatures;
  for (const std::string& key : place_.keys) signatures += ' ' + signature(key, id, at, request.body);
  request.headers.push_back("webhook-signature:" + signatures);
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
  send(body_of({{JournalCursor{"test", 0}, object}}), hook_.name + "-test-" + at, std::move(on_end));
}

HookStatus Hook::status(std::uint64_t newest) const {
  HookStatus status = status_;
  status.name = hook_.name;
  switch (hook_.kind) {
    case HookConfig::Kind::Webhook: status.kind = "webhook"; break;
    case HookConfig::Kind::Alertmanager: status.kind = "alertmanager"; break;
    case HookConfig::Kind::Command: status.kind = "command"; break;
  }
  if (!is_well()) status.state = is_off_ ? HookStatus::State::Off : HookStatus::State::Failing;
  status.lag_events = newest - std::min(newest, state_.cursor.seq);
  const std::string& oldest = state_.batch ? state_.batch->at : has_events() ? batch_at_ : std::string{};
  if (const auto at = ctl::parse_instant(oldest)) {
    status.lag = std::max(Millis{0}, wall_now() - WallTime{*at});
  }
  return status;
}

void Hook::ended(const AttemptResult& result) {
  is_attempting_ = false;
  status_.last_answer = result.text;
  status_.last_at = wall_now();
  ++(result.is_delivered ? status_.delivered : status_.failures);
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
  if (hook_.kind == HookConfig::Kind::Alertmanager && state_.batch) {
    const int error = alerts_file_.save(alerts_.save());
    if (error != 0)
      spdlog::error("hook={} cannot write {}: {}", hook_.name, alerts_file_.path(), std::strerror(error));
  }
  if (state_.batch) {
    flapping_.forget(state_.batch->calm);
    state_ = {.cursor = state_.batch->end};
  }
  state_.failing_since_ms = 0;
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
  const std::string whole = result.output.empty() ? result.text : result.text + ": " + result.output;
  if (is_first) {
    spdlog::warn("hook_failing hook={} answer={}: it is tried again, for {} ms at most", hook_.name,
                 log_value(whole), hook_.give_up.count());
  } else {
    spdlog::debug("hook={} failed again: {}; next attempt in {} ms", hook_.name, whole, pause.count());
  }
  if (state_.batch && is_too_old(state_.batch->at)) abandon();
  timer_->arm(std::max(Millis{1}, pause));
}

// The batch was refused for `give_up`: the next one begins with its number.
void Hook::abandon() {
  const SealedBatch batch = *std::exchange(state_.batch, std::nullopt);
  flapping_.forget(batch.calm);
  give_up(batch.first, batch.end, batch.events);
  static_cast<void>(save());
}

void Hook::give_up(const JournalCursor& from, const JournalCursor& to, std::uint64_t count) {
  if (state_.lost == 0) {
    state_.lost_from = to_string(from);
    spdlog::error("hook_gave_up hook={}: events from {} on are not delivered; the next delivery says so",
                  hook_.name, state_.lost_from);
  }
  state_.lost += count;
  status_.lost += count;
  state_.lost_to = to_string(to);
  state_.cursor = batch_end_ = to;
}

void Hook::clear_batch() {
  records_.clear();
  bytes_ = 0;
  digest_ = {};
  is_full_ = false;
}

void Hook::send_alerts_again() {
  is_attempting_ = true;
  send(alerts_.firing(wall_now()), {}, [this](const AttemptResult& result) { ended(result); });
}

}  // namespace heartbeat::notify
