#include "daemon/io/server.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <new>
#include <utility>

#include "common/uv/machine.h"
#include "common/uv/rest.h"

namespace heartbeat {

Server::Server(uv::Loop& loop, const Settings& settings, Observer observer, TimeAsleep time_asleep)
    : loop_(loop),
      monitor_(settings, uv::random_key()),
      turn_(settings.rule, loop.now()),
      time_asleep_(std::move(time_asleep)),
      observer_(std::move(observer)),
      after_poll_(uv::AfterPoll::create(loop, [this] { after_poll(); })),
      wake_(loop),
      open_gate_(loop),
      gate_(limits::kAcceptRateDefault, loop.now()) {
  static_cast<void>(suspensions_.look(time_asleep_()));  // what was before the start is no suspension of ours
  wake_.at(turn_.next_pulse());
  set_pause_max(pause_max_);
}

tl::expected<Endpoint, std::string> Server::adopt(int descriptor, int backlog) {
  auto listener = Listener::adopt(loop_, descriptor, backlog, [this](Listener& from) { accept_from(from); });
  if (!listener) return tl::unexpected(listener.error());
  listeners_.push_back(std::move(*listener));
  return listeners_.back()->local();
}

tl::expected<Server::ListenChange, std::string> Server::listen_on(const std::vector<Endpoint>& wanted,
                                                                  int backlog) {
  std::vector<Endpoint> missing;
  auto unwanted = listeners_.begin();  // those before it stay
  for (const Endpoint& at : wanted) {
    const auto open =
        std::find_if(unwanted, listeners_.end(),
                     [&](const std::unique_ptr<Listener>& listener) { return listener->is_for(at); });
    open == listeners_.end() ? missing.push_back(at) : std::iter_swap(unwanted++, open);
  }
  auto opened = open_listeners(missing, backlog, {unwanted, listeners_.end()});
  if (!opened) return tl::unexpected(opened.error());

  ListenChange change;
  for (auto closed = unwanted; closed != listeners_.end(); ++closed) {
    change.closed.push_back((*closed)->local());
  }
  listeners_.erase(unwanted, listeners_.end());
  for (const std::unique_ptr<Listener>& listener : listeners_) listener->set_backlog(backlog);
  for (std::unique_ptr<Listener>& listener : *opened) {
    change.opened.push_back(listener->local());
    listeners_.push_back(std::move(listener));
  }
  return change;
}

// All of them, or none.  One of these ports may still be that of another address that is about to be closed:
// 0.0.0.0 in the place of 127.0.0.1.  With one that stays it is shared only where the kernel lets everybody
// do so, as it would at a start.
tl::expected<Server::Listeners, std::string> Server::open_listeners(
    const std::vector<Endpoint>& addresses, int backlog, std::span<std::unique_ptr<Listener>> closing) {
  Listeners opened;
  for (const Endpoint& at : addresses) {
    const auto has_port = [&](const std::unique_ptr<Listener>& listener) {
      return listener->local().port == at.port && listener->local().family == at.family;
    };
    const auto leaving = std::count_if(closing.begin(), closing.end(), has_port);
    const auto all = std::count_if(listeners_.begin(), listeners_.end(), has_port) +
                     std::count_if(opened.begin(), opened.end(), has_port);
    const bool shares = leaving > 0 && leaving == all;
    const auto share = [&](bool on) {
      for (const std::unique_ptr<Listener>& listener : closing) listener->share_port(on);
    };
    if (shares) share(true);
    auto listener =
        Listener::create(loop_, at, backlog, shares, [this](Listener& from) { accept_from(from); });
    if (shares) share(false);
    if (!listener) return tl::unexpected(listener.error());
    opened.push_back(std::move(*listener));
  }
  return opened;
}

std::vector<Endpoint> Server::listening() const {
  std::vector<Endpoint> endpoints;
  for (const std::unique_ptr<Listener>& listener : listeners_) endpoints.push_back(listener->local());
  return endpoints;
}

void Server::stop() {
  if (stopping_) return;
  stopping_ = true;
  listeners_.clear();
  monitor_.shut_down(now(), effects_);
  apply();
}

bool Server::kick(std::string_view name, std::string_view message) {
  const bool kicked = monitor_.kick(name, message, now(), effects_);
  apply();
  return kicked;
}

std::optional<std::size_t> Server::end_brake(BrakeEnd how) {
  const auto count = monitor_.end_brake(how, now(), effects_);
  apply();
  return count;
}

void Server::received(ConnId conn, std::string_view bytes) {
  pacing_.read();
  const std::uint64_t before = times_out_of_memory();
  monitor_.receive(conn, bytes, now(), effects_);
  if (times_out_of_memory() != before || keeps_too_much(conn)) {
    ended(conn, UV_ENOMEM);
  } else {
    apply();
  }
}

void Server::ended(ConnId conn, int error) {
  switch (error) {
    case UV_EOF: end(conn, Reason::PeerClosed, {}); break;
    case UV_ENOMEM: end(conn, Reason::Limit, "the daemon is out of memory"); break;
    default: end(conn, Reason::Reset, {}); break;
  }
  apply();
}

void Server::end(ConnId conn, Reason reason, std::string_view detail) {
  try {
    monitor_.disconnect(conn, reason, now(), effects_, detail);
  } catch (const std::bad_alloc&) {
    give_up(conn);
  }
}

std::uint64_t Server::times_out_of_memory() const {
  return memory_ == nullptr ? 0 : memory_->times_lent();
}

// While the reserve is in use, what one connection leaves unfinished is not kept at the cost of the others.
bool Server::keeps_too_much(ConnId conn) const {
  if (memory_ == nullptr || !memory_->is_lent()) return false;
  const Client* const client = monitor_.clients().find(conn);
  return client != nullptr && client->decoder.in_frame();
}

// There is not even the memory to say why.
void Server::give_up(ConnId conn) noexcept {
  if (monitor_.clients().find(conn) == nullptr) return;  // its slot may be another one's by now
  monitor_.abandon(conn);
  connections_[conn.slot].reset();
}

// Listening time.  Every callback of one poll sees the same instant, so the first one notices a stall.
MonoTime Server::now() {
  if (const auto stalled = turn_.woke(loop_.now())) monitor_.stalled(*stalled, turn_.now(), effects_);
  return turn_.now();
}

void Server::tell_turn() {
  try {
    if (observer_.after_turn) observer_.after_turn(monitor_);
  } catch (const std::bad_alloc&) {  // an observer that looks at each turn looks at the next
  }
}

// Those that wait on it, until they have to go on waiting.
void Server::accept_from(Listener& listener) {
  hurry();  // where one came, more may be coming
  for (std::size_t waiting = listener.waiting(); waiting > 0; --waiting) {
    const int error = listener.accept();
    if (error == UV_EAGAIN) return;
    if (error == 0 && may_accept() && take(listener)) continue;
    if (error != 0) rest_for(error);
    listener.watch(false);
    some_wait_ = true;
    return;
  }
}

// Not where it would be at the cost of those that are connected.
bool Server::may_accept() {
  if (accepted_this_turn_ == limits::kAcceptsPerTurn) return false;
  if (gate_.admit(loop_.now())) {
    ++accepted_this_turn_;
    return true;
  }
  if (gate_.take_beginning()) {
    tell_paused("connections come faster than " + std::to_string(gate_.rate()) + " a second (accept_rate)");
  }
  return false;
}

// The kernel hands no connection over: it is asked again a little later.
void Server::rest_for(int error) {
  gate_.rest(loop_.now());
  if (!gate_.take_beginning()) return;
  std::string why = std::string{"no connection can be accepted: "} + uv_strerror(error);
  if (error == UV_EMFILE) why += " (LimitNOFILE= of the unit, ulimit -n)";
  if (error == UV_ENFILE) why += " (fs.file-max of the machine)";
  tell_paused(why);
}

void Server::tell_paused(std::string_view why) {
  try {
    monitor_.accept_paused(std::string{why} + "; those that wait are accepted in turn", now(), effects_);
  } catch (const std::bad_alloc&) {  // it is in status all the same
  }
  apply();
}

// Those that were left waiting: by the turn before, or until the gate opens.
void Server::accept_waiting() {
  accepted_this_turn_ = 0;
  gate_.reopen(loop_.now());
  if (!some_wait_) return;
  some_wait_ = false;
  Millis rest{0};
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    if (listener->is_watched()) continue;
    const int error = gate_.is_paused() ? 0 : listener->accept();
    const bool may = error == 0 && may_accept();
    if (error == UV_EAGAIN || (may && take(*listener))) {
      listener->watch(true);
      continue;
    }
    if (error != 0) rest_for(error);
    if (may) rest = limits::kAcceptPause;  // there is no memory, and may be none for a while
    some_wait_ = true;
  }
  if (some_wait_) open_gate_.at(std::max(gate_.opens_at(), loop_.now() + rest));
}

// False where there is no memory even to turn it away: it waits.
bool Server::take(Listener& listener) {
  uv::Owned<Connection> connection{new (std::nothrow) Connection{loop_, *this}};
  if (connection == nullptr) return false;
  Listener::Accepted accepted = listener.take();
  if (connection->open(std::move(accepted.socket)) != 0) return true;

  const auto conn = open(accepted.peer, listener.local());
  // First of all what became of others meanwhile: one of them may have been in the slot that this one got.
  apply();
  if (!conn) return true;
  connection->belongs_to(*conn);
  static_cast<void>(connection->start_reading());  // fails only for a stream that is closing
  assert(connections_[conn->slot] == nullptr);
  connections_[conn->slot] = std::move(connection);
  return true;
}

// Nothing where it is turned away.
std::optional<ConnId> Server::open(const Endpoint& peer, const Endpoint& listener) {
  try {
    // Room for whichever slot it gets.
    if (connections_.size() <= monitor_.clients().slots())
      connections_.resize(monitor_.clients().slots() + 1);
    if (memory_ == nullptr || !memory_->is_lent()) return monitor_.open(peer, now(), effects_, listener);
  } catch (const std::bad_alloc&) {  // nothing has changed
  }
  try {
    monitor_.refuse_for_memory(peer, turn_.now(), effects_);
  } catch (const std::bad_alloc&) {  // it is counted, and cannot be told
  }
  return {};
}

void Server::after_poll() {
  bool has_memory = true;
  try {
    static_cast<void>(now());
    if (turn_.take_pulse()) on_pulse();
    if (turn_.polled()) judge();
  } catch (const std::bad_alloc&) {  // clients that are due stay so
    has_memory = false;
  }
  apply();
  stop_lingering();
  accept_waiting();
  tell_turn();
  if (stopping_ && lingering_.empty()) loop_.stop();
  if (!has_memory) return wake_.at(turn_.next_pulse());  // there may be some by then
  // Last of all, as everything before may have made a client due sooner.
  wake_.at(turn_.next_poll(monitor_.next_deadline()));
  rest();
}

// Once a pulse is often enough for what no client is charged for: reading three clocks costs more than all
// else that a turn does by itself.
void Server::on_pulse() {
  if (memory_ != nullptr) memory_->restore();
  if (const auto length = suspensions_.look(time_asleep_())) {
    monitor_.suspended(*length, turn_.now(), effects_);
  }
}

// Judges the clients that are due, and puts new settings into force when none is due any more.
void Server::judge() {
  monitor_.advance(turn_.now(), effects_);
  if (changed_settings_) take_settings(*std::exchange(changed_settings_, {}));
}

// Rests before the next poll, where that is worth it: that poll then finds many reads at once.
void Server::rest() {
  Nanos instant = uv::Loop::fine_now();
  const bool may_rest = !stopping_ && turn_.may_rest();
  if (const Nanos wanted = may_rest ? pacing_.pause(instant) : Nanos{0}; wanted > Nanos{0}) {
    // Clients are armed lazily: what they are armed for may be no instant at which anything happens.
    const MonoTime change = monitor_.next_change(turn_.now() + std::chrono::ceil<Millis>(wanted));
    wake_.at(turn_.next_poll(change));
    const Nanos length = Turn::rest(wanted, loop_.next_sleep());
    if (length > Nanos{0}) {
      uv::rest(length, urgent());
      ++pauses_.count;
      const Nanos began = std::exchange(instant, uv::Loop::fine_now());
      pauses_.length += instant - began;
    }
  }
  pacing_.resumed(instant);
}

void Server::end_pause_for(int descriptor) {
  urgent_.resize(others_urgent_++);
  urgent_.push_back(descriptor);
}

std::span<const int> Server::urgent() {
  urgent_.resize(others_urgent_);
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    if (listener->is_watched()) urgent_.push_back(listener->descriptor());
  }
  return urgent_;
}

void Server::set_pause_max(Millis pause_max) {
  pause_max_ = pause_max;
  pauses_.longest = longest_pause(pause_max, monitor_.settings().rule.tick);
  pacing_.set_longest(pauses_.longest);
}

void Server::change_settings(const Settings& settings) {
  monitor_.report_heartbeats(settings.report_heartbeats);
  changed_settings_ = settings;
  turn_.judge_soon();
  wake_.at(loop_.now());
}

void Server::take_settings(const Settings& settings) {
  monitor_.change_settings(settings, turn_.now(), effects_);
  turn_.set_rule(settings.rule);
  set_pause_max(pause_max_);
}

void Server::stop_lingering() {
  const MonoTime machine_now = loop_.now();
  while (!lingering_.empty() && lingering_.front().until <= machine_now) lingering_.pop_front();
}

void Server::apply() {
  for (const Effects::Reading& reading : effects_.readings()) {
    const uv::Owned<Connection>& connection = connections_[reading.conn.slot];
    if (connection == nullptr) continue;
    reading.on ? connection->read_on() : connection->hold_back();
  }
  for (const Effects::Order& order : effects_.orders()) {
    order.kind == Effects::Order::Kind::Send ? send(order) : let_go(order.conn);
  }
  for (const Event& event : effects_.events()) tell(event);
  effects_.clear();
  if (unread_.empty()) return;

  // Closing them may order more sends, though none to these: they end, and the list is taken first.
  const std::vector<ConnId> unread = std::exchange(unread_, {});
  for (const ConnId conn : unread) end(conn, Reason::Limit, {});
  apply();
}

void Server::send(const Effects::Order& order) {
  const uv::Owned<Connection>& connection = connections_[order.conn.slot];
  if (connection == nullptr) return;
  pacing_.answered();
  const int error = connection->tell(effects_.bytes(order));
  try {
    if (error == UV_ENOMEM) give_up(order.conn);
    if (error == UV_ENOBUFS) unread_.push_back(order.conn);
  } catch (const std::bad_alloc&) {
    give_up(order.conn);
  }
}

void Server::tell(const Event& event) const {
  try {
    observer_.on_event(event);
  } catch (
      const std::bad_alloc&) {  // whoever was to be told has no memory for it; it is counted all the same
  }
}

void Server::let_go(ConnId conn) {
  uv::Owned<Connection> connection = std::move(connections_[conn.slot]);
  if (connection == nullptr || !connection->may_be_reading()) return;

  if (!stopping_ && lingering_.size() == limits::kLingeringMax) lingering_.pop_front();
  try {
    lingering_.emplace_back();
  } catch (const std::bad_alloc&) {
    return;  // without waiting until it has read what it was told
  }
  lingering_.back() = {std::move(connection), loop_.now() + limits::kLingerMax};
  lingering_.back().connection->linger(std::prev(lingering_.end()));
}

}  // namespace heartbeat
