#include "tests/unit/support/fleet.h"

#include <algorithm>
#include <utility>

#include <doctest/doctest.h>

#include "tests/unit/support/bytes.h"

namespace heartbeat::test {

std::string words(const Event& event) {
  std::string text{to_string(event.kind)};
  text.append(1, ' ').append(event.client.view());
  switch (event.kind) {
    case Event::Kind::Left:
    case Event::Kind::Returned:
    case Event::Kind::Closed:
    case Event::Kind::Refused: return text + " " + std::string{to_string(event.reason)};
    default: return text;
  }
}

void Peer::say(MonoTime at, Heartbeat heartbeat) const {
  if (heartbeat.ip.empty()) heartbeat.ip = "192.168.1.105";
  send_body(at, encode(heartbeat));
}

void Peer::send(MonoTime at, std::string_view bytes) const {
  fleet_->monitor_.receive(conn_, bytes, at, fleet_->effects_);
  fleet_->apply();
}

void Peer::send_body(MonoTime at, std::string_view body) const {
  send(at, framed(body));
}

void Peer::disconnect(MonoTime at, Reason reason) const {
  fleet_->monitor_.disconnect(conn_, reason, at, fleet_->effects_);
  fleet_->apply();
}

Words Peer::received() const {
  Words bodies;
  FrameDecoder decoder;
  std::string bytes = std::exchange(fleet_->inboxes_[conn_], {});
  std::string_view rest = bytes;
  while (true) {
    const auto frame = decoder.next(rest, limits::kFrameMax);
    if (frame.state == FrameDecoder::State::NeedMore) break;
    REQUIRE(frame.state == FrameDecoder::State::Frame);
    bodies.emplace_back(frame.body);
  }
  REQUIRE_FALSE(decoder.in_frame());
  return bodies;
}

bool Peer::is_read() const {
  return !fleet_->unread_.contains(conn_);
}

bool Peer::was_closed() const {
  return fleet_->closed_.contains(conn_);
}

const Client& Peer::client() const {
  REQUIRE(fleet_->monitor_.clients().at(conn_.slot) != nullptr);
  REQUIRE(fleet_->monitor_.clients().conn_of(conn_.slot) == conn_);
  return *fleet_->monitor_.clients().at(conn_.slot);
}

Endpoint Fleet::peer_at(std::uint16_t port) {
  return {.address = {10, 0, 0, 1}, .port = port};
}

Peer Fleet::connect(MonoTime at) {
  const auto conn = monitor_.open(peer_at(next_port_++), at, effects_);
  apply();
  REQUIRE(conn);
  return {*this, *conn};
}

Peer Fleet::join(MonoTime at, std::string_view id) {
  const Peer peer = connect(at);
  peer.say(at, {.id = id});
  return peer;
}

bool Fleet::try_connect(MonoTime at) {
  return try_connect(at, peer_at(next_port_++));
}

bool Fleet::try_connect(MonoTime at, const Endpoint& from) {
  const auto conn = monitor_.open(from, at, effects_);
  apply();
  return conn.has_value();
}

void Fleet::advance(MonoTime at) {
  while (monitor_.advance(at, effects_)) apply();
  apply();
}

void Fleet::review(MonoTime at) {
  monitor_.review_conditions(at, effects_);
  apply();
}

void Fleet::accept_paused(std::string_view why, MonoTime at) {
  monitor_.accept_paused(why, at, effects_);
  apply();
}

void Fleet::reloaded(std::string_view refusal, MonoTime at) {
  monitor_.reloaded(refusal, at, effects_);
  apply();
}

void Fleet::expect(std::initializer_list<std::string_view> names, MonoTime ended, MonoTime at) {
  std::vector<ClosedClient> clients;
  for (const std::string_view name : names) {
    ClosedClient& client = clients.emplace_back();
    client.name = name;
    client.peer = peer_at(1);
    client.connected_at = client.last_heard = ended;
  }
  monitor_.expect(std::move(clients), at);
}

void Fleet::certificate_expires(std::string_view file, std::string_view detail, MonoTime at) {
  monitor_.certificate_expires(file, detail, at, effects_);
  apply();
}

void Fleet::change(const Settings& settings, MonoTime at) {
  monitor_.change_settings(settings, at, effects_);
  advance(at);
}

bool Fleet::kick(std::string_view name, std::string_view message, MonoTime at) {
  const bool kicked = monitor_.kick(name, message, at, effects_);
  apply();
  return kicked;
}

void Fleet::shut_down(MonoTime at) {
  while (monitor_.shut_down(at, effects_)) apply();
  apply();
}

std::optional<std::size_t> Fleet::end_brake(BrakeEnd how, MonoTime at) {
  const auto count = monitor_.end_brake(how, at, effects_);
  advance(at);
  return count;
}

bool Fleet::order_hold(const Monitor::HoldOrder& order, MonoTime at) {
  const bool held = monitor_.hold(order, at, effects_);
  apply();
  return held;
}

bool Fleet::hold(const Monitor::HoldOrder& order, MonoTime at) {
  const bool held = order_hold(order, at);
  advance(at);
  return held;
}

bool Fleet::release(std::string_view pattern, MonoTime at) {
  const bool released = monitor_.release(pattern, 1000, at, effects_);
  advance(at);
  return released;
}

void Fleet::order_drain(const DrainOrder& order, MonoTime at) {
  monitor_.drain(order, at, effects_);
  apply();
}

std::optional<std::uint64_t> Fleet::end_drain(MonoTime at) {
  const auto drained = monitor_.end_drain(1000, at, effects_);
  apply();
  return drained;
}

void Fleet::change_settings(const Settings& settings, MonoTime at) {
  monitor_.change_settings(settings, at, effects_);
  advance(at);
}

void Fleet::restart() {
  monitor_ = Monitor{std::move(monitor_).take_state()};
}

Words Fleet::told() {
  Words all;
  for (; told_ < events_.size(); ++told_) all.push_back(words(events_[told_]));
  return all;
}

Words Fleet::told(MonoTime at) {
  advance(at);
  Words all;
  for (const Event& event : events_) {
    if (event.at == at) all.push_back(words(event));
  }
  told_ = events_.size();
  return all;
}

const Event& Fleet::last(Event::Kind kind) const {
  const auto found =
      std::find_if(events_.rbegin(), events_.rend(), [&](const Event& event) { return event.kind == kind; });
  REQUIRE(found != events_.rend());
  return *found;
}

void Fleet::apply() {
  for (const Effects::Reading& reading : effects_.readings()) {
    REQUIRE_FALSE(closed_.contains(reading.conn));
    REQUIRE(unread_.contains(reading.conn) == reading.on);
    reading.on ? static_cast<void>(unread_.erase(reading.conn))
               : static_cast<void>(unread_.insert(reading.conn));
  }
  for (const Effects::Order& order : effects_.orders()) {
    REQUIRE_FALSE(closed_.contains(order.conn));
    if (order.kind == Effects::Order::Kind::Send) {
      inboxes_[order.conn] += effects_.bytes(order);
    } else {
      closed_.insert(order.conn);
    }
  }
  for (const Event& event : effects_.events()) {
    if (event.number != 0) REQUIRE(event.number == ++last_number_);
    events_.push_back(event);
  }
  effects_.clear();
}

}  // namespace heartbeat::test
