#include "daemon/control/control_server.h"

#include <iterator>
#include <utility>

#include <spdlog/spdlog.h>

#include "common/uv/guard.h"
#include "common/uv/listening_socket.h"
#include "common/uv/machine.h"

namespace heartbeat {

using State = ControlSession::State;

ControlServer::ControlServer(uv::Loop& loop, ControlContext& context, std::size_t sessions_max)
    : loop_(loop), context_(context), sessions_max_(sessions_max), no_sleep_(uv::NoSleep::create(loop)) {}

ControlServer::~ControlServer() {
  for (const Sessions& sessions : lists_) {
    for (const uv::Owned<ControlSession>& session : sessions) session->abandon();
  }
}

tl::expected<void, std::string> ControlServer::listen(const std::string& path) {
  auto file = SocketFile::claim(path);
  if (!file) return tl::unexpected(file.error());
  const int descriptor = file->take_descriptor();
  file_.emplace(std::move(*file));
  file_->open_to_all(access_.readers.has_value());
  return adopt(descriptor);
}

tl::expected<void, std::string> ControlServer::adopt(int descriptor) {
  Descriptor socket{descriptor};
  const auto refuse = [](int error) {
    return tl::unexpected("cannot listen on the control socket: " + uv::describe(error));
  };
  if (const int error = uv::set_backlog(descriptor, limits::kControlBacklog); error != 0) {
    return refuse(error);
  }
  auto acceptor = uv::Acceptor::create(loop_, std::move(socket), *this);
  if (!acceptor) return refuse(acceptor.error());
  acceptor_ = std::move(*acceptor);
  return {};
}

tl::expected<void, std::string> ControlServer::adopt(Descriptor socket, const std::string& path) {
  auto file = SocketFile::adopt(path);
  if (!file) return tl::unexpected(file.error());
  file_.emplace(std::move(*file));
  file_->open_to_all(access_.readers.has_value());
  return adopt(socket.release());
}

void ControlServer::end_for_restart() {
  for (Sessions& sessions : lists_) {
    for (auto session = sessions.begin(); session != sessions.end();) {
      ControlSession& each = **session++;
      if (each.waits_for_restart()) continue;
      each.say_restarting();
      end(each);
    }
  }
}

std::vector<int> ControlServer::waiting_for_restart() const {
  std::vector<int> descriptors;
  for (const Sessions& sessions : lists_) {
    for (const uv::Owned<ControlSession>& session : sessions) {
      if (session->waits_for_restart()) descriptors.push_back(session->descriptor());
    }
  }
  return descriptors;
}

void ControlServer::answer_restart() {
  wake_all(State::WaitsForEvents);
}

void ControlServer::take(uv::Acceptor&, uv::Acceptor::Accepted& accepted) {
  active_ = true;
  ++accepted_this_turn_;
  // All that can lack memory comes first: the connection is offered again then.
  Sessions made;
  made.emplace_back(new ControlSession{loop_, *this});
  ControlSession& session = *made.front();
  session.place = made.begin();
  const bool has_room = make_room();
  if (session.open(std::move(accepted.socket)) != 0) return;
  if (!has_room)
    return session.turn_away("busy", std::to_string(sessions_max_) + " control connections are open already");
  if (!session.begin(access_)) return;
  Sessions& waiting = list_of(State::WaitsForPeer);
  waiting.splice(waiting.end(), made);
}

// At the bound, the session that has gone longest without asking or reading is closed.
bool ControlServer::make_room() {
  if (sessions() < sessions_max_) return true;
  if (list_of(State::WaitsForPeer).empty()) {
    ++figures_.refused;
    spdlog::warn("control socket: a connection was turned away, {} are open", sessions_max_);
    return false;
  }
  ++figures_.displaced;
  end(*list_of(State::WaitsForPeer).front());
  return true;
}

void ControlServer::on_shortage(uv::Acceptor&, std::string_view why) {
  spdlog::warn("control socket: {}", why);
}

void ControlServer::after_turn() {
  accepted_this_turn_ = 0;
  if (std::exchange(events_seen_, context_.desk.feed().next()) != context_.desk.feed().next()) {
    wake_all(State::WaitsForEvents);
  }

  wake_all(State::WaitsForTurn);

  const Sessions& ready = list_of(State::Ready);
  Steps steps{limits::kControlStepsPerTurn};
  while (!ready.empty() && steps.left()) {
    ControlSession& session = *ready.front();
    // Also what turns out to be nothing to do costs something.
    steps.spend(1);
    move(session, work(session, steps));
  }
  // A session may itself have made an event that others wait for.
  const bool is_more =
      !ready.empty() || !list_of(State::WaitsForTurn).empty() || context_.desk.feed().next() != events_seen_;
  if (is_more) no_sleep_->next_poll();
}

// A session that asks for more memory than there is ends.
ControlSession::State ControlServer::work(ControlSession& session, Steps& steps) {
  State then = State::Ended;
  uv::guarded([&] { then = session.work(slice_, steps); });
  return then;
}

void ControlServer::move(ControlSession& session, State to) {
  Sessions& from = list_of(session.state);
  if (to == State::Ended) {
    session.abandon();
    from.erase(session.place);
    return;
  }
  Sessions& target = list_of(to);
  target.splice(target.end(), from, session.place);
  session.state = to;
}

}  // namespace heartbeat
