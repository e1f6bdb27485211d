#include "daemon/core/saved_state.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <vector>

#include "common/limits.h"
#include "common/text.h"
#include "daemon/core/saved_fields.h"

namespace heartbeat {
namespace {

constexpr std::string_view kMagic = "HBst";

constexpr std::size_t kTextMax = 65'536;  // bytes of a sentence; none of ours is a tenth as long

}  // namespace

// --- the fields -------------------------------------------------------------------------------------------

// Every type that is a record, with its members and their tags.
struct SavedFields {
  static void list(auto& fields, Is<Rule> auto& rule) {
    fields(1, rule.tick);
    fields(2, rule.threshold);
    fields(3, rule.cursor);
    fields(4, rule.recover);
    fields(5, rule.leave_timeout);
  }

  static void list(auto& fields, Is<ClosingBrake::Settings> auto& brake) {
    fields(1, brake.share_percent);
    fields(2, brake.clients_min);
    fields(3, brake.window);
    fields(4, brake.pause);
  }

  static void list(auto& fields, Is<Bounds> auto& bounds) {
    fields(1, bounds.hello_timeout);
    fields(2, bounds.frame_timeout);
    fields(3, bounds.max_rate);
    fields(4, bounds.max_clients_per_ip);
    fields(5, bounds.interval_min);
    fields(6, bounds.interval_max);
    fields(7, bounds.quiet_max);
  }

  static void list(auto& fields, Is<NamePattern> auto& pattern) {
    fields.text(1, pattern.text, limits::kGlobBytesMax);
    if constexpr (!std::is_const_v<std::remove_reference_t<decltype(pattern)>>) {
      auto glob = Glob::compile(pattern.text);
      if (!glob) return fields.fail("a pattern for names is malformed");
      pattern.glob = std::move(*glob);
    }
  }

  static void list(auto& fields, Is<Group> auto& group) {
    fields.text(1, group.name, limits::kGroupNameMax);
    fields.each(2, group.ids, limits::kGroupPatternsMax);
    fields.each(3, group.credentials, limits::kGroupPatternsMax);
    fields.each(4, group.listeners, limits::kGroupPatternsMax);
    fields(5, group.by_name);
    fields(6, group.rule);
    fields(7, group.bounds);
  }

  static void list(auto& fields, Is<GroupList> auto& groups) {
    if constexpr (std::is_const_v<std::remove_reference_t<decltype(groups)>>) {
      fields.each(1, groups.all(), limits::kGroupsMax);
    } else {
      std::vector<Group> all;
      fields.each(1, all, limits::kGroupsMax);
      groups = GroupList{std::move(all)};
    }
  }

  static void list(auto& fields, Is<Settings> auto& settings) {
    fields(1, settings.rule);
    fields(2, settings.clients_max);
    fields(3, settings.frame_max);
    fields(4, settings.remember);
    fields(5, settings.brake);
    fields(6, settings.report_heartbeats);
    fields(7, settings.bounds);
    fields(8, settings.newcomers_max);
    fields(9, settings.newcomers_per_address_max);
    fields(10, settings.groups);
  }

  static void list(auto& fields, Is<Liveness> auto& liveness) {
    fields(1, liveness.tick_start_);
    fields(2, liveness.left_at_);
    fields(3, liveness.silence_);
    fields(4, liveness.strikes_);
    fields(5, liveness.steady_);
    fields(6, liveness.status_);
    fields(7, liveness.heard_);
    fields(8, liveness.declared_);
  }

  static void list(auto& fields, Is<Moment> auto& moment) {
    fields(1, moment.at);
    fields(2, moment.silent);
    fields(3, moment.peer);
    fields(4, moment.ticks);
    fields(5, moment.strikes);
    fields(6, moment.kind);
    fields(7, moment.status);
    fields(8, moment.reason);
  }

  static void list(auto& fields, Is<History> auto& history) {
    fields.each(1, history.moments_, limits::kMomentsMax);
    fields(2, history.forgotten_);
    fields.text(3, history.note_, limits::kNoteMax);
  }

  static void list(auto& fields, Is<Passage> auto& passage) {
    fields(1, passage.via);
    fields.text(2, passage.certificate_name, limits::kCertificateNameMax);
    fields(3, passage.require);
    fields.text(4, passage.token.name, limits::kTokenNameMax);
    fields(5, passage.token.fingerprint);
  }

  static void list(auto& fields, Is<ClientTerms> auto& terms) {
    fields(1, terms.interval);
    fields(2, terms.rule);
    fields(3, terms.quiet_until);
    fields(4, terms.on_hold_until);
  }

  static void list(auto& fields, Is<Hold> auto& hold) {
    fields(1, hold.clients);
    fields.text(2, hold.why, limits::kHoldWhyMax);
    fields(3, hold.uid);
    fields(4, hold.since);
    fields(5, hold.until);
  }

  static void list(auto& fields, Is<Holds> auto& holds) {
    fields.each(1, holds.holds_, limits::kHoldsMax);
    if constexpr (!std::is_const_v<std::remove_reference_t<decltype(holds)>>) holds.find_next();
  }

  static void list(auto& fields, Is<Drain> auto& drain) {
    fields(1, drain.order_.rate);
    fields(2, drain.order_.retry_after);
    fields(3, drain.order_.uid);
    fields(4, drain.since_);
    fields(5, drain.paced_from_);
    fields(6, drain.turns_);
    fields(7, drain.drained_);
    fields(8, drain.notices_);
    fields(9, drain.next_slot_);
    fields(10, drain.is_complete_);
  }

  // Tag 1 is its slot; `unfinished` are the bytes that its decoder holds.
  static void list(auto& fields, Is<Client> auto& client, auto& unfinished) {
    fields(2, client.liveness);
    fields(3, client.declared);
    fields(4, client.leave_reason);
    fields(5, client.away);
    fields(6, client.notify);
    fields(7, client.sent_bytes);
    fields(8, client.held);
    fields(9, client.was_held);
    fields(10, client.connected_at);
    fields(11, client.last_heard);
    fields(12, client.taken_over_at);
    fields(13, client.heartbeats);
    fields.text(14, unfinished, limits::kFramePrefixSize + limits::kFrameMax);
    fields(15, client.history);
    fields.text(16, client.id, limits::kIdMax);
    fields.text(17, client.claimed_ip, limits::kClaimedIpMax);
    fields(18, client.peer);
    fields(19, client.listener);
    fields(20, client.pid);
    fields(21, client.takeovers);
    fields(22, client.counted_by_brake);
    fields(23, client.epoch);
    fields(24, client.slow_in_a_row);
    fields(25, client.last_gap_ms);
    fields(26, client.frame_begun_ms);
    fields(27, client.nearest_to_leave);
    fields(28, client.meter.level_);
    fields(29, client.passage);
    fields(60, client.is_newcomer);
    fields(61, client.is_replaced);
    fields(62, client.has_replaced);
    fields(100, client.group);
    fields(101, client.named);
    fields(102, client.terms);
  }

  static void list(auto& fields, Is<ClosedClient> auto& closed) {
    fields(1, closed.name);
    fields.text(2, closed.claimed_ip, limits::kClaimedIpMax);
    fields(3, closed.connected_at);
    fields(4, closed.last_heard);
    fields(5, closed.closed_at);
    fields(6, closed.heartbeats);
    fields.text(7, closed.detail, kTextMax);
    fields(8, closed.history);
    fields(9, closed.peer);
    fields(10, closed.pid);
    fields(11, closed.nearest_to_leave);
    fields(12, closed.status);
    fields(13, closed.away);
    fields(14, closed.reason);
    fields(15, closed.by);
    fields(16, closed.passage);
    fields.text(17, closed.group, limits::kGroupNameMax);
  }

  static void list(auto& fields, Is<BrakeSpan> auto& span) {
    fields(1, span.from);
    fields(2, span.until);
    fields(3, span.concerned);
    fields(4, span.connected);
    fields(5, span.end);
  }

  static void list(auto& fields, Is<BrakeState> auto& brake) {
    fields(1, brake.counted_from);
    fields(2, brake.held_from);
    fields(3, brake.held_until);
    fields(4, brake.counted_from_at_hold);
    fields.each(5, brake.spans, limits::kBrakesMax);
    fields(6, brake.times_held);
    fields(7, brake.passed);
  }

  static void list(auto& fields, Is<BrakeReport> auto& report) {
    fields(1, report.span);
    fields.text(2, report.subnet, kTextMax);
    fields(3, report.listener);
    fields(4, report.heard_first);
    fields(5, report.heard_last);
    fields(6, report.held);
    fields.text(100, report.group, limits::kGroupNameMax);
  }

  static void list(auto& fields, Is<CommonTraits> auto& traits) {
    fields(1, traits.subnet_.first_);
    fields(2, traits.subnet_.bits_);
    fields(3, traits.listener_);
    fields(4, traits.one_listener_);
    fields(5, traits.heard_first_);
    fields(6, traits.heard_last_);
    fields(100, traits.group_);
    fields(101, traits.one_group_);
  }

  static void list(auto& fields, Is<Sweep> auto& sweep) {
    fields(1, sweep.kind);
    fields(2, sweep.at);
    fields(3, sweep.next_slot);
    fields(4, sweep.old_rule);
    fields(5, sweep.counts_change);
    fields(6, sweep.traits);
    fields(7, sweep.old_groups);
    fields(8, sweep.groups_change);
  }

  static void list(auto& fields, Is<Counters> auto& counters) {
    fields(1, counters.connected);
    fields(2, counters.refused);
    fields.template by_word<Refusal>(3, counters.refusals);
    fields(4, counters.heartbeats);
    fields(5, counters.joins);
    fields(6, counters.strikes);
    fields(7, counters.leaves);
    fields(8, counters.returns);
    fields(9, counters.takeovers);
    fields(10, counters.probes);
    fields(11, counters.limited);
    fields(12, counters.stalls);
    fields(13, counters.stalled);
    fields(14, counters.worst_stall);
    fields(15, counters.suspensions);
    fields(16, counters.suspended);
    fields.template by_word<Reason>(17, counters.closes);
    fields.template by_word<BadInput>(18, counters.bad_input);
    fields(19, counters.restarts);
    fields(20, counters.restarted);
    fields(21, counters.worst_restart);
    fields(50, counters.crashes);
    fields(120, counters.absences);
  }

  static void list(auto& fields, Is<Histogram> auto& histogram) {
    fields.counts(1, histogram.counts_);
    fields(2, histogram.count_);
    fields(3, histogram.sum_);
    fields(4, histogram.max_);
  }

  // Tag 3, a sum that is no whole number, is its representation in binary64.
  static void list(auto& fields, Is<MarginHistogram> auto& margins) {
    fields(1, margins.full_);
    fields.counts(2, margins.counts_);
    auto sum = std::bit_cast<std::uint64_t>(margins.sum_of_parts_);
    fields(3, sum);
    if constexpr (!std::is_const_v<std::remove_reference_t<decltype(margins)>>) {
      margins.sum_of_parts_ = std::bit_cast<double>(sum);
      if (!std::isfinite(margins.sum_of_parts_)) fields.fail("a sum is out of range");
    }
  }

  static void list(auto& fields, Is<Stall> auto& stall) {
    fields(1, stall.at);
    fields(2, stall.length);
    fields(3, stall.cause);
  }

  static void list(auto& fields, Is<ConnId> auto& conn) {
    fields(1, conn.slot);
    fields(2, conn.generation);
  }

  static void list(auto& fields, Is<Refused> auto& refused) {
    fields(1, refused.peer);
    fields(2, refused.at);
    fields(3, refused.reason);
    fields(4, refused.bad_input);
    fields.text(5, refused.detail, kTextMax);
  }

  static void list(auto& fields, Is<RefusedPeer> auto& peer) {
    fields(1, peer.latest);
    fields(2, peer.since);
    fields(3, peer.count);
    fields(4, peer.alike);
  }

  static void list(auto& fields, Is<Condition> auto& condition) {
    fields(1, condition.kind);
    fields.text(2, condition.subject, NameText::kMax);
    fields(3, condition.began);
    fields(4, condition.latest);
    fields(5, condition.over);
    fields(6, condition.next_report);
    fields(7, condition.count);
    fields.text(8, condition.detail, kTextMax);
  }

  static void list(auto& fields, Is<Event::OfCondition> auto& condition) {
    fields(1, condition.phase);
    fields(2, condition.since);
    fields(3, condition.count);
  }

  static void list(auto& fields, Is<Event::Extra> auto& extra) {
    fields.text(1, extra.previous, kTextMax);
    fields(2, extra.previous_peer);
    fields(3, extra.takeovers);
    fields(4, extra.seq);
    fields(5, extra.declared);
    fields(6, extra.spacing);
    fields(7, extra.stalled);
    fields(8, extra.brake);
    fields(9, extra.bad_input);
    fields.text(10, extra.detail, kTextMax);
    fields(11, extra.via);
    fields.text(12, extra.certificate_name, limits::kCertificateNameMax);
    fields(13, extra.condition);
    fields.text(70, extra.token_name, limits::kTokenNameMax);
    fields(100, extra.hold);
    fields.text(101, extra.on_hold, limits::kHoldWhyMax);
    fields.text(102, extra.group, limits::kGroupNameMax);
  }

  static void list(auto& fields, Is<Event> auto& event) {
    fields(1, event.kind);
    fields(2, event.from);
    fields(3, event.to);
    fields(4, event.reason);
    fields(5, event.by);
    fields(6, event.sent_bytes);
    fields(7, event.silence);
    fields(8, event.strikes);
    fields(9, event.steady);
    fields(10, event.number);
    fields(11, event.at);
    fields(12, event.conn);
    fields(13, event.client);
    fields(14, event.peer);
    fields(15, event.claimed_ip);
    fields(16, event.pid);
    fields(17, event.silent);
    fields(18, event.connected);
    fields(19, event.heartbeats);
    fields(20, event.extra);
    fields(21, event.counted);
  }

  static void list(auto& fields, Is<Turn::State> auto& turn) {
    fields(1, turn.clock.machine);
    fields(2, turn.clock.listening);
    fields(3, turn.clock.owed);
    fields(4, turn.lateness);
  }

  // Tags 1 to 6 are the settings, the slots, the clients, the free slots, the closed clients and the brake.
  static void list(auto& fields, Is<MonitorState> auto& state) {
    fields(7, state.last_brake);
    fields(8, state.counters);
    fields(9, state.verdict_lateness);
    fields(10, state.heartbeat_gaps);
    fields(11, state.margins);
    fields.each(12, state.stalls, limits::kStallsMax);
    fields.each(13, state.listeners, kNoListener);
    fields(14, state.sweep);
    fields(15, state.events_told);
    fields(16, state.roster_version);
    fields(17, state.now);
    fields(18, state.bounds_since);
    // 19 was: slow beats have been reported; a condition since.
    fields(20, state.epoch);
  }

  // The number of a listener that a sweep has come across.
  static std::optional<std::uint8_t> listener_of(const CommonTraits& traits) { return traits.listener_; }

  static void write_clients(FieldsWritten& fields, const Registry& clients);
  static void read_clients(FieldsRead& fields, Registry& clients);
  static void write_feed(FieldsWritten& fields, const Feed& feed);
  static void read_feed(FieldsRead& fields, Feed& feed, std::uint64_t next);
};

template <class T>
void FieldsWritten::list(const T& value) {
  SavedFields::list(*this, value);
}

template <class T>
void FieldsRead::list(T& value) {
  SavedFields::list(*this, value);
}

void FieldsRead::fail(std::string_view what) {
  if (!failed()) fault_.error = StateError{.what = what, .field = path()};
}

namespace saved {

// The family, the port, and the 4 or 16 bytes of the address.
std::string bytes_of(const Endpoint& endpoint) {
  const std::size_t size = endpoint.family == Endpoint::Family::V4 ? 4 : 16;
  std::string bytes;
  bytes.push_back(static_cast<char>(endpoint.family));
  bytes.push_back(static_cast<char>(endpoint.port >> 8U));
  bytes.push_back(static_cast<char>(endpoint.port & 0xFFU));
  bytes.append(reinterpret_cast<const char*>(endpoint.address.data()), size);
  return bytes;
}

bool read(std::string_view bytes, Endpoint& endpoint) {
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); };
  if (bytes.empty() || byte(0) > 1) return false;
  const std::size_t size = byte(0) == 0 ? 4 : 16;
  if (bytes.size() != 3 + size) return false;
  endpoint = {.port = static_cast<std::uint16_t>(byte(1) << 8U | byte(2)),
              .family = static_cast<Endpoint::Family>(byte(0))};
  std::copy_n(bytes.begin() + 3, size, endpoint.address.begin());
  return true;
}

}  // namespace saved

// --- what is no plain list --------------------------------------------------------------------------------

namespace {

// Numbers of 32 bits, 4 bytes each, the least significant first.
std::string packed(std::span<const std::uint32_t> numbers) {
  std::string bytes;
  bytes.reserve(4 * numbers.size());
  for (const std::uint32_t number : numbers) {
    for (const unsigned shift : {0U, 8U, 16U, 24U})
      bytes.push_back(static_cast<char>(number >> shift & 0xFFU));
  }
  return bytes;
}

std::vector<std::uint32_t> unpacked(std::string_view bytes) {
  std::vector<std::uint32_t> numbers(bytes.size() / 4);
  for (std::size_t at = 0; at < 4 * numbers.size(); ++at) {
    const std::uint32_t byte = static_cast<std::uint8_t>(bytes[at]);
    numbers[at / 4] |= byte << (8 * (at % 4));
  }
  return numbers;
}

std::vector<std::uint32_t> generations_of(const Registry& clients) {
  std::vector<std::uint32_t> generations;
  generations.reserve(clients.slots());
  for (std::uint32_t slot = 0; slot < clients.slots(); ++slot) {
    generations.push_back(clients.conn_of(slot).generation);
  }
  return generations;
}

// The decoder takes back what it held.
bool resume(FrameDecoder& decoder, std::string_view unfinished) {
  if (unfinished.empty()) return true;
  const auto result = decoder.next(unfinished, limits::kFrameMax);
  return result.state == FrameDecoder::State::NeedMore;
}

template <class T>
bool is_within(T value, T min, T max) {
  return min <= value && value <= max;
}

bool is_valid(const Rule& rule) {
  const auto counts = [](std::uint16_t count) {
    return is_within<std::uint16_t>(count, 1, limits::kRuleCountMax);
  };
  return is_within(rule.tick, limits::kTickMin, limits::kTickMax) && counts(rule.threshold) &&
         counts(rule.cursor) && counts(rule.recover) &&
         is_within(rule.leave_timeout, rule.tick, limits::kLeaveTimeoutMax);
}

bool is_valid(const Bounds& bounds) {
  return is_within(bounds.hello_timeout, Millis{0}, limits::kLeaveTimeoutMax) &&
         is_within(bounds.frame_timeout, Millis{0}, limits::kLeaveTimeoutMax) &&
         is_within(bounds.interval_min, limits::kTickMin, limits::kTickMax) &&
         is_within(bounds.interval_max, Millis{0}, limits::kTickMax) &&
         (bounds.interval_max == Millis{0} || bounds.interval_min <= bounds.interval_max) &&
         is_within(bounds.quiet_max, Millis{0}, limits::kQuietMax);
}

bool is_valid(const GroupList& groups) {
  return std::all_of(groups.all().begin(), groups.all().end(), [](const Group& group) {
    return !group.name.empty() && is_valid(group.rule) && is_valid(group.bounds);
  });
}

bool is_valid(const Settings& settings) {
  constexpr Millis kNone{0};
  const ClosingBrake::Settings& brake = settings.brake;
  return is_valid(settings.rule) && is_valid(settings.bounds) && is_valid(settings.groups) &&
         settings.clients_max <= limits::kClientsMax &&
         is_within<std::size_t>(settings.frame_max, 1, limits::kFrameMax) &&
         settings.remember <= limits::kRememberMax && brake.share_percent <= limits::kBrakeShareMax &&
         brake.clients_min <= limits::kClientsMax &&
         is_within(brake.window, kNone, limits::kLeaveTimeoutMax) &&
         is_within(brake.pause, kNone, limits::kLeaveTimeoutMax);
}

// Whether all but the last have ended, and no end is that of a brake that never was.
bool is_valid(const BrakeState& brake) {
  const auto holds = [](const BrakeSpan& span) { return !span.end; };
  const auto first = std::find_if(brake.spans.begin(), brake.spans.end(), holds);
  return first == brake.spans.end() || first + 1 == brake.spans.end();
}

bool is_valid(const DrainOrder& order) {
  return is_within(order.rate, 1U, limits::kDrainRateMax) &&
         is_within(order.retry_after, Millis{0}, limits::kDrainRetryAfterMax);
}

bool has_listener(const MonitorState& state, std::uint8_t number) {
  return number == kNoListener || number < state.listeners.size();
}

// The invariants of liveness.h.  A client that has had no turn yet in a change of the rule keeps those of the
// old one.
bool is_valid(const Client& client, const MonitorState& state) {
  const bool has_old_rule =
      state.sweep && state.sweep->kind == Sweep::Kind::Adopt && client.epoch != state.epoch;
  const GroupList& groups = has_old_rule ? state.sweep->old_groups : state.settings.groups;
  const auto is_there = [&](GroupNumber number) { return number <= groups.all().size(); };
  if (!is_there(client.group) || !is_there(client.named)) return false;
  if (client.terms != nullptr && client.terms->rule && !is_valid(*client.terms->rule)) return false;
  const bool has_own_rule = client.terms != nullptr && client.terms->rule;
  const Rule& rule = has_own_rule   ? *client.terms->rule
                     : has_old_rule ? state.sweep->old_rule_of(client.group)
                                    : state.settings.rule_of(client.group);
  const Liveness& liveness = client.liveness;
  return liveness.status() != Status::Close && liveness.silence() < rule.threshold &&
         liveness.strikes() <= rule.cursor && liveness.steady() <= rule.recover &&
         has_listener(state, client.listener) && is_printable(client.id);
}

// What the members of several fields promise one another; a sentence if they do not.
std::string_view contradiction(const MonitorState& state) {
  const bool reports = state.sweep && state.sweep->kind == Sweep::Kind::Report;
  if (state.sweep && (!is_valid(state.sweep->old_rule) || !is_valid(state.sweep->old_groups)))
    return "an order to all clients has an impossible rule";
  if (reports && state.brake.spans().empty()) return "a brake is reported that never held";
  if (reports && !has_listener(state, SavedFields::listener_of(state.sweep->traits).value_or(kNoListener))) {
    return "a brake is reported of a listener that is not there";
  }
  if (state.brake.holds() && !reports && state.last_brake == nullptr) return "a brake holds without a report";
  if (state.drain && !is_valid(state.drain->order())) return "a drain has an impossible rate";
  for (std::uint32_t slot = 0; slot < state.clients.slots(); ++slot) {
    const Client* const client = state.clients.at(slot);
    if (client != nullptr && !is_valid(*client, state)) return "a client contradicts the rule";
  }
  return {};
}

tl::unexpected<StateError> refused(std::string_view what) {
  return tl::unexpected(StateError{.what = what, .field = {}});
}

}  // namespace

void SavedFields::write_clients(FieldsWritten& fields, const Registry& clients) {
  fields(2, packed(generations_of(clients)));
  for (std::uint32_t slot = 0; slot < clients.slots(); ++slot) {
    const Client* const client = clients.at(slot);
    if (client == nullptr) continue;
    fields.record(3, [&](FieldsWritten& record) {
      record(1, slot);
      const std::string_view unfinished = client->decoder.unfinished();
      list(record, *client, unfinished);
    });
  }
  fields(4, packed(clients.free_slots()));
}

void SavedFields::read_clients(FieldsRead& fields, Registry& clients) {
  constexpr std::size_t kSlotsMax = std::size_t{4} * limits::kClientsMax;
  std::string slots;
  fields.text(2, slots, kSlotsMax);
  clients.restore_slots(unpacked(slots));
  fields.records(3, [&](FieldsRead& record) {
    std::uint32_t slot = 0;
    Client client{{}, {}};
    std::string unfinished;
    record(1, slot);
    list(record, client, unfinished);
    if (record.failed()) return;
    if (!resume(client.decoder, unfinished)) return record.fail("what is said to be half a frame is none");
    if (!clients.restore(slot, std::move(client))) record.fail("a slot or an id is that of another client");
  });
  std::string free;
  fields.text(4, free, kSlotsMax);
  if (!fields.failed() && !clients.restore_free(unpacked(free))) fields.fail("the free slots are others");
}

void SavedFields::write_feed(FieldsWritten& fields, const Feed& feed) {
  for (std::uint64_t number = feed.oldest(); number < feed.next(); ++number) {
    fields(22, feed.ring_[number % feed.ring_.size()]);
  }
}

// The events end with the one before `next`.  From the last one that this version does not know, or that is
// missing, all before are let go.
void SavedFields::read_feed(FieldsRead& fields, Feed& feed, std::uint64_t next) {
  feed.next_ = feed.first_ = next;
  std::uint64_t expected = 0;
  fields.records(22, [&](FieldsRead& record) {
    Event event{.kind = Event::Kind::Connected};
    list(record, event);
    if (record.failed()) return;
    const std::uint64_t number = event.number;
    if (number == 0 || number >= next) return record.fail("an event has a number that was not given yet");
    if (record.is_of_later_version()) {
      feed.first_ = next;
    } else {
      if (feed.first_ == next || number != expected) feed.first_ = number;
      feed.ring_[number % feed.ring_.size()] = std::move(event);
    }
    expected = number + 1;
  });
  if (expected != next) feed.first_ = next;
}

// --- as a whole -------------------------------------------------------------------------------------------

std::string to_string(const StateError& error) {
  return error.field.empty() ? std::string{error.what}
                             : std::string{error.what} + " (field " + error.field + ")";
}

std::string save_state(const StateToSave& state) {
  const MonitorState& monitor = state.monitor;
  std::string content;
  content.reserve(std::size_t{512} * monitor.clients.size());
  FieldsWritten fields{content};
  fields(1, monitor.settings);
  SavedFields::write_clients(fields, monitor.clients);
  monitor.closed.for_each([&](const ClosedClient& closed) { fields(5, closed); });
  fields(6, monitor.brake.state());
  fields.list(monitor);
  fields(21, state.turn);
  SavedFields::write_feed(fields, state.feed);
  fields(23, state.run);
  fields(24, state.started.time_since_epoch());
  fields(25, state.others);
  const auto& refused = monitor.refused.latest_first();
  std::for_each(refused.rbegin(), refused.rend(), [&](const RefusedPeer& peer) { fields(26, peer); });
  for (const Condition& condition : monitor.conditions.all()) fields(27, condition);
  fields(100, monitor.holds);
  monitor.missing.for_each([&](const ClosedClient& missing) { fields(120, missing); });
  fields(140, monitor.drain);
  return in_envelope(kMagic,
                     {.written_by = kStateFormat, .readable_by = kStateReadableBy, .content = content});
}

tl::expected<SavedState, StateError> restore_state(std::string_view bytes, const HashKey& key) {
  const auto envelope = open_envelope(kMagic, bytes);
  if (!envelope) return refused("it is damaged, or no state of heartbeatd");
  if (envelope->readable_by > kStateFormat) {
    return refused("it is of a later version that this one cannot follow");
  }
  return restore_fields(envelope->content, key);
}

namespace {

tl::expected<SavedState, StateError> read_state(std::string_view bytes, const HashKey& key) {
  ReadingFault fault;
  FieldsRead fields{bytes, fault};
  Settings settings;
  fields(1, settings);
  if (fault.error) return tl::unexpected(*fault.error);
  if (!is_valid(settings)) return refused("the settings are impossible");

  SavedState state{.monitor = MonitorState{settings, key}};
  MonitorState& monitor = state.monitor;
  SavedFields::read_clients(fields, monitor.clients);
  fields.records(5, [&](FieldsRead& record) {
    ClosedClient closed;
    record.list(closed);
    if (!record.failed() && !record.is_of_later_version()) monitor.closed.remember(std::move(closed));
  });
  BrakeState brake;
  fields(6, brake);
  if (!is_valid(brake)) return refused("two brakes hold at one time");
  monitor.brake = ClosingBrake{settings.brake, settings.rule, std::move(brake)};
  fields.list(monitor);
  fields(21, state.turn);
  SavedFields::read_feed(fields, state.feed, monitor.events_told + 1);
  fields.text(23, state.run, kTextMax);
  Millis started{0};
  fields(24, started);
  state.started = WallTime{started};
  fields.text(25, state.others, bytes.size());
  fields.records(26, [&](FieldsRead& record) {
    RefusedPeer peer;
    record.list(peer);
    if (record.failed() || record.is_of_later_version()) return;
    if (monitor.refused.find(peer.latest.peer) != nullptr) return record.fail("an address is there twice");
    monitor.refused.restore(std::move(peer));
  });
  fields.records(27, [&](FieldsRead& record) {
    Condition condition;
    record.list(condition);
    if (record.failed() || record.is_of_later_version()) return;
    if (monitor.conditions.count(condition.kind) == kConditionsMax) return record.fail("there are too many");
    monitor.conditions.restore(std::move(condition));
  });
  fields(100, monitor.holds);
  std::vector<ClosedClient> missing;
  fields.records(120, [&](FieldsRead& record) {
    ClosedClient client;
    record.list(client);
    if (!record.failed() && !record.is_of_later_version()) missing.push_back(std::move(client));
  });
  monitor.missing = ClosedClients{missing.size(), key};
  for (ClosedClient& client : missing) monitor.missing.remember(std::move(client));
  fields(140, monitor.drain);
  fields.finish();
  if (fault.error) return tl::unexpected(*fault.error);
  if (const auto what = contradiction(monitor); !what.empty()) return refused(what);
  return state;
}

}  // namespace

tl::expected<SavedState, StateError> restore_fields(std::string_view fields, const HashKey& key) try {
  return read_state(fields, key);
} catch (const std::bad_alloc&) {
  return refused("there is no memory for it");
} catch (const std::length_error&) {
  return refused("there is no memory for it");
}

}  // namespace heartbeat
