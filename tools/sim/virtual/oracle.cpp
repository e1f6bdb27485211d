#include "tools/sim/virtual/oracle.h"

#include <algorithm>
#include <utility>

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

void Oracle::open(ConnId conn, const Endpoint& peer, MonoTime now) {
  Client& client = clients_.emplace(conn, Client{settings_.rule, peer, now}).first->second;
  by_address_[peer] = conn;
  plan(conn, client);
  ++tally_.connected;
  tell(conn, Kind::Connected, now);
}

void Oracle::receive(ConnId conn, std::string_view bytes, MonoTime now) {
  auto found = clients_.find(conn);
  if (found == clients_.end()) return;
  const std::string stream = std::exchange(found->second.unread, {}).append(bytes);
  WholeStream whole{stream, settings_.frame_max};
  while (const auto body = whole.next()) {
    const auto heartbeat = parser_.parse(*body);
    if (!heartbeat) return end(conn, Reason::BadHeartbeat, now);
    hear(conn, *heartbeat, now);
    found = clients_.find(conn);
    if (found == clients_.end()) return;
  }
  if (whole.bad) return end(conn, Reason::BadFrame, now);
  found->second.unread = whole.rest;
}

void Oracle::hear(ConnId conn, const Heartbeat& heartbeat, MonoTime now) {
  const auto found = clients_.find(conn);
  if (found == clients_.end() || !judge(conn, found->second, now)) return;
  Client& client = found->second;
  if (!heartbeat.id.empty() && !client.id.empty() && client.id != heartbeat.id) {
    close(conn, Reason::BadHeartbeat, now);
    return;
  }
  ++tally_.heartbeats;
  ++client.heartbeats;
  introduce(conn, client, heartbeat, now);
  if (heartbeat.notify && !client.notify) {
    client.notify = true;
    sent_.push_back({conn, "welcome"});
    if (client.life.status == Status::Leave) tell_status(conn, client, Status::Leave, client.leave_reason);
  }

  if (heartbeat.status != Status::Leave) {
    client.life.heard();
  } else if (client.life.declared_leave(now)) {
    enter_leave(conn, client, {conn, Kind::Left, now, Reason::Declared}, true);
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

void Oracle::advance(MonoTime now) {
  while (!agenda_.empty() && agenda_.begin()->first <= now) {
    const auto due = agenda_.extract(agenda_.begin());
    const MonoTime instant = due.key();
    for (const ConnId conn : due.mapped()) {
      const auto found = clients_.find(conn);
      if (found == clients_.end() || found->second.planned != instant) continue;
      found->second.planned = MonoTime::never();
      judge(conn, found->second, now);
    }
  }
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
  if (settings.rule != settings_.rule) {
    for (auto next = clients_.begin(); next != clients_.end();) {
      auto& [conn, client] = *next++;
      if (!judge(conn, client, now)) continue;
      client.life.change_rule(settings.rule, now);
      plan(conn, client);
    }
  }
  settings_ = settings;
  forget_beyond(settings.remember);
}

void Oracle::shut_down(MonoTime now) {
  while (!clients_.empty()) end(clients_.begin()->first, Reason::Shutdown, now);
}

// Returns whether the client is still there.
bool Oracle::judge(ConnId conn, Client& client, MonoTime now) {
  for (const Change& change : client.life.run_to(now)) {
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
  plan(conn, client);
  return true;
}

void Oracle::plan(ConnId conn, Client& client) {
  const MonoTime instant = client.life.next_instant();
  if (instant >= client.planned) return;
  client.planned = instant;
  agenda_[instant].push_back(conn);
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
  if (first) ++tally_.joins;
  tell(conn, first ? Kind::Joined : Kind::Named, now);

  const auto closed = take_closed(id);
  if (!closed || closed->status != Status::Leave || client.life.status != Status::Alive) return;
  client.life.enter_leave(now);
  enter_leave(conn, client, {conn, Kind::Left, now, Reason::Remembered}, closed->away);
}

void Oracle::take_over(ConnId conn, Client& client, ConnId earlier_conn, MonoTime now) {
  const Client& earlier = clients_.at(earlier_conn);
  const bool close_upon =
      earlier.takeovers > 0 && now - earlier.taken_over_at < settings_.rule.tick * settings_.rule.threshold;
  client.takeovers = close_upon ? earlier.takeovers + 1 : 1;
  client.taken_over_at = now;
  const Status before = client.life.status;
  client.life.take_over(earlier.life);
  client.heartbeats += earlier.heartbeats;
  client.leave_reason = earlier.leave_reason;
  client.away = earlier.away;

  const std::string id = earlier.id;
  drop(earlier_conn, Reason::Superseded);
  client.id = id;
  by_id_[id] = conn;
  ++tally_.takeovers;
  if (client.life.status != before) {
    const bool left = client.life.status == Status::Leave;
    tell_status(conn, client, client.life.status, left ? client.leave_reason : Reason::Steady);
  }
  tell(conn, Kind::TakenOver, now);
  if (client.takeovers == limits::kFightTakeovers) tell(conn, Kind::Fight, now);
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
  ++tally_.closes.at(static_cast<std::size_t>(reason));
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
