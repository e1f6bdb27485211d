#include "tools/sim/fleet.h"

#include <algorithm>
#include <utility>

#include <uv.h>

#include "common/limits.h"
#include "tools/door/door.h"
#include "tools/sim/bad_frames.h"

namespace heartbeat::sim {
namespace {

// Reason of a word that the daemon sent; nothing where it is none that this version knows.
std::optional<Reason> reason_named(std::string_view name) {
  for (std::size_t index = 0; index < kReasonCount; ++index) {
    const auto reason = static_cast<Reason>(index);
    if (to_string(reason) == name) return reason;
  }
  return {};
}

// Whether a connection failed for want of something that this machine, and not the daemon, had to give.
bool is_own_fault(int error) {
  return error == UV_EADDRNOTAVAIL || error == UV_EADDRINUSE || error == UV_EMFILE || error == UV_ENFILE ||
         error == UV_ENOBUFS || error == UV_ENOMEM;
}

Endpoint proxied_source(std::uint32_t slot) {
  Endpoint source{.port = 50000};
  source.address = {10, static_cast<std::uint8_t>(slot >> 16U), static_cast<std::uint8_t>(slot >> 8U),
                    static_cast<std::uint8_t>(slot)};
  return source;
}

}  // namespace

Fleet::Fleet(uv::Loop& loop, Plan plan, std::function<void()> on_daemon_ended)
    : loop_(loop),
      plan_(std::move(plan)),
      on_daemon_ended_(std::move(on_daemon_ended)),
      dealt_(plan_.kinds.size(), Dealt{Dealer{plan_.mix}}),
      timer_(uv::Timer::create(loop, [this] { due(); })),
      pulse_(uv::Timer::create(loop, [this] { pulse(); })),
      clock_(limits::kStallLimit, loop.now()),
      next_add_(loop.now()) {
  records_.reserve(plan_.clients);
  actors_.reserve(plan_.clients);
  pulse();
  wake_up_in_time();
}

void Fleet::due() {
  wake_at_ = MonoTime::never();
  watch_stalls();
  const MonoTime now = loop_.now();
  while (steps_.next() <= now) {
    const std::uint32_t slot = steps_.first();
    steps_.disarm(slot);
    play(slot, now);
  }
  add_due(now);
  wake_up_in_time();
}

// --- one more client ------------------------------------------------------------------------------------

void Fleet::add_due(MonoTime now) {
  while (records_.size() < plan_.clients && next_add_ <= now && connecting_ < limits::kConnectingMax) {
    add(now);
    next_add_ += plan_.add_every;
  }
}

void Fleet::add(MonoTime now) {
  const auto slot = static_cast<std::uint32_t>(records_.size());
  const std::size_t kind = slot % plan_.kinds.size();
  Dealt& dealt = dealt_[kind];
  const Behaviour behaviour = dealt.dealer.next();
  Record& record = records_.emplace_back();
  record.behaviour = behaviour;
  record.kind = kind;
  record.connecting_at = now;
  record.asks = behaviour != Behaviour::Steady || dealt.steady++ % 2 == 1;
  actors_.push_back({Script{behaviour, plan_.seed + slot}, {}, {}, nullptr, nullptr});
  actors_.back().frame = heartbeat_frame(slot, Status::Alive);
  connect(slot);
}

void Fleet::connect(std::uint32_t slot) {
  Actor& actor = actors_[slot];
  std::string preface =
      plan_.proxied ? door::proxy_header(proxied_source(slot), plan_.server) : std::string{};
  actor.connection.reset(new Connection{loop_, *this, slot, plan_.tls, std::move(preface)});
  int error = plan_.sources > 1 ? actor.connection->bind(source_of(slot)) : 0;
  if (error == 0) error = actor.connection->connect(plan_.server);
  if (error != 0) return fail(slot, uv_strerror(error), is_own_fault(error));
  actor.connecting = true;
  ++connecting_;
}

void Fleet::connected(Connection& connection, int error) {
  const std::uint32_t slot = connection.slot();
  actors_[slot].connecting = false;
  --connecting_;
  if (error != 0) {
    fail(slot, uv_strerror(error), is_own_fault(error));
  } else {
    const MonoTime now = loop_.now();
    connection.send_at_once();
    Record& record = records_[slot];
    if (!record.connected()) record.connected_at = now;
    actors_[slot].step = actors_[slot].script.begin(now);
    play(slot, now);
  }
  add_due(loop_.now());
  wake_up_in_time();
}

// --- its steps ------------------------------------------------------------------------------------------

void Fleet::play(std::uint32_t slot, MonoTime now) {
  Actor& actor = actors_[slot];
  records_[slot].was_late(now - actor.step.at);
  act(slot, actor.step.act, now);
  if (actor.connection != nullptr)
    wait_for(slot, actor.script.next(plan_.paces[records_[slot].kind], actor.frame.size(), now));
}

void Fleet::act(std::uint32_t slot, Act act, MonoTime now) {
  Actor& actor = actors_[slot];
  Record& record = records_[slot];
  switch (act) {
    case Act::Beat:
      record.beat(now);
      send(slot, actor.frame);
      break;
    case Act::Resume:
      record.quiet_since = record.last_beat_at;
      record.acted_at = now;
      record.beat(now);
      send(slot, actor.frame);
      break;
    case Act::Glue: {
      record.beat(now, kGluedFrames);
      std::string glued;
      for (std::uint32_t frame = 0; frame < kGluedFrames; ++frame) glued += actor.frame;
      send(slot, glued);
      break;
    }
    case Act::Byte: send_byte(slot, now); break;
    case Act::Declare:
      record.acted_at = now;
      send_status(slot, Status::Leave);
      break;
    case Act::SayGoodbye:
      record.acted_at = now;
      send_status(slot, Status::Close);
      break;
    case Act::Misbehave: {
      const BadFrame bad = bad_frame(illegal_++, plan_.paces.front().rule.frame_max);
      record.acted_at = now;
      record.deserved = bad.reason;
      send(slot, bad.bytes);
      break;
    }
    case Act::TakeOver:
      record.acted_at = now;
      actor.earlier = std::move(actor.connection);
      connect(slot);
      break;
  }
}

void Fleet::wait_for(std::uint32_t slot, Step step) {
  actors_[slot].step = step;
  if (step.at != MonoTime::never()) steps_.arm(slot, step.at);
}

void Fleet::send(std::uint32_t slot, std::string_view bytes) {
  // Any other error is of a connection that is ending, which ended() receives.
  if (actors_[slot].connection->send(bytes) == UV_ENOBUFS) fail(slot, "was not read from", false);
}

void Fleet::send_status(std::uint32_t slot, Status status) {
  records_[slot].beat(loop_.now());
  send(slot, heartbeat_frame(slot, status));
}

void Fleet::send_byte(std::uint32_t slot, MonoTime now) {
  Actor& actor = actors_[slot];
  // Counted before it is sent: its answer may come with the very next poll.
  const std::size_t at = actor.sent_bytes++;
  if (actor.sent_bytes == actor.frame.size()) {
    actor.sent_bytes = 0;
    records_[slot].beat(now);
  }
  send(slot, std::string_view{actor.frame}.substr(at, 1));
}

// --- what it is sent ------------------------------------------------------------------------------------

void Fleet::received(Connection& connection, std::string_view bytes) {
  const std::uint32_t slot = connection.slot();
  records_[slot].bytes += bytes.size();
  if (!records_[slot].asks) return;
  for (;;) {
    const FrameDecoder::Result frame = connection.decoder().next(bytes, limits::kFrameMax);
    if (frame.state == FrameDecoder::State::NeedMore) return;
    if (frame.state == FrameDecoder::State::Bad) return fail(slot, "was sent bytes that are no frame", false);
    const auto read = parse_server_frame(frame.body);
    if (!read) return fail(slot, "was sent a frame that cannot be read", false);
    hear(connection, *read);
  }
}

void Fleet::hear(Connection& connection, const ServerFrame& frame) {
  Record& record = records_[connection.slot()];
  const Seen now{loop_.now(), reason_named(frame.reason)};
  if (frame.type == "ack") record.answered();
  if (frame.type != "status") return;

  if (frame.status == to_string(Status::Close)) {
    const bool earlier = &connection == actors_[connection.slot()].earlier.get();
    (earlier ? record.superseded : record.closed).reason = now.reason;
    if (now.reason == Reason::Shutdown) on_daemon_ended_();
  } else if (frame.status == to_string(Status::Leave)) {
    record.status = Status::Leave;
    if (!record.left.happened()) record.left = now;
    const std::uint32_t slot = connection.slot();
    const Pace& pace = plan_.paces[record.kind];
    if (const auto step = actors_[slot].script.led_to_leave(pace, now.at)) wait_for(slot, *step);
    if (now.reason == Reason::Remembered) record.remembered = true;
  } else if (frame.status == to_string(Status::Alive)) {
    record.status = Status::Alive;
    if (!record.returned.happened()) record.returned = now;
  }
}

void Fleet::ended(Connection& connection, int) {
  const std::uint32_t slot = connection.slot();
  Actor& actor = actors_[slot];
  if (&connection == actor.earlier.get()) {
    records_[slot].superseded.at = loop_.now();
    actor.earlier.reset();
    return;
  }
  records_[slot].closed.at = loop_.now();
  steps_.disarm(slot);
  actor.connection.reset();
}

void Fleet::fail(std::uint32_t slot, const char* fault, bool own_fault) {
  records_[slot].fault = fault;
  records_[slot].own_fault = own_fault;
  steps_.disarm(slot);
  Actor& actor = actors_[slot];
  if (std::exchange(actor.connecting, false)) --connecting_;
  actor.connection.reset();
  actor.earlier.reset();
}

// --- time -----------------------------------------------------------------------------------------------

void Fleet::wake_up_in_time() {
  const bool may_add = records_.size() < plan_.clients && connecting_ < limits::kConnectingMax;
  const MonoTime next = std::min(steps_.next(), may_add ? next_add_ : MonoTime::never());
  if (next == wake_at_) return;
  wake_at_ = next;
  if (next != MonoTime::never()) timer_->arm(next - loop_.now());
}

// Often enough to distinguish a pause of this process from a rest.
void Fleet::pulse() {
  watch_stalls();
  pulse_->arm(limits::kPulse);
}

void Fleet::watch_stalls() {
  stalled_ += clock_.turn(loop_.now()).value_or(Millis{0});
}

// --- what it says ---------------------------------------------------------------------------------------

// A client that never asks is the article's: without a name, and encoded twice.
std::string Fleet::heartbeat_frame(std::uint32_t slot, Status status) const {
  const Record& record = records_[slot];
  const std::string ip = address_string(source_of(slot));
  const std::string id = plan_.id_prefix + "-" + std::to_string(slot);
  Heartbeat heartbeat{.ip = ip, .status = status, .pid = slot};
  if (record.asks) {
    heartbeat.id = id;
    heartbeat.notify = true;
    heartbeat.ack = record.behaviour == Behaviour::Glued || record.behaviour == Behaviour::Dribble;
  }
  if (const ClientKind& kind = plan_.kinds[record.kind]; !kind.group.empty()) {
    heartbeat.group = kind.group;
    heartbeat.interval_ms = static_cast<std::uint32_t>(kind.interval.count());
  }
  if (!plan_.token.empty()) heartbeat.token = plan_.token;
  std::string frame;
  append_frame(frame, record.asks ? encode(heartbeat) : encode_twice(heartbeat));
  return frame;
}

// 127.0.0.1 and the addresses after it, in turn.
Endpoint Fleet::source_of(std::uint32_t slot) const {
  const auto number = static_cast<std::uint32_t>(1 + slot % plan_.sources);
  Endpoint source;
  source.address = {127, static_cast<std::uint8_t>(number >> 16U), static_cast<std::uint8_t>(number >> 8U),
                    static_cast<std::uint8_t>(number)};
  return source;
}

}  // namespace heartbeat::sim
