#include "daemon/core/call_replay.h"

#include <cstring>
#include <optional>

#include "common/tagged_fields.h"
#include "daemon/core/effects.h"

namespace heartbeat {
namespace {

using Kind = LoggedCall::Kind;

// The fields of arguments.
enum ArgumentTag : std::uint16_t {
  kPeer = 1,
  kListener = 2,
  kAccepted = 3,
  kVia = 4,
  kCertificateName = 5,
  kRequire = 6,
  kNumber = 7,
  kFirst = 8,
  kSecond = 9,
  kUid = 10,
  kRate = 11,
};

struct Arguments {
  Endpoint peer{};
  Arrival arrival{};
  std::uint64_t number = 0;
  std::string_view first;
  std::string_view second;
  std::uint32_t uid = 0;
  unsigned rate = 0;
};

std::uint64_t to_number(MonoTime at) {
  return static_cast<std::uint64_t>(at.since_origin().count());
}
Millis to_length(std::uint64_t number) {
  return Millis{static_cast<std::int64_t>(number)};
}

void write_endpoint(FieldWriter& fields, std::uint16_t tag, const Endpoint& endpoint) {
  fields.bytes(tag, {reinterpret_cast<const char*>(&endpoint), sizeof endpoint});
}

std::optional<Endpoint> read_endpoint(const Field& field) {
  Endpoint endpoint;
  if (field.value.size() != sizeof endpoint) return {};
  std::memcpy(&endpoint, field.value.data(), sizeof endpoint);
  return endpoint;
}

Arguments read_arguments(std::string_view bytes) {
  Arguments read;
  FieldReader fields{bytes};
  while (const auto field = fields.next()) {
    const std::uint64_t number = field->number().value_or(0);
    switch (field->tag) {
      case kPeer: read.peer = read_endpoint(*field).value_or(Endpoint{}); break;
      case kListener: read.arrival.listener = read_endpoint(*field); break;
      case kAccepted: read.arrival.accepted = MonoTime{to_length(number)}; break;
      case kVia: read.arrival.passage.via = read_endpoint(*field); break;
      case kCertificateName: read.arrival.passage.certificate_name = field->value; break;
      case kRequire: read.arrival.passage.require = static_cast<Requirement>(number); break;
      case kNumber: read.number = number; break;
      case kFirst: read.first = field->value; break;
      case kSecond: read.second = field->value; break;
      case kUid: read.uid = static_cast<std::uint32_t>(number); break;
      case kRate: read.rate = static_cast<unsigned>(number); break;
      default: break;
    }
  }
  return read;
}

class Replay {
 public:
  Replay(Monitor& monitor, const ReplayObserver& observer) : monitor_(monitor), observer_(observer) {}

  // Returns whether it had the outcome that it had.
  bool repeat(const LoggedCall& call, std::string_view bytes) {
    const bool as_before = make(call, bytes);
    for (const Event& event : effects_.events()) observer_.on_event(event);
    effects_.clear();
    return as_before;
  }

 private:
  bool make(const LoggedCall& call, std::string_view bytes) {
    const MonoTime now{Millis{call.now_ms}};
    switch (call.kind) {
      case Kind::Open: return open(call, read_arguments(bytes), now);
      case Kind::Receive: monitor_.receive(call.conn, bytes, now, effects_); return true;
      case Kind::Disconnect:
        if (call.small >= kReasonCount) return false;
        monitor_.disconnect(call.conn, static_cast<Reason>(call.small), now, effects_, bytes);
        return true;
      case Kind::Abandon: monitor_.abandon(call.conn); return true;
      case Kind::Advance: static_cast<void>(monitor_.advance(now, effects_)); return true;
      case Kind::NextChange: static_cast<void>(monitor_.next_change(now)); return true;
      case Kind::Kick: {
        const Arguments arguments = read_arguments(bytes);
        monitor_.kick(arguments.first, arguments.second, now, effects_);
        return true;
      }
      case Kind::EndBrake: monitor_.end_brake(static_cast<BrakeEnd>(call.small), now, effects_); return true;
      case Kind::Hold: return hold(read_arguments(bytes), now);
      case Kind::Release: {
        const Arguments arguments = read_arguments(bytes);
        monitor_.release(arguments.first, arguments.uid, now, effects_);
        return true;
      }
      case Kind::Drain: return drain(read_arguments(bytes), now);
      case Kind::EndDrain: monitor_.end_drain(read_arguments(bytes).uid, now, effects_); return true;
      case Kind::Forget: monitor_.forget(bytes); return true;
      case Kind::Stalled: monitor_.stalled(length(bytes), now, effects_); return true;
      case Kind::Suspended: monitor_.suspended(length(bytes), now, effects_); return true;
      case Kind::AcceptPaused: monitor_.accept_paused(bytes, now, effects_); return true;
      case Kind::AcceptStillPaused: monitor_.accept_still_paused(now); return true;
      case Kind::ReviewConditions: monitor_.review_conditions(now, effects_); return true;
      case Kind::Reloaded: monitor_.reloaded(bytes, now, effects_); return true;
      case Kind::RejectPreamble:
        if (call.small >= kBadInputCount) return false;
        monitor_.reject_preamble(call.conn, static_cast<BadInput>(call.small), std::string{bytes}, now,
                                 effects_);
        return true;
      case Kind::Supersede: monitor_.supersede(call.conn, bytes, now, effects_); return true;
      case Kind::RememberLeave: monitor_.remember_leave(call.conn, now, effects_); return true;
      case Kind::CertificateExpires: {
        const Arguments arguments = read_arguments(bytes);
        monitor_.certificate_expires(arguments.first, arguments.second, now, effects_);
        return true;
      }
      case Kind::Unsent: observer_.on_unsent(call.conn, call.small != 0); return true;
    }
    return false;
  }

  static Millis length(std::string_view bytes) { return to_length(read_arguments(bytes).number); }

  bool hold(const Arguments& arguments, MonoTime now) {
    if (!Glob::compile(arguments.first)) return false;
    monitor_.hold({.pattern = arguments.first,
                   .why = arguments.second,
                   .length = to_length(arguments.number),
                   .uid = arguments.uid},
                  now, effects_);
    return true;
  }

  bool drain(const Arguments& arguments, MonoTime now) {
    if (arguments.rate == 0) return false;
    monitor_.drain({.rate = arguments.rate, .retry_after = to_length(arguments.number), .uid = arguments.uid},
                   now, effects_);
    return true;
  }

  // The name that the connection gets shows whether the monitor is still the one that was.
  bool open(const LoggedCall& call, const Arguments& arguments, MonoTime now) {
    const auto conn = monitor_.open(arguments.peer, now, effects_, arguments.arrival);
    if (conn.value_or(kNoConn) != call.conn) return false;
    if (conn) observer_.on_open(*conn, arguments.number);
    return true;
  }

  Monitor& monitor_;
  const ReplayObserver& observer_;
  Effects effects_;
};

}  // namespace

bool replay_calls(std::string_view calls, Monitor& monitor, const ReplayObserver& observer) {
  Replay replay{monitor, observer};
  while (!calls.empty()) {
    LoggedCall call;
    if (calls.size() < sizeof call) return false;
    std::memcpy(&call, calls.data(), sizeof call);
    calls.remove_prefix(sizeof call);
    const std::size_t padded = (std::size_t{call.size} + 7) / 8 * 8;
    if (calls.size() < padded) return false;
    if (!replay.repeat(call, calls.substr(0, call.size))) return false;
    calls.remove_prefix(padded);
  }
  return true;
}

std::string arrival_bytes(const Endpoint& peer, const Arrival& arrival, std::uint64_t number) {
  std::string bytes;
  FieldWriter fields{bytes};
  write_endpoint(fields, kPeer, peer);
  if (arrival.listener) write_endpoint(fields, kListener, *arrival.listener);
  if (arrival.accepted) fields.number(kAccepted, to_number(*arrival.accepted));
  if (arrival.passage.via) write_endpoint(fields, kVia, *arrival.passage.via);
  fields.bytes(kCertificateName, arrival.passage.certificate_name);
  fields.number(kRequire, static_cast<std::uint64_t>(arrival.passage.require));
  fields.number(kNumber, number);
  return bytes;
}

std::string hold_bytes(const Monitor::HoldOrder& order) {
  std::string bytes;
  FieldWriter fields{bytes};
  fields.number(kNumber, static_cast<std::uint64_t>(order.length.count()));
  fields.bytes(kFirst, order.pattern);
  fields.bytes(kSecond, order.why);
  fields.number(kUid, order.uid);
  return bytes;
}

std::string release_bytes(std::string_view pattern, std::uint32_t uid) {
  std::string bytes;
  FieldWriter fields{bytes};
  fields.bytes(kFirst, pattern);
  fields.number(kUid, uid);
  return bytes;
}

std::string drain_bytes(const DrainOrder& order) {
  std::string bytes;
  FieldWriter fields{bytes};
  fields.number(kNumber, static_cast<std::uint64_t>(order.retry_after.count()));
  fields.number(kUid, order.uid);
  fields.number(kRate, order.rate);
  return bytes;
}

std::string length_bytes(Millis length) {
  std::string bytes;
  FieldWriter{bytes}.number(kNumber, static_cast<std::uint64_t>(length.count()));
  return bytes;
}

std::string text_bytes(std::string_view first, std::string_view second) {
  std::string bytes;
  FieldWriter fields{bytes};
  fields.bytes(kFirst, first);
  fields.bytes(kSecond, second);
  return bytes;
}

}  // namespace heartbeat
