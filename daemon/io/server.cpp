#include "daemon/io/server.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <new>
#include <utility>

#include <sys/socket.h>

#include "common/os/socket.h"
#include "common/uv/guard.h"
#include "common/uv/listening_socket.h"
#include "common/uv/machine.h"
#include "common/uv/rest.h"

namespace heartbeat {
namespace {

constexpr int kSlicesPerTurn = 4;  // each of a millisecond or two at the most

}  // namespace

Server::Server(uv::Loop& loop, const Settings& settings, Observer observer, TimeAsleep time_asleep)
    : Server(loop, Beginning{.monitor = MonitorState{settings, uv::random_key()}}, std::move(observer),
             std::move(time_asleep)) {}

Server::Server(uv::Loop& loop, Beginning&& beginning, Observer observer, TimeAsleep time_asleep)
    : loop_(loop),
      monitor_(Monitor{std::move(beginning.monitor)}),
      turn_(beginning.turn ? Turn{monitor_->settings().finest_rule(), *beginning.turn, loop.now()}
                           : Turn{monitor_->settings().finest_rule(), loop.now()}),
      time_asleep_(std::move(time_asleep)),
      observer_(std::move(observer)),
      connections_(monitor_->clients().slots()),
      entrance_(loop, *this),
      after_poll_(uv::AfterPoll::create(loop, [this] { after_poll(); })),
      wake_(loop) {
  static_cast<void>(suspensions_.look(time_asleep_()));  // what was before the start is no suspension of ours
  wake_.at(turn_.next_pulse());
  set_pause_max(pause_max_);
}

void Server::stop() {
  if (stopping_) return;
  stopping_ = true;
  entrance_.close();
  close_clients();
}

// One slice of them in each turn.  Clients that memory lacked for are closed in the next turns: by then the
// notices that were sent have given theirs back.  If not one client could be closed in order, one is closed
// without a notice, so that this ends.
void Server::close_clients() {
  const std::size_t before = monitor_->clients().size();
  const bool had_memory = uv::guarded([this] { static_cast<void>(monitor_.shut_down(now(), effects_)); });
  apply();
  if (had_memory || before == 0 || monitor_->clients().size() < before) return;
  std::uint32_t slot = 0;
  while (monitor_->clients().at(slot) == nullptr) ++slot;
  give_up(monitor_->clients().conn_of(slot));
}

bool Server::kick(std::string_view name, std::string_view message) {
  const bool kicked = monitor_.kick(name, message, now(), effects_);
  apply();
  return kicked;
}

bool Server::supersede(ConnId conn, std::string_view detail) {
  const bool superseded = monitor_.supersede(conn, detail, now(), effects_);
  apply();
  return superseded;
}

bool Server::remember_leave(ConnId conn) {
  const bool remembered = monitor_.remember_leave(conn, now(), effects_);
  apply();
  return remembered;
}

void Server::reloaded(std::string_view refusal) {
  monitor_.reloaded(refusal, now(), effects_);
  apply();
}

void Server::certificate_expires(std::string_view file, std::string_view detail) {
  monitor_.certificate_expires(file, detail, now(), effects_);
  apply();
}

std::optional<std::size_t> Server::end_brake(BrakeEnd how) {
  const auto count = monitor_.end_brake(how, now(), effects_);
  apply();
  return count;
}

bool Server::hold(const Monitor::HoldOrder& order) {
  const bool held = monitor_.hold(order, now(), effects_);
  apply();
  return held;
}

bool Server::release(std::string_view pattern, std::uint32_t uid) {
  const bool released = monitor_.release(pattern, uid, now(), effects_);
  apply();
  return released;
}

void Server::drain(const DrainOrder& order) {
  monitor_.drain(order, now(), effects_);
  apply();
}

std::optional<std::uint64_t> Server::end_drain(std::uint32_t uid) {
  const auto drained = monitor_.end_drain(uid, now(), effects_);
  apply();
  return drained;
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
    case UV_ETIMEDOUT: end(conn, Reason::TimedOut, {}); break;
    case UV_ENOMEM: end(conn, Reason::Limit, "the daemon is out of memory"); break;
    default: end(conn, Reason::Reset, {}); break;
  }
  apply();
}

void Server::end(ConnId conn, Reason reason, std::string_view detail) {
  if (!uv::guarded([&] { monitor_.disconnect(conn, reason, now(), effects_, detail); })) give_up(conn);
}

std::uint64_t Server::times_out_of_memory() const {
  return memory_ == nullptr ? 0 : memory_->times_lent();
}

// While the reserve is in use, what one connection leaves unfinished is not kept at the cost of the others.
bool Server::keeps_too_much(ConnId conn) const {
  if (memory_ == nullptr || !memory_->is_lent()) return false;
  const Client* const client = monitor_->clients().find(conn);
  return client != nullptr && client->decoder.in_frame();
}

// There is not even the memory to say why.
void Server::give_up(ConnId conn) noexcept {
  if (monitor_->clients().find(conn) == nullptr) return;  // its slot may be another one's by now
  monitor_.abandon(conn);
  connections_[conn.slot].reset();
}

// Listening time.  Every callback of one poll sees the same instant, so the first one notices a stall.
MonoTime Server::now() {
  if (const auto stalled = turn_.woke(loop_.now())) monitor_.stalled(*stalled, turn_.now(), effects_);
  return turn_.now();
}

// Without memory it throws before anything has changed, except that the session is gone; a connection that
// had one is not offered again.  While the reserve is in use the connection is refused.
void Server::arrived(Descriptor& socket, Introduction& introduction, std::string_view first_bytes) {
  hurry();  // where one connection came, more may be coming
  OwnedConnection connection{new Connection{loop_, *this, std::move(introduction.session)}};
  const std::size_t slots = monitor_->clients().slots();
  if (connections_.size() <= slots) connections_.resize(slots + 1);  // room for any slot that it may get
  if (memory_ != nullptr && memory_->is_lent()) {
    monitor_.refuse_for_memory(introduction.peer, now(), effects_);
    return apply();
  }
  const bool is_logged = monitor_.log() != nullptr;
  const std::uint64_t cookie = is_logged ? os::socket_cookie(socket.get()) : 0;
  const auto conn = monitor_.open(introduction.peer, now(), effects_, introduction.arrival, cookie);
  // First of all what became of others meanwhile: one of them may have been in the slot that this one got.
  apply();
  if (!conn) return;
  if (const int error = connection->open(std::move(socket)); error != 0) return ended(*conn, error);
  if (tcp_limits_ != TcpLimits{}) connection->set_tcp_limits(tcp_limits_);
  connection->belongs_to(*conn);
  if (introduction.is_cut_short) connection->ignore_bytes();
  static_cast<void>(connection->start_reading());  // fails only for a stream that is closing
  assert(connections_[conn->slot] == nullptr);
  connections_[conn->slot] = std::move(connection);
  if (is_logged) unshared_.push_back(*conn);
  if (introduction.fault) return refuse(*conn, *introduction.fault, introduction.why);
  if (first_bytes.empty()) return;
  if (!uv::guarded([&] { connections_[conn->slot]->take_first(first_bytes); })) ended(*conn, UV_ENOMEM);
}

void Server::refuse(ConnId conn, BadInput fault, const std::string& why) {
  const bool had_memory = uv::guarded([&] { monitor_.reject_preamble(conn, fault, why, now(), effects_); });
  had_memory ? apply() : ended(conn, UV_ENOMEM);
}

void Server::garbled(ConnId conn, const std::string& why) {
  refuse(conn, BadInput::TlsFailed, why);
}

std::optional<TcpPath> Server::path_of(ConnId conn) const {
  if (monitor_->clients().find(conn) == nullptr || connections_[conn.slot] == nullptr) return {};
  return connections_[conn.slot]->tcp_path();
}

Millis Server::hello_timeout() const {
  return heartbeat::hello_timeout(monitor_->settings().bounds, monitor_->settings().rule);
}

std::size_t Server::places() const {
  const std::size_t all = monitor_->settings().clients_max + monitor_->settings().newcomers_max;
  return all - std::min(all, monitor_->clients().size());
}

void Server::close_unkeepable() {
  for (std::uint32_t slot = 0; slot < connections_.size(); ++slot) {
    if (connections_[slot] == nullptr || !connections_[slot]->has_session()) continue;
    end(monitor_->clients().conn_of(slot), Reason::Shutdown, "a TLS connection does not outlast a restart");
    apply();
  }
}

std::vector<Server::Kept> Server::kept() const {
  std::vector<Kept> kept;
  const Registry& clients = monitor_->clients();
  kept.reserve(clients.size());
  for (std::uint32_t slot = 0; slot < clients.slots(); ++slot) {
    if (clients.at(slot) == nullptr || connections_[slot] == nullptr) continue;
    if (connections_[slot]->has_session()) continue;
    const Connection& connection = *connections_[slot];
    kept.push_back({clients.conn_of(slot), connection.descriptor(), connection.unsent()});
  }
  return kept;
}

void Server::adopt(ConnId conn, Descriptor socket, std::string_view unsent) {
  const Client* const client = monitor_->clients().find(conn);
  if (client == nullptr) {
    ::shutdown(socket.get(), SHUT_RDWR);  // a duplicate in a bag would keep the connection open
    return;
  }
  OwnedConnection connection{new Connection{loop_, *this, nullptr}};
  if (connection->open(std::move(socket)) != 0) return;  // adopted() closes the client
  connection->belongs_to(conn);
  if (!unsent.empty()) static_cast<void>(connection->tell(unsent));
  if (client->held) {
    connection->hold_back();
  } else {
    static_cast<void>(connection->start_reading());  // fails only for a stream that is closing
  }
  connections_[conn.slot] = std::move(connection);
}

void Server::adopt_unknown(Descriptor socket) {
  const auto peer = uv::peer_endpoint(socket.get());
  if (!peer) return;  // it has ended meanwhile
  Introduction introduction{.peer = *peer, .arrival = {.listener = uv::local_endpoint(socket.get())}};
  arrived(socket, introduction, {});
}

void Server::close_over_crash(ConnId conn, std::string_view detail) {
  end(conn, Reason::Crash, detail);
  apply();
}

void Server::adopted(const Monitor::Restart& restart) {
  const Registry& clients = monitor_->clients();
  for (std::uint32_t slot = 0; slot < clients.slots(); ++slot) {
    if (clients.at(slot) == nullptr || connections_[slot] != nullptr) continue;
    end(clients.conn_of(slot), Reason::Reset, "its connection was not handed over at the restart");
    apply();
  }
  monitor_.restarted(restart, now(), effects_);
  apply();
  wake_.at(loop_.now());  // the first poll must not sleep: clients may be due
}

void Server::log_calls(CallLog* log) {
  monitor_.write_to(log);
  if (log == nullptr) unshared_.clear();
}

std::vector<int> Server::share_new_sockets() {
  std::vector<int> sockets;
  for (const ConnId conn : unshared_) {
    if (monitor_->clients().find(conn) == nullptr || connections_[conn.slot]->has_session()) continue;
    sockets.push_back(connections_[conn.slot]->share());
  }
  unshared_.clear();
  return sockets;
}

std::vector<int> Server::share_all_sockets() {
  std::vector<int> sockets;
  sockets.reserve(monitor_->clients().size());
  for (const OwnedConnection& connection : connections_) {
    if (connection != nullptr && !connection->has_session()) sockets.push_back(connection->share());
  }
  unshared_.clear();
  return sockets;
}

void Server::leave_connections() {
  for (const OwnedConnection& connection : connections_) {
    if (connection != nullptr) connection->leave();
  }
}

void Server::accepting_pauses(std::string_view why) {
  monitor_.accept_paused(why, now(), effects_);
  apply();
}

void Server::after_poll() {
  const bool has_memory = uv::guarded([this] {  // without it, clients that are due stay so
    static_cast<void>(now());
    if (turn_.take_pulse()) on_pulse();
    if (turn_.polled()) judge();
  });
  apply();
  stop_lingering();
  entrance_.begin_turn();
  // An observer that has no memory in this turn looks at the next.
  if (observer_.after_turn) uv::guarded([this] { observer_.after_turn(monitor_.get()); });
  if (stopping_ && monitor_->clients().size() > 0) {
    close_clients();
    return wake_.at(loop_.now());
  }
  if (stopping_ && lingering_.empty()) loop_.stop();
  if (!has_memory) return wake_.at(turn_.next_pulse());  // there may be some by then
  // Last of all, as everything before may have made a client due sooner.
  wake_.at(turn_.next_poll(monitor_->next_deadline()));
  rest();
}

// Once a pulse is often enough for what no client is charged for: reading three clocks costs more than all
// else that a turn does by itself.
void Server::on_pulse() {
  if (memory_ != nullptr) memory_->restore();
  if (const auto length = suspensions_.look(time_asleep_())) {
    monitor_.suspended(*length, turn_.now(), effects_);
  }
  if (entrance_.is_paused()) monitor_.accept_still_paused(turn_.now());
  monitor_.review_conditions(turn_.now(), effects_);
}

// Judges the clients that are due: a few slices, so that a poll comes between, and the rest in the next
// turns.
void Server::judge() {
  for (int slice = 0; slice < kSlicesPerTurn && monitor_.advance(turn_.now(), effects_); ++slice) apply();
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
  entrance_.add_watched(urgent_);
  for (const uv::Acceptor* const acceptor : other_acceptors_) {
    if (acceptor->is_watching()) urgent_.push_back(acceptor->descriptor());
  }
  return urgent_;
}

void Server::set_pause_max(Millis pause_max) {
  pause_max_ = pause_max;
  pauses_.longest = longest_pause(pause_max, monitor_->settings().finest_rule().tick);
  pacing_.set_longest(pauses_.longest);
}

Monitor::NewSettings Server::prepare(const Settings& settings) {
  while (monitor_.advance(now(), effects_)) apply();
  apply();
  return monitor_.prepare(settings, now(), effects_);
}

void Server::change_settings(Monitor::NewSettings&& settings) noexcept {
  monitor_.change_settings(std::move(settings), turn_.now(), effects_);
  turn_.set_rule(monitor_->settings().finest_rule());
  set_pause_max(pause_max_);
  entrance_.hello_timeout_changed();
  wake_.at(loop_.now());  // clients may be due by the new rule, and an event waits to be applied
}

void Server::stop_lingering() {
  const MonoTime machine_now = loop_.now();
  while (!lingering_.empty() && lingering_.front().until <= machine_now) lingering_.pop_front();
}

void Server::apply() {
  for (const Effects::Reading& reading : effects_.readings()) {
    const OwnedConnection& connection = connections_[reading.conn.slot];
    if (connection == nullptr) continue;
    reading.on ? connection->read_on() : connection->hold_back();
  }
  for (const Effects::Order& order : effects_.orders()) {
    order.kind == Effects::Order::Kind::Send ? send(order) : let_go(order.conn);
  }
  // Before the events: those of a process that crashes while it reports them are reported by the next one.
  monitor_.commit(turn_.state_of_clock());
  for (const Event& event : effects_.events()) tell(event);
  effects_.clear();
  if (unread_.empty()) return;

  // Closing them may order more sends, though none to these: they end, and the list is taken first.
  const std::vector<ConnId> unread = std::exchange(unread_, {});
  for (const ConnId conn : unread) end(conn, Reason::Limit, {});
  apply();
}

void Server::send(const Effects::Order& order) {
  const OwnedConnection& connection = connections_[order.conn.slot];
  if (connection == nullptr) return;
  pacing_.answered();
  const int error = connection->tell(effects_.bytes(order));
  if (connection->has_unsent()) monitor_.note_unsent(order.conn, true);
  const bool is_unread = error == UV_ENOBUFS;
  if (error == UV_ENOMEM || (is_unread && !uv::guarded([&] { unread_.push_back(order.conn); }))) {
    give_up(order.conn);
  }
}

void Server::tell(const Event& event) const {
  // What an observer has no memory for is counted all the same.
  uv::guarded([&] { observer_.on_event(event); });
}

void Server::let_go(ConnId conn) {
  OwnedConnection connection = std::move(connections_[conn.slot]);
  if (connection == nullptr) return;
  connection->end_session();
  if (!connection->may_be_reading()) return;

  if (!stopping_ && lingering_.size() == limits::kLingeringMax) lingering_.pop_front();
  // Without memory it is closed at once, whether the peer has read its notice or not.
  if (!uv::guarded([this] { lingering_.emplace_back(); })) return;
  lingering_.back() = {std::move(connection), loop_.now() + limits::kLingerMax};
  lingering_.back().connection->linger(std::prev(lingering_.end()));
}

}  // namespace heartbeat
