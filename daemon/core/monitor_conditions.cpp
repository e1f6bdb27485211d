// What is wrong for as long as it lasts: what the monitor does for conditions.h and refused_peers.h.
#include <algorithm>
#include <new>
#include <utility>

#include "daemon/core/monitor.h"
#include "daemon/core/wording.h"

namespace heartbeat {
namespace {

// Whether the daemon had a reason to end the connection, or what came on it was cut short.  A balancer's
// probe that closes by itself is nothing wrong.
bool is_refusal(const Event& ended) {
  if (ended.kind == Event::Kind::Refused) return true;
  if (ended.reason == Reason::Kicked || ended.reason == Reason::Shutdown || ended.reason == Reason::Drained)
    return false;
  return ended.by == Party::Daemon || !ended.extra->detail.empty();
}

Event::Kind kind_of_event(Condition::Kind kind) {
  switch (kind) {
    case Condition::Kind::Fight: return Event::Kind::Fight;
    case Condition::Kind::SlowBeats: return Event::Kind::Slow;
    case Condition::Kind::AcceptPaused: return Event::Kind::AcceptPaused;
    case Condition::Kind::ReloadRefused: return Event::Kind::ReloadRefused;
    case Condition::Kind::RefusedAgain: return Event::Kind::RefusedAgain;
    case Condition::Kind::CertificateExpires: return Event::Kind::CertificateExpires;
    case Condition::Kind::Drain: return Event::Kind::Drain;
  }
  return Event::Kind::Fight;
}

}  // namespace

// Returns whether what happened belongs to a condition.  The beginning of one is reported by this event.
bool Monitor::happened(Condition::Kind kind, std::string_view subject, Event&& event, MonoTime over,
                       std::uint64_t times, Effects& effects) {
  const auto seen = state_.conditions.happened(kind, subject, event.extra->detail, event.at, over, times);
  if (seen == Conditions::Seen::Counted) return true;
  // An end that is logged anyway needs no report of its own.
  if (seen == Conditions::Seen::Unrecorded && kind == Condition::Kind::RefusedAgain) return false;
  if (seen == Conditions::Seen::Began) {
    event.extra.edit().condition = Event::OfCondition{Phase::Began, event.at, times};
  }
  tell(std::move(event), effects);
  return seen == Conditions::Seen::Began;
}

void Monitor::review_conditions(MonoTime now, Effects& effects) {
  while (auto due = state_.conditions.due(now)) {
    Condition& condition = due->condition;
    const Event::Kind kind = kind_of_event(condition.kind);
    Event event{
        .kind = kind,
        .at = due->phase == Phase::Ended ? std::max(condition.latest, std::min(condition.over, now)) : now,
        .client = is_of_daemon(kind) ? NameText{} : NameText{condition.subject}};
    event.extra.edit().condition = Event::OfCondition{due->phase, condition.began, condition.count};
    event.extra.edit().detail = std::move(condition.detail);
    tell(std::move(event), effects);
  }
}

// A connection has ended before its first heartbeat.  Returns whether its end is one of a condition that
// lasts.
//
// Where memory lacks, the end is forgotten, but it must be reported all the same: it may be memory that the
// connection was refused for.
bool Monitor::remember_refused(const Event& ended, Effects& effects) try {
  const RefusedPeer& peer = state_.refused.add({.peer = ended.peer,
                                                .at = ended.at,
                                                .reason = ended.reason,
                                                .bad_input = ended.extra->bad_input,
                                                .detail = ended.extra->detail});
  if (!is_refusal(ended) || peer.alike < kRefusedAlike) return false;
  const std::string address = address_string(ended.peer);
  Event event{.kind = Event::Kind::RefusedAgain,
              .reason = ended.reason,
              .at = ended.at,
              .client = NameText{address},
              .peer = ended.peer};
  event.extra.edit().detail = ended.extra->detail;
  const bool is_known = state_.conditions.lasts(Condition::Kind::RefusedAgain, address, ended.at);
  return happened(Condition::Kind::RefusedAgain, address, std::move(event), ended.at + kConditionQuiet,
                  is_known ? 1 : peer.alike, effects);
} catch (const std::bad_alloc&) {
  return false;
}

void Monitor::accept_paused(std::string_view detail, MonoTime now, Effects& effects) {
  Event event{.kind = Event::Kind::AcceptPaused, .at = now};
  event.extra.edit().detail = detail;
  happened(Condition::Kind::AcceptPaused, {}, std::move(event), now + limits::kAcceptQuiet, 1, effects);
}

void Monitor::accept_still_paused(MonoTime now) noexcept {
  state_.conditions.prolong(Condition::Kind::AcceptPaused, {}, now + limits::kAcceptQuiet);
}

void Monitor::reloaded(std::string_view refusal, MonoTime now, Effects& effects) {
  if (refusal.empty()) {
    state_.conditions.end_at(Condition::Kind::ReloadRefused, {}, now);
    return review_conditions(now, effects);
  }
  Event event{.kind = Event::Kind::ReloadRefused, .at = now};
  event.extra.edit().detail = refusal;
  happened(Condition::Kind::ReloadRefused, {}, std::move(event), MonoTime::never(), 1, effects);
}

void Monitor::certificate_expires(std::string_view file, std::string_view detail, MonoTime now,
                                  Effects& effects) {
  if (detail.empty()) {
    state_.conditions.end_at(Condition::Kind::CertificateExpires, file, now);
    return review_conditions(now, effects);
  }
  Event event{.kind = Event::Kind::CertificateExpires, .at = now};
  event.extra.edit().detail = detail;
  happened(Condition::Kind::CertificateExpires, file, std::move(event), MonoTime::never(), 1, effects);
}

}  // namespace heartbeat
