#include "tools/sim/virtual/watched_monitor.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include "common/frame.h"
#include "common/text.h"
#include "daemon/core/saved_state.h"

namespace heartbeat::sim {
namespace {

using Kind = Event::Kind;

// An event as the oracle would report it; nothing for a kind that the oracle does not report.
std::optional<Told> told_of(const Event& event) {
  Told told{event.conn, event.kind, event.at};
  bool by_time = false;
  switch (event.kind) {
    case Kind::Connected:
    case Kind::Joined:
    case Kind::Named:
    case Kind::TakenOver:
    case Kind::Braked:
    case Kind::BrakeEnded: break;
    case Kind::Struck: by_time = true; break;
    case Kind::Left:
      told.reason = event.reason;
      by_time = event.reason == Reason::Silent;
      break;
    case Kind::Returned:
      told.reason = event.reason;
      by_time = true;
      break;
    case Kind::Closed:
      told.reason = event.reason;
      by_time = event.reason == Reason::Silent || event.reason == Reason::Away;
      break;
    default: return {};
  }
  if (!by_time) return told;
  told.silence = event.silence;
  told.strikes = event.strikes;
  told.steady = event.steady;
  return told;
}

// A frame to a client in the oracle's words; `?` and its bytes where it is not one.
std::string words_of(std::string_view bytes) {
  FrameDecoder decoder;
  std::string words;
  for (;;) {
    const FrameDecoder::Result frame = decoder.next(bytes, limits::kFrameMax);
    if (frame.state == FrameDecoder::State::NeedMore) return decoder.in_frame() ? "? half a frame" : words;
    if (frame.state == FrameDecoder::State::Bad) return "? not a frame";
    const auto read = parse_server_frame(frame.body);
    if (!read) return "? " + std::string{frame.body};
    if (!words.empty()) words += ", ";
    words += read->type;
    if (read->type == "ack") words += " " + (read->seq ? std::to_string(*read->seq) : std::string{"-"});
    if (!read->status.empty()) words += " " + read->status;
    if (!read->reason.empty()) words += " " + read->reason;
  }
}

// In the order of the connections: among clients that are judged together, no order is defined.
template <class T>
void sort_by_connection(std::vector<T>& all) {
  std::stable_sort(all.begin(), all.end(), [](const T& a, const T& b) { return a.conn < b.conn; });
}

// What is missing or too much, of two lists that are sorted by connection.
template <class T, class Text>
std::string first_difference(const std::vector<T>& expected, const std::vector<T>& seen, Text text) {
  const auto [missing, extra] = std::mismatch(expected.begin(), expected.end(), seen.begin(), seen.end());
  std::string difference;
  const bool is_missing = missing != expected.end() && (extra == seen.end() || missing->conn <= extra->conn);
  const bool is_extra = extra != seen.end() && (missing == expected.end() || extra->conn <= missing->conn);
  if (is_missing) difference += "expected " + text(*missing);
  if (is_missing && is_extra) difference += "; ";
  if (is_extra) difference += "seen " + text(*extra);
  return difference;
}

// The first counter that is another one.
std::string difference(const Tally& expected, const Tally& seen) {
  const auto text = [](std::string_view name, std::uint64_t of_expected, std::uint64_t of_seen) {
    return std::string{name} + ": expected " + std::to_string(of_expected) + ", seen " +
           std::to_string(of_seen);
  };
  const auto first = [&](auto... counter) {
    std::string found;
    ((found.empty() && expected.*(counter.second) != seen.*(counter.second)
          ? void(found = text(counter.first, expected.*(counter.second), seen.*(counter.second)))
          : void()),
     ...);
    return found;
  };
  std::string found = first(std::pair{"connected", &Tally::connected}, std::pair{"refused", &Tally::refused},
                            std::pair{"heartbeats", &Tally::heartbeats}, std::pair{"joins", &Tally::joins},
                            std::pair{"strikes", &Tally::strikes}, std::pair{"leaves", &Tally::leaves},
                            std::pair{"returns", &Tally::returns}, std::pair{"takeovers", &Tally::takeovers},
                            std::pair{"probes", &Tally::probes});
  if (!found.empty()) return found;
  for (std::size_t reason = 0; reason < kReasonCount; ++reason) {
    if (expected.closes.at(reason) == seen.closes.at(reason)) continue;
    return text(to_string(static_cast<Reason>(reason)), expected.closes.at(reason), seen.closes.at(reason));
  }
  return {};
}

}  // namespace

Turn::State WatchedMonitor::restart(const Turn::State& turn) {
  ++restarts_;
  const std::string bytes =
      save_state({.monitor = monitor_.state(), .turn = turn, .feed = feed_, .run = {}, .others = {}});
  auto restored = restore_state(bytes, {});
  if (!restored) {
    break_promise("a daemon can read the state that it has written", to_string(restored.error()));
    return turn;
  }
  monitor_ = Monitor{std::move(restored->monitor), slice_};
  return restored->turn;
}

std::optional<ConnId> WatchedMonitor::open(const Endpoint& peer, MonoTime now) {
  forget_last();
  const MonoTime at = instant_for(now);
  const bool may = oracle_.may_open(peer);
  const auto conn = monitor_.open(peer, now, effects_);
  hold(conn.has_value() == may, "a connection is refused where there is no room, and only there");
  if (conn) {
    hold(oracle_.find(*conn) == nullptr, "no two connections have one name");
    oracle_.open(*conn, peer, at);
  } else {
    oracle_.refuse();
  }
  compare();
  return conn;
}

void WatchedMonitor::receive(ConnId conn, std::string_view bytes, MonoTime now) {
  forget_last();
  const MonoTime at = instant_for(now);
  monitor_.receive(conn, bytes, now, effects_);
  oracle_.receive(conn, bytes, at);
  compare();
}

void WatchedMonitor::beat(ConnId conn, const Heartbeat& heartbeat, MonoTime now) {
  forget_last();
  const MonoTime at = instant_for(now);
  frame_.clear();
  append_frame(frame_, encode(heartbeat));
  monitor_.receive(conn, frame_, now, effects_);
  oracle_.hear(conn, heartbeat, at);
  compare();
}

void WatchedMonitor::forget_last() {
  effects_.clear();
  closed_.clear();
}

// What the monitor takes `now` for: an earlier instant only where it would pass one at which the brake
// decides. A leave that has not been judged yet is one that the oracle does not know either; it ends no
// earlier than a leave timeout after all that has been judged.
MonoTime WatchedMonitor::instant_for(MonoTime now) {
  const MonoTime at = monitor_.instant_for(now);
  const bool may_brake = oracle_.brake_holds() || oracle_.clients().size() >= settings().brake.clients_min;
  const MonoTime decision = may_brake ? oracle_.next_brake() : MonoTime::never();
  const MonoTime unknown = judged_up_to_ + settings().shortest_leave();
  hold(at <= now && (at < decision || at <= std::max(judged_up_to_, counted_for_)),
       "a call counts for no instant at which the brake has still to decide, unless one before it did");
  counted_for_ = at;
  hold(at >= std::min({now, std::max(judged_up_to_, decision - Millis{1}), unknown}),
       "a call counts for its own instant where the brake has nothing to decide");
  return at;
}

void WatchedMonitor::disconnect(ConnId conn, Reason reason, MonoTime now) {
  forget_last();
  const MonoTime at = instant_for(now);
  monitor_.disconnect(conn, reason, now, effects_);
  oracle_.end(conn, reason, at);
  compare();
}

void WatchedMonitor::advance(MonoTime now) {
  forget_last();
  carry_on(now);
  oracle_.advance(now);
  compare();
}

// Slice by slice, until nothing is due.
void WatchedMonitor::carry_on(MonoTime now) {
  while (monitor_.advance(now, effects_)) left_for_the_next_slice();
  judged_up_to_ = now;
  hold(monitor_.next_deadline() > now, "after all clients that are due were looked at, no client is due");
}

void WatchedMonitor::left_for_the_next_slice() {
  ++slices_;
  if (restarts_between_slices_) restart();
}

void WatchedMonitor::stalled(Millis length, MonoTime now) {
  forget_last();
  monitor_.stalled(length, now, effects_);
  ++stalls_;
  compare();
}

bool WatchedMonitor::kick(std::string_view name, std::string_view message, MonoTime now) {
  forget_last();
  const MonoTime at = instant_for(now);
  const bool kicked = monitor_.kick(name, message, now, effects_);
  hold(kicked == oracle_.kick(name, at), "an operator kicks a client that is connected, and no other");
  compare();
  return kicked;
}

void WatchedMonitor::end_brake(BrakeEnd how, MonoTime now) {
  forget_last();
  const MonoTime at = instant_for(now);
  const auto ended = monitor_.end_brake(how, now, effects_);
  hold(ended == oracle_.end_brake(how, at), "an operator ends a brake that holds, for as many as wait");
  carry_on(now);
  oracle_.advance(now);
  compare();
}

void WatchedMonitor::place_hold(const std::string& pattern, Millis length, MonoTime now) {
  forget_last();
  const MonoTime at = instant_for(now);
  hold(monitor_.hold({.pattern = pattern, .why = "repair", .length = length, .uid = 1000}, now, effects_),
       "an operator can hold clients");
  oracle_.hold(pattern, at + length, at);
  carry_on(now);
  oracle_.advance(now);
  compare();
}

void WatchedMonitor::release(const std::string& pattern, MonoTime now) {
  forget_last();
  const MonoTime at = instant_for(now);
  const bool released = monitor_.release(pattern, 1000, now, effects_);
  hold(released == oracle_.release(pattern, at), "an operator ends a hold that lasts, and no other");
  carry_on(now);
  oracle_.advance(now);
  compare();
}

void WatchedMonitor::change_settings(const Settings& settings, MonoTime now) {
  forget_last();
  monitor_.change_settings(settings, now, effects_);
  oracle_.advance(now);
  oracle_.change_settings(settings, now);
  carry_on(now);
  oracle_.advance(now);
  compare();
}

void WatchedMonitor::shut_down(MonoTime now) {
  forget_last();
  carry_on(now);
  oracle_.advance(now);
  while (monitor_.shut_down(now, effects_)) left_for_the_next_slice();
  oracle_.shut_down(now);
  compare();
  hold(monitor_.clients().size() == 0, "after the shutdown no client is connected");
  hold(oracle_.brake_holds() || monitor_.next_deadline() == monitor_.holds().next(),
       "after the shutdown no client is due");
}

void WatchedMonitor::sweep() {
  std::size_t in_leave = 0;
  std::map<std::string, StatusCounts> groups;
  for (const auto& [conn, expected] : oracle_.clients()) {
    sweep_client(conn, expected);
    if (expected.life.status == Status::Leave) ++in_leave;
    StatusCounts& counts = groups[expected.group];
    ++(expected.life.status == Status::Leave ? counts.leave : counts.alive);
  }
  for (auto [group, counts] : groups) {
    counts.braked = monitor_.brake().holds();
    hold(monitor_.status_counts(group.empty() ? kDefaultGroup : group) == counts,
         "as many are counted in each group as are in it");
  }
  hold(monitor_.status_counts().leave == in_leave, "as many are counted in leave as are in leave");
  hold(monitor_.status_counts().alive == oracle_.clients().size() - in_leave,
       "as many are counted alive as are alive");
}

void WatchedMonitor::sweep_client(ConnId conn, const Oracle::Client& expected) {
  const Client* const client = monitor_.clients().find(conn);
  if (client == nullptr) return break_promise("a connected client is known", std::to_string(conn.slot));
  const auto hold_of = [&](bool kept, std::string_view promise) {
    if (!kept) break_promise(promise, "client " + escaped(name_of(*client)));
  };
  hold_of(expected.life.next_instant() > judged_up_to_, "a client that was due has been looked at");
  hold_of(client->liveness.status() == expected.life.status, "every client's status is what the rule says");
  hold_of(client->id == expected.id, "a client has the id that it gave");
  hold_of(monitor_.group_name_of(*client) == expected.group, "a client is in the first group that it meets");
  hold_of(monitor_.rule_of(*client) == expected.life.rule(),
          "a client is judged by the rule of its group, with the interval that it declared");
  hold_of(client->heartbeats == expected.heartbeats, "every heartbeat is counted, once");
  if (expected.life.status == Status::Leave) {
    hold_of(client->liveness.left_at() == expected.life.left_at, "a leave began when the rule says");
  }
  // The daemon sleeps until then.
  hold_of(monitor_.next_deadline() <= expected.life.next_change()->at,
          "no client's next change is earlier than the armed deadline");
}

void WatchedMonitor::compare() {
  compare_events();
  compare_orders();
  compare_counters();
}

void WatchedMonitor::compare_events() {
  std::vector<Told> seen;
  for (const Event& event : effects_.events()) {
    hold((event.kind == Kind::Heard) == (event.number == 0), "every change has a number");
    if (event.number != 0) hold(event.number == ++events_, "the events' numbers have no gap");
    hold(is_printable(event.client) && is_printable(event.extra->detail), "what an event says is printable");
    if (const auto told = told_of(event)) seen.push_back(*told);
  }
  std::vector<Told> expected = oracle_.take_told();
  sort_by_connection(seen);
  sort_by_connection(expected);
  if (seen == expected) return;
  break_promise("each change is reported once, at its instant, with its reason; and nothing else is",
                first_difference(expected, seen, [](const Told& told) { return to_string(told); }));
}

void WatchedMonitor::compare_orders() {
  std::vector<Sent> seen;
  for (const Effects::Order& order : effects_.orders()) {
    if (order.kind == Effects::Order::Kind::Send) {
      std::string_view bytes = effects_.bytes(order);
      // A welcome may have the standing behind it, in one order.
      const std::string words = words_of(bytes);
      for (std::size_t begin = 0; begin < words.size();) {
        const std::size_t end = std::min(words.find(", ", begin), words.size());
        seen.push_back({order.conn, words.substr(begin, end - begin)});
        begin = end + 2;
      }
    } else {
      ++closes_ordered_;
      closed_.push_back(order.conn);
      hold(oracle_.find(order.conn) == nullptr, "only a client that must be closed is closed");
      hold(monitor_.clients().find(order.conn) == nullptr, "a closed client is no longer known");
    }
  }
  std::vector<Sent> expected = oracle_.take_sent();
  sort_by_connection(seen);
  sort_by_connection(expected);
  if (seen == expected) return;
  break_promise("a client is sent what it asked for, in this order, and nothing else",
                first_difference(expected, seen, [](const Sent& sent) { return sent.words; }));
}

void WatchedMonitor::compare_counters() {
  const Counters& counters = monitor_.counters();
  const Tally seen{.connected = counters.connected,
                   .refused = counters.refused,
                   .heartbeats = counters.heartbeats,
                   .joins = counters.joins,
                   .strikes = counters.strikes,
                   .leaves = counters.leaves,
                   .returns = counters.returns,
                   .takeovers = counters.takeovers,
                   .probes = counters.probes,
                   .closes = counters.closes};
  if (seen != oracle_.tally()) {
    break_promise("every counter is the number of things that it counts", difference(oracle_.tally(), seen));
  }
  hold(counters.stalls == stalls_, "every stall is counted");
  const auto closes = std::accumulate(seen.closes.begin(), seen.closes.end(), std::uint64_t{0});
  hold(seen.connected == monitor_.clients().size() + closes, "connected = present + closed");
  hold(closes == closes_ordered_, "each connection is closed once");
  hold(monitor_.clients().size() == oracle_.clients().size(), "as many are present as there are");
  hold(monitor_.closed_clients().size() == oracle_.remembered(),
       "as many are remembered as there is room for");
  hold(monitor_.brake().holds() == oracle_.brake_holds(), "the brake holds when it must, and only then");
  const StatusCounts counts = monitor_.status_counts();
  hold(counts.alive + counts.leave == monitor_.clients().size(), "present = alive + in leave");
}

void WatchedMonitor::break_promise(std::string_view promise, const std::string& seen) {
  if (!broken_.empty()) return;
  broken_ = promise;
  if (!seen.empty()) broken_ += " (" + seen + ")";
}

}  // namespace heartbeat::sim
