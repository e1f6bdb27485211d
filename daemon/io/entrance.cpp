#include "daemon/io/entrance.h"

#include <algorithm>
#include <utility>

#include "common/limits.h"
#include "common/uv/listening_socket.h"
#include "common/uv/machine.h"

namespace heartbeat {
namespace {

tl::unexpected<std::string> cannot_listen(const std::string& where, int error) {
  return tl::unexpected("cannot listen on " + where + ": " + uv::describe(error));
}

}  // namespace

Entrance::Entrance(uv::Loop& loop, Host& host)
    : loop_(loop),
      host_(host),
      anteroom_(loop, host),
      gate_(limits::kAcceptRateDefault, loop.now()),
      gate_timer_(uv::Timer::create(loop, [this] { try_gates(); })) {}

// --- addresses --------------------------------------------------------------------------------------------

tl::expected<Entrance::Change, std::string> Entrance::listen_on(std::vector<Address> wanted, int backlog) {
  std::vector<Address> missing;
  std::vector<Demands> demands;        // of the listeners that stay
  auto unwanted = listeners_.begin();  // those before it stay
  for (Address& address : wanted) {
    const auto open = std::find_if(unwanted, listeners_.end(),
                                   [&](const Listener& listener) { return listener.is_for(address.at); });
    if (open == listeners_.end()) {
      missing.push_back(std::move(address));
    } else {
      demands.push_back(std::move(address.demands));
      std::iter_swap(unwanted++, open);
    }
  }
  auto opened = open(missing, backlog, {unwanted, listeners_.end()});
  if (!opened) return tl::unexpected(opened.error());

  Change change;
  for (auto closed = unwanted; closed != listeners_.end(); ++closed) {
    change.closed.push_back(closed->local);
    shortages_of_closed_ += closed->acceptor->shortages();
  }
  listeners_.erase(unwanted, listeners_.end());
  for (std::size_t stays = 0; stays < listeners_.size(); ++stays)
    listeners_[stays].demands = std::move(demands[stays]);
  for (const Listener& listener : listeners_) uv::set_backlog(listener.acceptor->descriptor(), backlog);
  for (Listener& listener : *opened) {
    change.opened.push_back(listener.local);
    listeners_.push_back(std::move(listener));
  }
  for (Listener& listener : listeners_)
    listener.gate.set_rate(listener.demands ? listener.demands->accept_rate : 0);
  try_gates();
  return change;
}

// All of them, or none.  One of these ports may still be that of another address that is about to be closed:
// 0.0.0.0 in the place of 127.0.0.1.  With an address that stays, it is shared only where the kernel lets
// every program do so, as it would at a start.
tl::expected<Entrance::Listeners, std::string> Entrance::open(std::vector<Address>& addresses, int backlog,
                                                              std::span<const Listener> closing) {
  Listeners opened;
  for (Address& address : addresses) {
    const Endpoint& at = address.at;
    const auto has_port = [&](const Listener& listener) {
      return listener.local.port == at.port && listener.local.family == at.family;
    };
    const auto leaving = std::count_if(closing.begin(), closing.end(), has_port);
    const auto all = std::count_if(listeners_.begin(), listeners_.end(), has_port) +
                     std::count_if(opened.begin(), opened.end(), has_port);
    const bool shares = leaving > 0 && leaving == all;
    const auto share = [&](bool on) {
      for (const Listener& listener : closing) uv::share_port(listener.acceptor->descriptor(), on);
    };
    if (shares) share(true);
    auto socket = uv::listening_socket(at, backlog, shares);
    if (shares) share(false);
    if (!socket) return cannot_listen(to_string(at), uv_translate_sys_error(socket.error()));
    // Left on, another program of the same user could listen here as well.
    if (shares) uv::share_port(socket->get(), false);
    auto listener = start(at, std::move(*socket));
    if (!listener) return tl::unexpected(listener.error());
    listener->demands = std::move(address.demands);
    opened.push_back(std::move(*listener));
  }
  return opened;
}

tl::expected<Endpoint, std::string> Entrance::adopt(int descriptor, int backlog) {
  return adopt(descriptor, backlog, uv::local_endpoint(descriptor));
}

tl::expected<Endpoint, std::string> Entrance::adopt(int descriptor, int backlog, const Endpoint& asked) {
  Descriptor socket{descriptor};
  if (const int error = uv::set_backlog(descriptor, backlog); error != 0) {
    return cannot_listen("the socket that was handed over as descriptor " + std::to_string(descriptor),
                         error);
  }
  auto listener = start(asked, std::move(socket));
  if (!listener) return tl::unexpected(listener.error());
  listeners_.push_back(std::move(*listener));
  return listeners_.back().local;
}

std::vector<Entrance::Kept> Entrance::kept() const {
  std::vector<Kept> kept;
  for (const Listener& listener : listeners_) {
    kept.push_back({listener.asked, listener.acceptor->descriptor()});
  }
  return kept;
}

tl::expected<Entrance::Listener, std::string> Entrance::start(const Endpoint& asked, Descriptor socket) {
  const Endpoint local = uv::local_endpoint(socket.get());
  auto acceptor = uv::Acceptor::create(loop_, std::move(socket), *this);
  if (!acceptor) return cannot_listen(to_string(local), acceptor.error());
  if (gate_.is_paused()) (*acceptor)->pause();
  return Listener{.asked = asked,
                  .local = local,
                  .acceptor = std::move(*acceptor),
                  .gate = AcceptGate{0, loop_.now()},
                  .demands = {}};
}

void Entrance::close() {
  for (const Listener& listener : listeners_) shortages_of_closed_ += listener.acceptor->shortages();
  listeners_.clear();
  anteroom_.clear();
}

std::vector<Endpoint> Entrance::listening() const {
  std::vector<Endpoint> endpoints;
  for (const Listener& listener : listeners_) endpoints.push_back(listener.local);
  return endpoints;
}

void Entrance::add_watched(std::vector<int>& descriptors) const {
  for (const Listener& listener : listeners_) {
    if (listener.acceptor->is_watching()) descriptors.push_back(listener.acceptor->descriptor());
  }
}

// --- accepting --------------------------------------------------------------------------------------------

// Not where it would be at the cost of the clients that are connected.
bool Entrance::may_accept(uv::Acceptor& at) {
  if (accepted_this_turn_ == limits::kAcceptsPerTurn) return false;
  if (!gate_.is_open(loop_.now())) {
    shut_gate();
    return false;
  }
  Listener& listener = listener_of(at);
  if (listener.gate.is_open(loop_.now())) return true;
  at.pause();
  arm_gates();
  host_.accepting_pauses("connections to " + to_string(listener.local) + " come faster than " +
                         std::to_string(listener.gate.rate()) +
                         " a second (its accept_rate); connections wait, and are accepted in turn");
  return false;
}

Entrance::Listener& Entrance::listener_of(const uv::Acceptor& acceptor) {
  return *std::find_if(listeners_.begin(), listeners_.end(),
                       [&](const Listener& listener) { return listener.acceptor.get() == &acceptor; });
}

void Entrance::take(uv::Acceptor& from, uv::Acceptor::Accepted& accepted) {
  Listener& at = listener_of(from);
  const Demands& demands = at.demands ? *at.demands : demands_at_adopted_;
  Introduction introduction{.peer = accepted.peer,
                            .arrival = {.listener = at.local, .passage = {.require = demands.require}}};
  Preambles preambles = demands.preambles ? demands.preambles(accepted.peer) : Preambles{};
  // Without a place for one more, the host refuses it, and says so.
  if (!preambles.empty() && host_.places() > 0) {
    anteroom_.receive(accepted.socket, std::move(introduction), std::move(preambles));
  } else {
    introduction.is_cut_short = !preambles.empty();
    host_.arrived(accepted.socket, introduction, {});
    anteroom_.make_room();
  }
  gate_.admit();
  at.gate.admit();
  ++accepted_this_turn_;
}

void Entrance::on_shortage(uv::Acceptor&, std::string_view why) {
  host_.accepting_pauses(why);
}

bool Entrance::is_paused() const {
  return std::any_of(listeners_.begin(), listeners_.end(),
                     [](const Listener& listener) { return !listener.acceptor->is_watching(); });
}

std::uint64_t Entrance::shortages() const {
  std::uint64_t all = shortages_of_closed_;
  for (const Listener& listener : listeners_) all += listener.acceptor->shortages();
  return all;
}

// --- the gate ---------------------------------------------------------------------------------------------

void Entrance::set_accept_rate(unsigned rate) {
  gate_.set_rate(rate);
  if (gate_.is_paused()) try_gates();
}

void Entrance::begin_turn() {
  accepted_this_turn_ = 0;
  anteroom_.begin_turn();
}

void Entrance::shut_gate() {
  for (const Listener& listener : listeners_) listener.acceptor->pause();
  arm_gates();
  host_.accepting_pauses("connections come faster than " + std::to_string(gate_.rate()) +
                         " a second (accept_rate); connections wait, and are accepted in turn");
}

void Entrance::try_gates() {
  gate_.reopen(loop_.now());
  for (Listener& listener : listeners_) {
    listener.gate.reopen(loop_.now());
    gate_.is_paused() || listener.gate.is_paused() ? listener.acceptor->pause() : listener.acceptor->go_on();
  }
  arm_gates();
}

void Entrance::arm_gates() {
  MonoTime opens = MonoTime::never();
  const auto look_at = [&](const AcceptGate& gate) {
    if (gate.is_paused()) opens = std::min(opens, gate.opens_at());
  };
  look_at(gate_);
  for (const Listener& listener : listeners_) look_at(listener.gate);
  opens == MonoTime::never() ? gate_timer_->disarm() : gate_timer_->arm(opens - loop_.now());
}

}  // namespace heartbeat
