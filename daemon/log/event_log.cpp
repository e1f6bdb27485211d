#include "daemon/log/event_log.h"

#include <algorithm>
#include <climits>
#include <string>
#include <utility>

#include <spdlog/spdlog.h>

#include "common/limits.h"
#include "common/text.h"
#include "daemon/core/reason.h"
#include "daemon/log/message_ids.h"

namespace heartbeat {
namespace {

using spdlog::level::level_enum;

// One record in the making.  say() is for the line, note() for the journal, add() for both.
class Words {
 public:
  Words(std::string_view word, std::string_view message_id, level_enum level)
      : record_{.message_id = message_id, .level = level, .message = std::string{word}, .fields = {}} {}

  Words& say(std::string_view key, std::string_view value) {
    record_.message.append(1, ' ').append(key).append(1, '=').append(log_value(value));
    return *this;
  }
  Words& note(std::string_view key, std::string value) {
    record_.fields.push_back({key, std::move(value)});
    return *this;
  }
  Words& add(std::string_view key, std::string_view value) {
    return say(key, value).note(key, std::string{value});
  }
  Words& add(std::string_view key, std::uint64_t value) { return add(key, std::to_string(value)); }
  // `key_ms` is the key with its unit: a line has seconds for people, a field milliseconds for programs.
  Words& add(std::string_view key, std::string_view key_ms, Millis value) {
    say(key, fmt::format("{}.{:03}s", value.count() / 1000, value.count() % 1000));
    return note(key_ms, std::to_string(value.count()));
  }
  Words& add_detail(std::string_view detail) {
    if (detail.empty()) return *this;
    record_.message.append(": ").append(detail);
    return note("detail", std::string{detail});
  }

  // Where an event's standing matters, its numbers always come in this order.
  Words& add_standing(const Event& event) {
    return add("silence", event.silence).add("strikes", event.strikes).add("steady", event.steady);
  }
  // The address, with the proxy's beside it where the client came through one.
  Words& say_peer(const Event& event) {
    say("peer", to_string(event.peer));
    return event.extra->via ? say("via", to_string(*event.extra->via)) : *this;
  }
  Words& say_claims(const Event& event) {
    say("ip", event.claimed_ip);
    return event.pid ? say("pid", std::to_string(*event.pid)) : *this;
  }
  Words& add_silent(const Event& event) { return add("silent", "silent_ms", event.silent); }
  Words& add_transition(const Event& event) {
    return add("from", to_string(event.from))
        .add("to", to_string(event.to))
        .add("reason", to_string(event.reason));
  }
  Words& add_previous_peer(const Event& event) {
    return add("previous_peer", to_string(event.extra->previous_peer.value_or(Endpoint{})));
  }

  Words& add_condition(const Event& event) {
    if (!event.extra->condition) return *this;
    const Event::OfCondition& condition = *event.extra->condition;
    return add("state", to_string(condition.phase))
        .add("count", condition.count)
        .add("lasted", "lasted_ms", event.at - condition.since);
  }

  [[nodiscard]] LogRecord take() { return std::move(record_); }

 private:
  LogRecord record_;
};

// What becomes of a connection by itself. A connection that never brought a byte is a balancer's probe and no
// client: it is counted, and logged at the debug level. A connection that the daemon or an operator closes is
// logged like any other: its peer may wait for an answer.
bool is_of_a_probe(const Event& event) {
  const bool is_our_doing = event.kind == Event::Kind::Closed &&
                            (event.reason == Reason::Kicked || event.reason == Reason::Shutdown ||
                             event.reason == Reason::Drained || event.reason == Reason::NeverSpoke);
  const bool is_its_own = event.kind == Event::Kind::Struck || event.kind == Event::Kind::Left ||
                          event.kind == Event::Kind::Closed;
  return !event.sent_bytes && is_its_own && !is_our_doing;
}

level_enum level_of(const Event& event) {
  // What belongs to a condition that lasts is reported by that.
  if (is_of_a_probe(event) || event.counted) return spdlog::level::debug;
  if (event.extra->condition && event.extra->condition->phase == Phase::Ended) return spdlog::level::info;
  switch (event.kind) {
    case Event::Kind::Connected:
    case Event::Kind::Heard: return spdlog::level::debug;
    case Event::Kind::Joined:
    case Event::Kind::Named:
    case Event::Kind::Struck:
    case Event::Kind::Returned:
    case Event::Kind::Held:
    case Event::Kind::HoldEnded:
    case Event::Kind::DrainComplete: return spdlog::level::info;
    case Event::Kind::Restarted:
      return event.reason == Reason::Crash ? spdlog::level::warn : spdlog::level::info;
    case Event::Kind::TakenOver:
      return event.extra->takeovers < limits::kFightTakeovers ? spdlog::level::info : spdlog::level::debug;
    case Event::Kind::Fight:
    case Event::Kind::Slow:
    case Event::Kind::Fast:
    case Event::Kind::AcceptPaused:
    case Event::Kind::ReloadRefused:
    case Event::Kind::CertificateExpires:
    case Event::Kind::Drain:
    case Event::Kind::RefusedAgain:
    case Event::Kind::Absent:
    case Event::Kind::Left:
    case Event::Kind::Refused:
    case Event::Kind::Stalled:
    case Event::Kind::Suspended:
    case Event::Kind::Braked:
    case Event::Kind::BrakeEnded: return spdlog::level::warn;
    case Event::Kind::Closed: {
      // Nothing is known to be wrong with a peer that sent nothing.
      const bool warns = facts_of(event.reason).warns && event.sent_bytes;
      return warns ? spdlog::level::warn : spdlog::level::info;
    }
  }
  return spdlog::level::critical;
}

// What every event of a client has: its name in the line, its other names in the journal.
void introduce_client(Words& words, const Event& event) {
  words.add("client", event.client).note("peer", to_string(event.peer));
  words.note("address", address_string(event.peer));
  if (!event.extra->on_hold.empty()) words.add("on_hold", event.extra->on_hold);
  if (!event.extra->group.empty()) words.note("group", event.extra->group);
  if (event.extra->via) words.note("via", to_string(*event.extra->via));
  if (!event.extra->certificate_name.empty()) words.note("certificate", event.extra->certificate_name);
  if (!event.extra->token_name.empty()) words.note("token_name", event.extra->token_name);
  if (!event.claimed_ip.empty()) words.note("ip", std::string{event.claimed_ip.view()});
  if (event.pid) words.note("pid", std::to_string(*event.pid));
}

// Instants as how long before the brake took hold: what a line has no clock for.
void add_brake(Words& words, const BrakeReport& brake, MonoTime at) {
  words.add("concerned", brake.span.concerned).add("clients", brake.span.connected);
  words.add("pause", "pause_ms", brake.span.until - brake.span.from);
  words.add("subnet", brake.subnet.empty() ? "none" : brake.subnet);
  words.add("listener", brake.listener ? to_string(*brake.listener) : "none");
  if (!brake.group.empty()) words.add("group", brake.group);
  words.add("heard_first", "heard_first_ms", at - brake.heard_first);
  words.add("heard_last", "heard_last_ms", at - brake.heard_last);
  words.add_detail(
      "many clients would be closed for silence at once, and the cause is more likely here or in the "
      "network; "
      "closing pauses, see heartbeatctl brake --help");
}

void add_brake_end(Words& words, const BrakeReport& brake) {
  words.add("ended", to_string(*brake.span.end)).add("held", brake.held);
  words.add("after", "after_ms", brake.span.until - brake.span.from);
}

void add_hold(Words& words, const Event& event) {
  const Hold& hold = *event.extra->hold;
  words.add("match", hold.clients.text).add("uid", hold.uid);
  if (event.kind == Event::Kind::Held) {
    words.add("for", "for_ms", hold.until - hold.since);
  } else {
    words.add("by", to_string(event.by)).add("after", "after_ms", event.at - hold.since);
  }
  words.add_detail(hold.why);
}

LogRecord record_of(const Event& event, level_enum level) {
  Words words{to_string(event.kind), message_id(event.kind), level};
  words.note("event", std::string{to_string(event.kind)});
  if (event.number > 0) words.note("number", std::to_string(event.number));
  if (!is_of_daemon(event.kind) && !event.client.empty()) introduce_client(words, event);
  if (event.extra->condition && event.extra->condition->phase != Phase::Began) {
    words.add_condition(event).add_detail(event.extra->detail);
    return words.take();
  }
  switch (event.kind) {
    case Event::Kind::Connected: break;
    case Event::Kind::Joined: words.say_peer(event).say_claims(event); break;
    case Event::Kind::Named: words.add("previous", event.extra->previous); break;
    case Event::Kind::TakenOver:
      words.say_peer(event).add_previous_peer(event).add("status", to_string(event.to));
      break;
    case Event::Kind::Fight:
      words.say_peer(event).add_previous_peer(event).add_detail(event.extra->detail);
      break;
    case Event::Kind::Heard:
      words.say_claims(event)
          .add("declared", to_string(event.extra->declared))
          .add("status", to_string(event.to));
      if (event.extra->seq) words.add("seq", *event.extra->seq);
      words.add_standing(event);
      break;
    case Event::Kind::Slow:
      words.add("interval", "interval_ms", event.extra->spacing)
          .add_detail(event.extra->detail +
                      ": clients beat steadily but slower than the tick, and will be judged silent; set the "
                      "tick to their interval");
      break;
    case Event::Kind::Fast:
      words.add("connected", "connected_ms", event.connected).add("heartbeats", event.heartbeats);
      words.add_detail(event.extra->detail);
      break;
    case Event::Kind::AcceptPaused:
      words.add("by", to_string(event.by)).add_detail(event.extra->detail);
      break;
    case Event::Kind::Absent:
      words.add("status", to_string(event.from)).add_detail(event.extra->detail);
      break;
    case Event::Kind::Struck: words.add_standing(event).add_silent(event); break;
    case Event::Kind::Left:
      words.add_transition(event).add_standing(event).add_silent(event);
      words.add_detail(event.extra->detail);
      break;
    case Event::Kind::Returned: words.add_transition(event).add_standing(event); break;
    case Event::Kind::Closed:
      words.add_transition(event).add("by", to_string(event.by)).add_standing(event).add_silent(event);
      words.add("connected", "connected_ms", event.connected).add("heartbeats", event.heartbeats);
      if (event.extra->bad_input) words.add("bad_input", to_string(*event.extra->bad_input));
      words.add_detail(event.extra->detail);
      break;
    case Event::Kind::Refused:
      words.add("reason", to_string(event.reason)).add_detail(event.extra->detail);
      break;
    case Event::Kind::RefusedAgain:
      words.add("reason", to_string(event.reason))
          .add_condition(event)
          .add_detail(
              "connections from this address end alike again and again; each further one is counted, and "
              "logged at the debug level: " +
              event.extra->detail);
      break;
    case Event::Kind::ReloadRefused:
    case Event::Kind::CertificateExpires:
    case Event::Kind::Drain:
    case Event::Kind::DrainComplete: words.add_detail(event.extra->detail); break;
    case Event::Kind::Stalled:
      words.add("stalled", "stalled_ms", event.extra->stalled)
          .add_detail("the daemon itself was not listening; no client is charged for it");
      break;
    case Event::Kind::Suspended:
      words.add("suspended", "suspended_ms", event.extra->stalled)
          .add_detail("the machine was suspended; no client is charged for it");
      break;
    case Event::Kind::Restarted:
      words.add("from_version", event.extra->previous)
          .add("to_version", event.extra->detail)
          .add("restarted", "restarted_ms", event.extra->stalled);
      if (event.reason == Reason::Crash) words.add("reason", to_string(event.reason));
      break;
    case Event::Kind::Braked:
      if (event.extra->brake != nullptr) add_brake(words, *event.extra->brake, event.at);
      break;
    case Event::Kind::BrakeEnded:
      if (event.extra->brake != nullptr) add_brake_end(words, *event.extra->brake);
      break;
    case Event::Kind::Held:
    case Event::Kind::HoldEnded:
      if (event.extra->hold != nullptr) add_hold(words, event);
      break;
  }
  return words.take();
}

// Kinds whose events have a reason, so that a sum can tell how many had which.
bool has_reason(Event::Kind kind) {
  return kind == Event::Kind::Left || kind == Event::Kind::Returned || kind == Event::Kind::Closed ||
         kind == Event::Kind::Refused;
}

std::string join(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list.append(list.empty() ? "" : ",").append(name);
  return list;
}

std::string reasons_of(const FloodControl::Sum& sum) {
  std::string list;
  for (std::size_t i = 0; i < sum.by_reason.size(); ++i) {
    if (sum.by_reason.at(i) == 0) continue;
    list.append(list.empty() ? "" : ",").append(to_string(static_cast<Reason>(i)));
    list.append(1, ':').append(std::to_string(sum.by_reason.at(i)));
  }
  return list;
}

LogRecord record_of(const FloodControl::Sum& sum) {
  Words words{"more", kSummaryMessageId, sum.level};
  words.add("event", to_string(sum.kind)).add("count", sum.count);
  if (has_reason(sum.kind)) words.add("reasons", reasons_of(sum));
  words.add("first", join(sum.first)).add_detail("beyond the log's rate in one second, summed up");
  return words.take();
}

}  // namespace

void EventLog::tell(const Event& event, MonoTime now) {
  const level_enum level = level_of(event);
  if (!spdlog::should_log(level)) return;
  turn(now);
  // At the debug level every line is wanted.
  const bool is_bounded = level > spdlog::level::debug;
  if (!is_bounded || flood_.admit(event, level, now)) write_(record_of(event, level));
}

void EventLog::turn(MonoTime now) {
  while (const auto sum = flood_.take_sum(now)) write_(record_of(*sum));
}

// A pipe takes PIPE_BUF bytes at once or none, and standard error may be one (common/log.cpp): a line must be
// shorter.  The rest of the line (time, level, title, counts, colours) is below 200 bytes.  PIPE_BUF is 4096
// on Linux and 512 on macOS.
constexpr std::size_t kRosterBytes = std::size_t{PIPE_BUF} - 200;
// A name has at most kIdMax bytes, all printable, of which log_value() escapes quotes and backslashes; around
// it stand two quotes, a space, a status and a comma with its space.
static_assert(2 * limits::kIdMax + std::string_view{"\"\" alive, "}.size() <= kRosterBytes);

void EventLog::tell_roster(const Monitor& monitor) {
  if (monitor.roster_version() == roster_version_) return;
  roster_version_ = monitor.roster_version();

  const Registry& clients = monitor.clients();
  std::string list;
  std::size_t shown = 0;
  for (std::uint32_t slot = 0; slot < clients.slots() && shown < limits::kRosterShown; ++slot) {
    const Client* const client = clients.at(slot);
    if (client == nullptr) continue;
    std::string entry = shown == 0 ? "" : ", ";
    entry.append(log_value(name_of(*client))).append(1, ' ').append(to_string(client->liveness.status()));
    if (list.size() + entry.size() > kRosterBytes) break;
    list += entry;
    ++shown;
  }
  const std::size_t more = clients.size() - shown;
  if (more > 0) list += fmt::format(", and {} more", more);
  spdlog::debug("Current server management user list ({}): [{}]", clients.size(), list);
}

}  // namespace heartbeat
