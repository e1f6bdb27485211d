#include "daemon/control/control_session.h"

#include <limits>
#include <utility>

#include "common/json_frame.h"
#include "common/os/socket.h"
#include "daemon/control/control_server.h"
#include "daemon/control/one_answer.h"

namespace heartbeat {

bool ControlSession::begin(const ControlAccess& access) {
  // A peer of which the system says nothing is in no group.
  const auto credentials = peer();
  if (credentials) who_ = {.uid = credentials->uid, .pid = credentials->pid};
  if (access.readers) {
    const auto groups = os::peer_groups(descriptor());
    who_.rights = credentials ? rights_of(access, who_.uid, groups) : Rights::None;
  }
  if (who_.rights == Rights::None) {
    turn_away("forbidden", "the control socket is for the daemon's own group and for control_readers");
    return false;
  }
  static_cast<void>(start_reading());  // fails only for a stream that is closing
  return true;
}

void ControlSession::turn_away(std::string_view code, std::string_view message) {
  std::string error;
  append_error(error, code, message);
  write(error);
}

void ControlSession::say_restarting() {
  std::string frame;
  append_json_frame(frame, [](JsonWriter& json) { json.add("type", "restarting"); });
  write(frame);
}

ControlSession::State ControlSession::work(std::string& slice, Steps& steps) {
  if (has_unsent()) return State::WaitsForPeer;
  if (answer_ == nullptr) {
    if (last_) return State::Ended;
    if (!next_request()) {
      read_on();
      return State::WaitsForPeer;
    }
    // An endless answer is the last one; reading on notices the end of the peer.
    if (answer_->is_endless()) read_on();
  }

  slice.clear();
  const Answer::State made = answer_->go_on(slice, steps);
  if (made == Answer::State::Done) answer_.reset();
  State then = State::Ready;
  if (made == Answer::State::WaitsForTurn) then = State::WaitsForTurn;
  if (made == Answer::State::WaitsForEvents) then = State::WaitsForEvents;
  if (slice.empty()) return then;

  steps.spend(limits::kStepsPerWrite);
  // The slice has its own bound, and is only made when nothing is queued.
  if (write(slice, std::numeric_limits<std::size_t>::max()) != 0) return State::Ended;
  return has_unsent() ? State::WaitsForPeer : then;
}

bool ControlSession::next_request() {
  std::string_view input = std::string_view{unread_}.substr(taken_);
  const FrameDecoder::Result frame = decoder_.next(input, limits::kControlFrameMax);
  taken_ = unread_.size() - input.size();
  if (frame.state == FrameDecoder::State::Frame) answer_ = answer_to(frame.body, who_, server_.context());
  if (frame.state == FrameDecoder::State::Bad) {
    answer_ = answer_to_no_frame(frame.length);
    last_ = true;
  }
  return answer_ != nullptr;
}

// Every byte of the last read has been used: its memory goes back before more is read.
void ControlSession::read_on() {
  unread_ = {};
  taken_ = 0;
  static_cast<void>(start_reading());  // fails only for a stream that is closing
}

// Requests after an endless answer are thrown away.
void ControlSession::on_bytes(std::string_view bytes) {
  if (answer_ != nullptr && answer_->is_endless()) return;
  pause_reading();
  unread_ = bytes;
  server_.wake(*this);
}

void ControlSession::on_end(int) {
  server_.end(*this);
}

void ControlSession::on_written(int error) {
  error == 0 ? server_.wake(*this) : server_.end(*this);
}

}  // namespace heartbeat
