#include "tools/sim/virtual/oracle.h"

#include <algorithm>
#include <utility>

#include "daemon/core/address_counts.h"
#include "tools/sim/virtual/whole_stream.h"

namespace heartbeat::sim {
namespace {

using Kind = Event::Kind;

std::string name_of(const Oracle::Client& client) {
  return client.id.empty() ? heartbeat::to_string(client.peer) : client.id;
}

std::string words_of(Status status, Reason reason) {
  return "status " + std::string{to_string(status)} + " " + std::string{to_string(reason)};
}

Told verdict(ConnId conn, Kind kind, const Change& change, std::optional<Reason> reason) {
  return {conn, kind, change.at, reason, change.silence, change.strikes, change.steady};
}

}  // namespace

std::string to_string(const Told& told) {
  std::string text{to_string(told.kind)};
  text += " of connection " + std::to_string(told.conn.slot) + "." + std::to_string(told.conn.generation) +
          " at " + std::to_string(told.at.since_origin().count());
  if (told.reason) text += " reason " + std::string{to_string(*told.reason)};
  return text + " silence " + std::to_string(told.silence) + " strikes " + std::to_string(told.strikes) +
         " steady " + std::to_string(told.steady);
}

const Oracle::Client* Oracle::find(ConnId conn) const {
  const auto found = clients_.find(conn);
  return found == clients_.end() ? nullptr : &found->second;
}

bool Oracle::may_open(const Endpoint& peer) const {
  if (clients_.size() >= settings_.clients_max) return false;
  const std::size_t from_there_max = settings_.bounds.max_clients_per_ip;
  if (from_there_max == 0) return true;
  const Endpoint network = AddressCounts::network_of(peer);
  const auto is_there = [&](const auto& entry) {
    return AddressCounts::network_of(entry.second.peer) == network;
  };
  return std::count_if(clients_.begin(), clients_.end(), is_there) <
         static_cast<std::ptrdiff_t>(from_there_max);
}

void Oracle::open(ConnId conn, const Endpoint& peer, MonoTime now) {
  Client& client = clients_.emplace(conn, Client{settings_.rule, peer, now}).first->second;
  by_address_[peer] = conn;
  fit_to_holds(client, now);
  plan(conn, client);
  ++tally_.connected;
  tell(conn, Kind::Connected, now);
}

void Oracle::receive(ConnId conn, std::string_view bytes, MonoTime now) {
  auto found = clients_.find(conn);
  if (found == clients_.end()) return;
  found->second.sent_bytes = true;
  const bool was_in_frame = !found->second.unread.empty();
  // A frame that ends after its timeout comes too late.
  if (was_in_frame && !judge(conn, found->second, now)) return;
  const std::string stream = std::exchange(found->second.unread, {}).append(bytes);
  WholeStream whole{stream, settings_.frame_max};
  while (const auto body = whole.next()) {
    const auto heartbeat = parser_.parse(*body);
    if (!heartbeat) return end(conn, Reason::BadHeartbeat, now);
    hear(conn, *heartbeat, now);
    found = clients_.find(conn);
    if (found == clients_.end()) return;
  }
  if (whole.is_bad) return end(conn, Reason::BadFrame, now);
  Client& client = found->second;
  client.unread = whole.rest;
  if (!was_in_frame || whole.rest.size() < stream.size()) client.frame_begun = now;
  plan(conn, client);
}

void Oracle::hear(ConnId conn, const Heartbeat& heartbeat, MonoTime now) {
  const auto found = clients_.find(conn);
  if (found == clients_.end()) return;
  Client& client = found->second;
  client.sent_bytes = true;
  if (!judge(conn, client, now)) return;
  if (!heartbeat.id.empty() && !client.id.empty() && client.id != heartbeat.id) {
    close(conn, Reason::BadHeartbeat, now);
    return;
  }
  ++tally_.heartbeats;
  ++client.heartbeats;
  client.life.end_quiet(now);
  const bool claims = !client.joined || (client.id.empty() && !heartbeat.id.empty());
  const Millis interval_before = client.interval;
  declare(conn, client, heartbeat, claims, now);
  introduce(conn, client, heartbeat, now);
  const bool is_welcomed = heartbeat.notify && !client.notify;
  if (is_welcomed) {
    client.notify = true;
    sent_.push_back({conn, "welcome"});
    if (client.life.status == Status::Leave) tell_status(conn, client, Status::Leave, client.leave_reason);
  }

  if (heartbeat.status != Status::Leave) {
    client.life.heard();
  } else if (client.life.declared_leave(now)) {
    enter_leave(conn, client, {conn, Kind::Left, now, Reason::Declared}, true);
  }
  if (heartbeat.quiet_ms && client.life.status == Status::Alive) {
    client.life.be_quiet(now + std::min(Millis{*heartbeat.quiet_ms}, bounds_of(client).quiet_max));
  }
  const bool asks = heartbeat.quiet_ms || client.interval != interval_before;
  if (asks && client.notify && (heartbeat.quiet_ms || !is_welcomed)) {
    sent_.push_back({conn, "status " + std::string{to_string(client.life.status)} + " granted"});
  }
  if (heartbeat.ack) {
    const bool goodbye = heartbeat.status == Status::Close;
    const Status status = goodbye ? Status::Close : client.life.status;
    const std::string seq = heartbeat.seq ? std::to_string(*heartbeat.seq) : "-";
    sent_.push_back({conn, "ack " + seq + " " + std::string{to_string(status)}});
  }
  if (heartbeat.status == Status::Close) return close(conn, Reason::Goodbye, now);
  plan(conn, client);
}

void Oracle::end(ConnId conn, Reason reason, MonoTime now) {
  const auto found = clients_.find(conn);
  if (found != clients_.end() && judge(conn, found->second, now)) close(conn, reason, now);
}

// Each instant in turn: the brake first, then the clients that are due.
void Oracle::advance(MonoTime now) {
  for (MonoTime at = next_instant(); at <= now; at = next_instant()) {
    look_at_brake(at);
    if (agenda_.empty() || agenda_.begin()->first != at) continue;
    auto due = agenda_.extract(agenda_.begin());
    std::sort(due.mapped().begin(), due.mapped().end());
    for (const ConnId conn : due.mapped()) {
      const auto found = clients_.find(conn);
      if (found == clients_.end() || found->second.planned != at) continue;
      found->second.planned = MonoTime::never();
      judge(conn, found->second, at);
    }
  }
}

MonoTime Oracle::next_instant() const {
  const MonoTime next = agenda_.empty() ? MonoTime::never() : agenda_.begin()->first;
  return holding_ ? std::min(next, held_until_) : next;
}

MonoTime Oracle::next_brake() const {
  if (holding_) return held_until_;
  if (settings_.brake.share_percent == 0) return MonoTime::never();
  for (const auto& [end, conn] : silent_) {
    const Client& client = clients_.at(conn);
    if (client.life.left_at >= counted_from_ && closes_in_silence(client)) return end;
  }
  return MonoTime::never();
}

void Oracle::look_at_brake(MonoTime at) {
  if (holding_ && at == held_until_) let_go(at);
  if (holding_ || !must_brake(at)) return;
  holding_ = true;
  ++times_braked_;
  held_from_ = at;
  held_until_ = at + std::min(settings_.brake.pause, settings_.rule.leave_timeout);
  counted_from_at_hold_ = counted_from_;
  delay_leaves();
  tell({}, Kind::Braked, at);
}

// Whether a client must be closed for silence now, and too many within the window that begins so.
bool Oracle::must_brake(MonoTime at) const {
  const auto share = settings_.brake.share_percent;
  const auto is_too_many = [&](std::size_t count) {
    return count >= settings_.brake.clients_min && count * 100 > share * clients_.size();
  };
  if (share == 0 || !is_too_many(silent_.size())) return false;  // the last is only for speed
  const Millis timeout = settings_.rule.leave_timeout;
  const Millis window = std::min(std::max(settings_.brake.window, 2 * settings_.rule.tick), timeout);
  bool one_closes_now = false;
  std::size_t concerned = 0;
  for (const auto& [end, conn] : silent_) {
    const Client& client = clients_.at(conn);
    if (client.life.left_at < counted_from_ || end < at) continue;
    if (end >= at + window) break;
    if (!closes_in_silence(client)) continue;
    ++concerned;
    one_closes_now = one_closes_now || end == at;
  }
  return one_closes_now && is_too_many(concerned);
}

// And does not return before that by what was heard already.
bool Oracle::closes_in_silence(const Client& client) {
  const auto next = client.life.next_change();
  return next && next->kind == Change::Kind::Expired;
}

// What the brake delays stays delayed until it ended; it is closed then.
void Oracle::let_go(MonoTime at) {
  holding_ = false;
  held_until_ = at;
  counted_from_ = at;
  tell({}, Kind::BrakeEnded, at);
}

// Leaves that would end while the brake holds, or held last, end with it.
void Oracle::delay_leaves() {
  for (const auto& [end, conn] : silent_) plan(conn, clients_.at(conn));
}

void Oracle::delay(Client& client) const {
  const MonoTime end = client.life.undelayed_end();
  const bool delayed = client.life.status == Status::Leave && !client.away && end >= held_from_ &&
                       end < held_until_ && client.life.left_at >= counted_from_at_hold_;
  client.life.delayed_until = delayed ? held_until_ : MonoTime{};
}

std::optional<std::size_t> Oracle::end_brake(BrakeEnd how, MonoTime now) {
  if (!holding_) return {};
  let_go(now);
  delay_leaves();
  std::size_t count = 0;
  const auto all = silent_;
  for (const auto& [end, conn] : all) {
    Client& client = clients_.at(conn);
    if (how == BrakeEnd::Released) {
      ++count;
      client.life.left_at = now;
      plan(conn, client);
    } else {
      if (end <= now) ++count;
    }
  }
  return count;
}

void Oracle::hold(const std::string& pattern, MonoTime until, MonoTime now) {
  holds_[pattern] = until;
  for (const ConnId conn : connections()) {
    Client& client = clients_.at(conn);
    if (!judge(conn, client, now)) continue;
    fit_to_holds(client, now);
    plan(conn, client);
  }
}

bool Oracle::release(const std::string& pattern, MonoTime now) {
  const auto found = holds_.find(pattern);
  if (found == holds_.end() || found->second <= now) return false;
  hold(pattern, now, now);
  return true;
}

void Oracle::fit_to_holds(Client& client, MonoTime now) const {
  MonoTime until = std::min(client.life.held_until, now);
  for (const auto& [pattern, end] : holds_) {
    if (end > now && Glob::compile(pattern)->matches(name_of(client))) until = std::max(until, end);
  }
  client.life.held_until = until;
}

const Group* Oracle::find_group(const std::string& name) const {
  const auto& all = settings_.groups.all();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Group& group) { return group.name == name; });
  return found == all.end() ? nullptr : &*found;
}

// The first that has the id, or the name that a heartbeat gave.  No world has a condition of another kind.
std::string Oracle::group_of(const Client& client) const {
  for (const Group& group : settings_.groups.all()) {
    if (group.by_name ? group.name == client.named : group.ids.front().glob.matches(client.id))
      return group.name;
  }
  return {};
}

const Bounds& Oracle::bounds_of(const Client& client) const {
  const Group* const group = find_group(client.group);
  return group == nullptr ? settings_.bounds : group->bounds;
}

Rule Oracle::rule_of(const Client& client) const {
  const Group* const group = find_group(client.group);
  Rule rule = group == nullptr ? settings_.rule : group->rule;
  const Bounds& bounds = bounds_of(client);
  if (client.interval == Millis{0} || bounds.interval_max == Millis{0}) return rule;
  rule.tick = std::min(std::max(client.interval, bounds.interval_min), bounds.interval_max);
  return rule;
}

void Oracle::declare(ConnId conn, Client& client, const Heartbeat& heartbeat, bool claims, MonoTime now) {
  const std::string before = client.group;
  if (heartbeat.interval_ms) client.interval = Millis{*heartbeat.interval_ms};
  if (claims) {
    const std::string named{heartbeat.group};
    if (client.named.empty() && find_group(named) != nullptr) client.named = named;
    const std::string id = std::exchange(client.id, std::string{heartbeat.id});
    client.group = group_of(client);
    client.id = id;
  }
  const Rule rule = rule_of(client);
  if (client.group == before && rule == client.life.rule()) return;
  client.life.enter_group(rule, client.opened_at, now);
  plan(conn, client);
}

bool Oracle::kick(std::string_view name, MonoTime now) {
  const auto conn = find_named(name);
  if (!conn || !judge(*conn, clients_.at(*conn), now)) return false;
  close(*conn, Reason::Kicked, now);
  return true;
}

// By its id, or by its address where it has none.
std::optional<ConnId> Oracle::find_named(std::string_view name) const {
  if (const auto found = by_id_.find(std::string{name}); found != by_id_.end()) return found->second;
  const auto peer = parse_endpoint(name);
  if (!peer) return {};
  const auto found = by_address_.find(*peer);
  if (found == by_address_.end() || !clients_.at(found->second).id.empty()) return {};
  return found->second;
}

void Oracle::change_settings(const Settings& settings, MonoTime now) {
  if (holding_ && settings.brake.share_percent == 0) let_go(now);
  if (holding_) {
    const Millis pause = std::min(settings.brake.pause, settings.rule.leave_timeout);
    held_until_ = std::max(now, std::min(held_until_, held_from_ + pause));
  }
  for (const ConnId conn : connections()) judge(conn, clients_.at(conn), now);
  const bool timeouts_change = settings.rule != settings_.rule || settings.bounds != settings_.bounds ||
                               settings.groups != settings_.groups;
  settings_ = settings;
  for (const ConnId conn : connections()) {
    Client& client = clients_.at(conn);
    if (find_group(client.named) == nullptr) client.named.clear();
    client.group = group_of(client);
    if (const Rule rule = rule_of(client); rule != client.life.rule()) client.life.change_rule(rule, now);
    plan(conn, client);
  }
  if (timeouts_change) {
    bounds_since_ = now;
    for (auto& [conn, client] : clients_) plan(conn, client);
  }
  forget_beyond(settings.remember);
}

void Oracle::shut_down(MonoTime now) {
  for (const ConnId conn : connections()) end(conn, Reason::Shutdown, now);
}

// In the order of their places.  Of two of one name, an id that is the other's address, the one that is
// closed last is remembered.
std::vector<ConnId> Oracle::connections() const {
  std::vector<ConnId> all;
  all.reserve(clients_.size());
  for (const auto& [conn, client] : clients_) all.push_back(conn);
  std::sort(all.begin(), all.end());
  return all;
}

Oracle::TimeLimit Oracle::time_limit(const Client& client) const {
  const Bounds& bounds = bounds_of(client);
  TimeLimit limit;
  if (!client.joined && bounds.hello_timeout > Millis{0}) {
    limit.at = client.opened_at + std::max(bounds.hello_timeout, 3 * client.life.rule().tick);
  }
  if (!client.unread.empty() && bounds.frame_timeout > Millis{0}) {
    const MonoTime at = client.frame_begun + bounds.frame_timeout;
    if (at <= limit.at) limit = {at, Reason::FrameTimeout};
  }
  limit.at = std::max(limit.at, bounds_since_);
  return limit;
}

// Returns whether the client is still there.
bool Oracle::judge(ConnId conn, Client& client, MonoTime now) {
  const TimeLimit limit = time_limit(client);
  const MonoTime until = std::min(now, limit.at);
  // An instant at a time: the brake may delay a leave that begins at the one before.
  for (delay(client); client.life.next_instant() <= until; delay(client)) {
    if (!judge_instant(conn, client, client.life.next_instant())) return false;
  }
  if (limit.at <= now) {
    close(conn, limit.reason, limit.at);
    return false;
  }
  plan(conn, client);
  return true;
}

bool Oracle::judge_instant(ConnId conn, Client& client, MonoTime at) {
  for (const Change& change : client.life.run_to(at)) {
    switch (change.kind) {
      case Change::Kind::Struck:
        ++tally_.strikes;
        told_.push_back(verdict(conn, Kind::Struck, change, {}));
        break;
      case Change::Kind::Left:
        enter_leave(conn, client, verdict(conn, Kind::Left, change, Reason::Silent), false);
        break;
      case Change::Kind::Returned:
        ++tally_.returns;
        tell_status(conn, client, Status::Alive, Reason::Steady);
        told_.push_back(verdict(conn, Kind::Returned, change, Reason::Steady));
        break;
      case Change::Kind::Expired:
        // It is as a client in leave that it ends.
        client.life.status = Status::Leave;
        close(verdict(conn, Kind::Closed, change, client.away ? Reason::Away : Reason::Silent));
        return false;
    }
  }
  return true;
}

// To be called when anything about the client has changed.
void Oracle::plan(ConnId conn, Client& client) {
  delay(client);
  list(conn, client);
  const MonoTime instant = std::min(client.life.next_instant(), time_limit(client).at);
  if (instant >= client.planned) return;
  client.planned = instant;
  agenda_[instant].push_back(conn);
}

void Oracle::list(ConnId conn, Client& client) {
  std::optional<MonoTime> end;
  if (client.life.status == Status::Leave && !client.away) end = client.life.undelayed_end();
  if (end == client.listed) return;
  if (client.listed) silent_.erase({*client.listed, conn});
  if (end) silent_.insert({*end, conn});
  client.listed = end;
}

// The client's life is in leave already.
void Oracle::enter_leave(ConnId conn, Client& client, const Told& told, bool away) {
  ++tally_.leaves;
  client.away = away;
  client.leave_reason = *told.reason;
  tell_status(conn, client, Status::Leave, *told.reason);
  told_.push_back(told);
}

void Oracle::introduce(ConnId conn, Client& client, const Heartbeat& heartbeat, MonoTime now) {
  const bool first = !std::exchange(client.joined, true);
  const std::string id{heartbeat.id};
  if (id.empty() || !client.id.empty()) {
    if (!first) return;
    ++tally_.joins;
    return tell(conn, Kind::Joined, now);
  }

  if (const auto holder = by_id_.find(id); holder != by_id_.end()) {
    const ConnId earlier = holder->second;
    if (judge(earlier, clients_.at(earlier), now)) return take_over(conn, client, earlier, now);
  }
  client.id = id;
  by_id_[id] = conn;
  fit_to_holds(client, now);
  if (first) ++tally_.joins;
  tell(conn, first ? Kind::Joined : Kind::Named, now);

  const auto closed = take_closed(id);
  if (!closed || closed->status != Status::Leave || client.life.status != Status::Alive) return;
  client.life.enter_leave(now);
  enter_leave(conn, client, {conn, Kind::Left, now, Reason::Remembered}, closed->away);
}

void Oracle::take_over(ConnId conn, Client& client, ConnId earlier_conn, MonoTime now) {
  const Client& earlier = clients_.at(earlier_conn);
  const Status before = client.life.status;
  client.life.take_over(earlier.life, now);
  client.heartbeats += earlier.heartbeats;
  client.leave_reason = earlier.leave_reason;
  client.away = earlier.away;

  const std::string id = earlier.id;
  drop(earlier_conn, Reason::Superseded);
  client.id = id;
  by_id_[id] = conn;
  fit_to_holds(client, now);
  ++tally_.takeovers;
  if (client.life.status != before) {
    const bool left = client.life.status == Status::Leave;
    tell_status(conn, client, client.life.status, left ? client.leave_reason : Reason::Steady);
  }
  tell(conn, Kind::TakenOver, now);
}

void Oracle::close(ConnId conn, Reason reason, MonoTime now) {
  close(Told{conn, Kind::Closed, now, reason});
}

void Oracle::close(const Told& closed) {
  const Client& client = clients_.at(closed.conn);
  if (client.joined) remember(name_of(client), client);
  drop(closed.conn, *closed.reason);
  told_.push_back(closed);
}

// The end of a connection; its client may live on in another.
void Oracle::drop(ConnId conn, Reason reason) {
  const Client& client = clients_.at(conn);
  tell_status(conn, client, Status::Close, reason);
  if (!client.sent_bytes) ++tally_.probes;
  ++tally_.closes.at(static_cast<std::size_t>(reason));
  if (client.listed) silent_.erase({*client.listed, conn});
  by_id_.erase(client.id);
  by_address_.erase(client.peer);
  clients_.erase(conn);
}

void Oracle::remember(const std::string& name, const Client& client) {
  if (settings_.remember == 0) return;
  static_cast<void>(take_closed(name));
  forget_beyond(settings_.remember - 1);
  closed_[name] = {++closed_number_, client.life.status, client.away};
  closed_in_order_[closed_number_] = name;
}

std::optional<Oracle::Closed> Oracle::take_closed(const std::string& name) {
  const auto found = closed_.find(name);
  if (found == closed_.end()) return {};
  const Closed closed = found->second;
  closed_in_order_.erase(closed.number);
  closed_.erase(found);
  return closed;
}

void Oracle::forget_beyond(std::size_t max) {
  while (closed_.size() > max) static_cast<void>(take_closed(std::string{closed_in_order_.begin()->second}));
}

void Oracle::tell(ConnId conn, Kind kind, MonoTime at, std::optional<Reason> reason) {
  told_.push_back({conn, kind, at, reason});
}

void Oracle::tell_status(ConnId conn, const Client& client, Status status, Reason reason) {
  if (client.notify) sent_.push_back({conn, words_of(status, reason)});
}

}  // namespace heartbeat::sim
