#include "tools/ctl/availability.h"

#include <algorithm>
#include <utility>

#include "tools/ctl/time_text.h"

namespace heartbeat::ctl {

std::optional<JournalFact> fact_of(const Object& line) {
  const auto at = parse_instant(line.text("at"));
  if (!at) return {};
  Millis unwatched{0};
  for (const char* const length : {"stalled_ms", "suspended_ms", "restarted_ms"}) {
    unwatched += line.millis(length).value_or(Millis{0});
  }
  return JournalFact{.type = line.text("type"),
                     .event = line.text("event"),
                     .client = line.text("client"),
                     .previous = line.text("previous"),
                     .reason = line.text("reason"),
                     .at = *at,
                     .from = line.text("from"),
                     .connected = line.millis("connected_ms").value_or(Millis{0}),
                     .unwatched = unwatched,
                     .heartbeats = static_cast<std::uint64_t>(line.number("heartbeats").value_or(0))};
}

std::optional<double> Availability::share() const {
  const Millis known = alive + leave + closed;
  if (known <= Millis{0}) return {};
  return static_cast<double>(alive.count()) / static_cast<double>(known.count());
}

void AvailabilityCount::add(const JournalFact& fact) {
  if (!watched_since_) watched_since_ = fact.at;
  if (fact.type == "start") {
    // Of a run that was killed the last line is the last that is known of it.
    const Millis ended = std::max(last_, *watched_since_);
    for (auto& [name, known] : clients_) {
      if (known.state != State::Closed) change(known, State::Unknown, ended);
    }
    add_gap(ended, fact.at);
    watched_since_ = fact.at;
  }
  if (fact.unwatched > Millis{0}) add_gap(fact.at - fact.unwatched, fact.at);
  if (fact.type == "event" && !fact.client.empty()) add_event(fact);
  last_ = std::max(last_, fact.at);
}

void AvailabilityCount::add_event(const JournalFact& fact) {
  const bool is_of_connection_only = fact.event == "connected" || fact.event == "refused";
  if (is_of_connection_only || (fact.event == "close" && fact.heartbeats == 0)) return;
  Known* const known = find(fact);
  const bool is_alive = fact.event == "joined" || fact.event == "return" || fact.event == "takeover";
  if (fact.event == "leave") {
    change(*known, State::Leave, fact.at);
    if (fact.at >= from_ && fact.at < until_) ++known->sum.leaves;
  } else if (fact.event == "close") {
    // A daemon that ends closes its clients: nothing is known of them from there on.
    change(*known, fact.reason == "shutdown" ? State::Unknown : State::Closed, fact.at);
    if (fact.at >= from_ && fact.at < until_) ++known->sum.closes;
  } else if (fact.event == "absent") {  // it was not connected then, whatever it had been before
    change(*known, State::Closed, fact.at);
  } else if (is_alive || known->state == State::Unknown) {  // any other event says that it was heard
    change(*known, State::Alive, fact.at);
  }
}

// The client of the event.  One that is met for the first time has been in the state that the event says it
// came from since its accept, or since the beginning of what is known.
AvailabilityCount::Known* AvailabilityCount::find(const JournalFact& fact) {
  if (fact.event == "named") {
    const auto before = clients_.find(fact.previous);
    if (before != clients_.end()) {
      Known moved = before->second;
      clients_.erase(before);
      clients_.try_emplace(std::string{fact.client}, moved);
    }
  }
  const auto found = clients_.find(fact.client);
  if (found != clients_.end()) return &found->second;
  Known known{.state = State::Alive, .since = std::max(*watched_since_, fact.at - fact.connected)};
  if (fact.event == "joined" || fact.event == "takeover" || fact.event == "named") known.since = fact.at;
  if (fact.from == "leave") known.state = State::Leave;
  if (fact.event == "absent") known.state = State::Unknown;
  known.since = std::min(known.since, fact.at);
  return &clients_.emplace(std::string{fact.client}, known).first->second;
}

void AvailabilityCount::add_gap(Millis begin, Millis end) {
  if (!gaps_.empty()) begin = std::max(begin, gaps_.back().end);
  if (begin < end) gaps_.push_back({begin, end});
}

Millis AvailabilityCount::unwatched(Millis begin, Millis end) const {
  Millis sum{0};
  const auto first = std::lower_bound(gaps_.begin(), gaps_.end(), begin,
                                      [](const Gap& gap, Millis at) { return gap.end <= at; });
  for (auto gap = first; gap != gaps_.end() && gap->begin < end; ++gap) {
    sum += std::min(gap->end, end) - std::max(gap->begin, begin);
  }
  return sum;
}

// The wall clock may have been set back: no state lasts less than nothing.
void AvailabilityCount::change(Known& known, State to, Millis at) {
  at = std::max(at, known.since);
  const Millis begin = std::max(known.since, from_);
  const Millis end = std::min(at, until_);
  if (begin < end) {
    const Millis unknown = unwatched(begin, end);
    const Millis length = end - begin - unknown;
    known.sum.unknown += unknown;
    switch (known.state) {
      case State::Unknown: known.sum.unknown += length; break;
      case State::Alive: known.sum.alive += length; break;
      case State::Leave: known.sum.leave += length; break;
      case State::Closed: known.sum.closed += length; break;
    }
  }
  known.state = to;
  known.since = at;
}

std::map<std::string, Availability> AvailabilityCount::finish(bool is_watching) {
  if (!is_watching) add_gap(last_, std::max(last_, until_));
  std::map<std::string, Availability> all;
  for (auto& [name, known] : clients_) {
    change(known, known.state, std::max(until_, known.since));
    const Availability& sum = known.sum;
    if (sum.alive + sum.leave + sum.closed + sum.unknown > Millis{0}) all.emplace(name, sum);
  }
  return all;
}

}  // namespace heartbeat::ctl
