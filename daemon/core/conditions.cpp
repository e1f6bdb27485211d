#include "daemon/core/conditions.h"

#include <algorithm>
#include <array>
#include <utility>

namespace heartbeat {
namespace {

// In the order of the enumerations.
constexpr std::array<std::string_view, kConditionKindCount> kConditionNames{
    "fight",         "slow_beats",          "accept_paused", "reload_refused",
    "refused_again", "certificate_expires", "drain"};
constexpr std::array<std::string_view, 3> kPhases{"began", "lasts", "ended"};

}  // namespace

std::string_view to_string(Condition::Kind kind) {
  return kConditionNames.at(static_cast<std::size_t>(kind));
}

std::string_view to_string(Phase phase) {
  return kPhases.at(static_cast<std::size_t>(phase));
}

Conditions::Seen Conditions::happened(Condition::Kind kind, std::string_view subject, std::string_view detail,
                                      MonoTime now, MonoTime over, std::uint64_t times) {
  const auto known = place_of(kind, subject);
  if (known != conditions_.end() && known->over > now) {
    known->detail = detail;
    known->latest = now;
    known->over = over;
    known->count += times;
    return Seen::Counted;
  }
  if (count(kind) >= kConditionsMax) return Seen::Unrecorded;
  conditions_.push_back({.kind = kind,
                         .subject = std::string{subject},
                         .began = now,
                         .latest = now,
                         .over = over,
                         .next_report = now + report_every(kind),
                         .count = times,
                         .detail = std::string{detail}});
  return Seen::Began;
}

std::optional<Condition> Conditions::end(Condition::Kind kind, std::string_view subject) {
  const auto known = place_of(kind, subject);
  if (known == conditions_.end()) return {};
  return take(known);
}

void Conditions::prolong(Condition::Kind kind, std::string_view subject, MonoTime over) noexcept {
  const auto known = place_of(kind, subject);
  if (known != conditions_.end()) known->over = std::max(known->over, over);
}

void Conditions::add(Condition::Kind kind, std::string_view subject, std::uint64_t times) noexcept {
  const auto known = place_of(kind, subject);
  if (known != conditions_.end()) known->count += times;
}

void Conditions::end_at(Condition::Kind kind, std::string_view subject, MonoTime at) noexcept {
  const auto known = place_of(kind, subject);
  if (known != conditions_.end()) known->over = at;
}

std::optional<Conditions::Due> Conditions::due(MonoTime now) {
  for (auto condition = conditions_.begin(); condition != conditions_.end(); ++condition) {
    if (condition->over <= now) return Due{Phase::Ended, take(condition)};
    if (condition->next_report > now) continue;
    Due lasts{Phase::Lasts, *condition};  // the copy may fail for lack of memory, so it comes first
    condition->next_report = now + report_every(condition->kind);
    return lasts;
  }
  return {};
}

bool Conditions::lasts(Condition::Kind kind, std::string_view subject, MonoTime now) const {
  const Condition* const known = find(kind, subject);
  return known != nullptr && known->over > now;
}

// One that is over may still wait for its report, so the newest counts.
const Condition* Conditions::find(Condition::Kind kind, std::string_view subject) const {
  const auto known = std::find_if(conditions_.rbegin(), conditions_.rend(), [&](const Condition& condition) {
    return condition.kind == kind && condition.subject == subject;
  });
  return known == conditions_.rend() ? nullptr : &*known;
}

std::size_t Conditions::count(Condition::Kind kind) const {
  return static_cast<std::size_t>(std::count_if(conditions_.begin(), conditions_.end(),
                                                [&](const Condition& each) { return each.kind == kind; }));
}

std::vector<Condition>::iterator Conditions::place_of(Condition::Kind kind, std::string_view subject) {
  const Condition* const known = find(kind, subject);
  return known == nullptr ? conditions_.end() : conditions_.begin() + (known - conditions_.data());
}

Condition Conditions::take(std::vector<Condition>::iterator place) {
  Condition taken = std::move(*place);
  conditions_.erase(place);
  return taken;
}

}  // namespace heartbeat
