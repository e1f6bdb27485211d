#include "daemon/control/control_server.h"

#include <iterator>
#include <utility>

#include <spdlog/spdlog.h>

#include "common/uv/machine.h"

namespace heartbeat {

using State = ControlSession::State;

ControlServer::ControlServer(uv::Loop& loop, ControlContext& context, std::size_t sessions_max)
    : loop_(loop), context_(context), sessions_max_(sessions_max), no_sleep_(uv::NoSleep::create(loop)) {}

ControlServer::~ControlServer() {
  for (const Sessions* sessions : {&ready_, &waiting_for_peer_, &waiting_for_events_}) {
    for (const uv::Owned<ControlSession>& session : *sessions) session->abandon();
  }
}

tl::expected<void, std::string> ControlServer::listen(const std::string& path) {
  auto file = SocketFile::claim(path);
  if (!file) return tl::unexpected(file.error());
  const int descriptor = file->take_descriptor();
  file_.emplace(std::move(*file));
  return adopt(descriptor);
}

tl::expected<void, std::string> ControlServer::adopt(int descriptor) {
  auto listener = uv::PipeListener::adopt(loop_, descriptor, limits::kControlBacklog,
                                          [this](uv_stream_t* stream) { accept(stream); });
  if (!listener) {
    return tl::unexpected("cannot listen on the control socket: " + uv::describe(listener.error()));
  }
  listener_ = std::move(*listener);
  return {};
}

int ControlServer::descriptor() {
  return listener_ == nullptr ? -1 : listener_->descriptor();
}

void ControlServer::accept(uv_stream_t* listener) {
  try {
    take(listener);
  } catch (const std::bad_alloc&) {  // there is no memory for it: it is closed
  }
}

void ControlServer::take(uv_stream_t* listener) {
  active_ = true;
  uv::Owned<ControlSession> session{new ControlSession{loop_, *this}};
  if (session->accept(listener) != 0) return;
  if (sessions() == sessions_max_) {
    spdlog::warn("control socket: a connection was turned away, {} are open", sessions_max_);
    session->turn_away("busy", std::to_string(sessions_max_) + " control connections are open already");
    return;
  }
  session->begin();
  waiting_for_peer_.push_back(std::move(session));
  waiting_for_peer_.back()->place = std::prev(waiting_for_peer_.end());
}

void ControlServer::after_turn() {
  if (std::exchange(events_seen_, context_.feed.next()) != context_.feed.next()) {
    while (!waiting_for_events_.empty()) wake(*waiting_for_events_.front());
  }

  Steps steps{limits::kControlStepsPerTurn};
  while (!ready_.empty() && steps.left()) {
    ControlSession& session = *ready_.front();
    // Also what turns out to be nothing to do costs something.
    steps.spend(1);
    move(session, work(session, steps));
  }
  // A session may itself have made an event that others wait for.
  const bool is_more = !ready_.empty() || context_.feed.next() != events_seen_;
  if (is_more) no_sleep_->next_poll();
}

// What there is no memory for ends the session that asked for it.
ControlSession::State ControlServer::work(ControlSession& session, Steps& steps) {
  try {
    return session.work(slice_, steps);
  } catch (const std::bad_alloc&) {
    return State::Ended;
  }
}

ControlServer::Sessions& ControlServer::list_of(State state) {
  switch (state) {
    case State::WaitsForPeer: return waiting_for_peer_;
    case State::WaitsForEvents: return waiting_for_events_;
    case State::Ready:
    case State::Ended: break;
  }
  return ready_;
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
