// Why a client's status changed or its connection ended: every reason, and all that is always the same about
// it.
//
// One table, so that a new reason is one row.  Whatever lists or words reasons walks the table (metrics,
// event log, page), or names each reason in a switch without `default:`, which the compiler then checks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/status.h"

namespace heartbeat {

enum class Reason : std::uint8_t {
  Silent,
  Declared,
  Remembered,
  Steady,
  Away,
  Goodbye,
  PeerClosed,
  Reset,
  BadFrame,
  BadHeartbeat,
  Superseded,
  Kicked,
  NeverSpoke,
  FrameTimeout,
  Limit,
  Shutdown,
  Unauthorized,
  GivenUp,
  TimedOut,
  Crash,
  Absent,
  Drained,
};

// The party that began what an event reports.
enum class Party : std::uint8_t { Client, Daemon, Operator };

// The changes of status that a reason causes in ordinary operation; bits of one set.
enum class Transition : std::uint8_t {
  None = 0,
  Leaves = 1,   // alive -> leave
  Returns = 2,  // leave -> alive
  Expires = 4,  // leave -> close
  Dies = 8,     // alive -> close
};
[[nodiscard]] constexpr Transition operator|(Transition a, Transition b) {
  return static_cast<Transition>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
[[nodiscard]] constexpr bool contains(Transition set, Transition one) {
  return (static_cast<unsigned>(set) & static_cast<unsigned>(one)) != 0;
}
// None where no client goes that way.
[[nodiscard]] constexpr Transition transition(Status from, Status to) {
  if (from == Status::Alive && to == Status::Leave) return Transition::Leaves;
  if (from == Status::Leave && to == Status::Alive) return Transition::Returns;
  if (from == Status::Leave && to == Status::Close) return Transition::Expires;
  if (from == Status::Alive && to == Status::Close) return Transition::Dies;
  return Transition::None;
}

struct ReasonFacts {
  Reason reason;
  std::string_view word;      // on the wire, in logs and metrics; docs/protocol.md lists the words
  std::string_view sentence;  // for operators; the subject is the client
  // Of a close: the party that began it, and whether its log line is a warning.  No party: the reason is none
  // for a close.
  std::optional<Party> by;
  bool warns;
  // The transitions whose counters exist from the start, at 0, so that an alert sees the first increase.
  Transition usual;

  [[nodiscard]] constexpr bool closes() const { return by.has_value(); }
};

inline constexpr std::size_t kReasonCount = 22;

// In the order of the enumeration.
inline constexpr std::array<ReasonFacts, kReasonCount> kReasons{{
    {Reason::Silent, "silent", "was silent for too long", Party::Daemon, true,
     Transition::Leaves | Transition::Expires},
    {Reason::Declared, "declared", "declared leave itself", {}, false, Transition::Leaves},
    {Reason::Remembered,
     "remembered",
     "came back in leave, as it was when it was last closed",
     {},
     false,
     Transition::Leaves},
    {Reason::Steady, "steady", "was heard steadily again", {}, false, Transition::Returns},
    {Reason::Away, "away", "did not return from the leave that it had declared", Party::Daemon, true,
     Transition::Expires},
    {Reason::Goodbye, "goodbye", "said goodbye", Party::Client, false,
     Transition::Dies | Transition::Expires},
    {Reason::PeerClosed, "peer_closed", "closed its connection", Party::Client, false,
     Transition::Dies | Transition::Expires},
    {Reason::Reset, "reset", "lost its connection", Party::Client, false,
     Transition::Dies | Transition::Expires},
    {Reason::BadFrame, "bad_frame", "sent bytes that are not a frame", Party::Daemon, true, Transition::None},
    {Reason::BadHeartbeat, "bad_heartbeat", "sent a frame that is not a heartbeat", Party::Daemon, true,
     Transition::None},
    {Reason::Superseded, "superseded", "was superseded by another connection with its id", Party::Client,
     false, Transition::None},
    {Reason::Kicked, "kicked", "was kicked by an operator", Party::Operator, false,
     Transition::Dies | Transition::Expires},
    {Reason::NeverSpoke, "never_spoke", "never sent a heartbeat", Party::Daemon, true, Transition::None},
    {Reason::FrameTimeout, "frame_timeout", "did not finish a frame in time", Party::Daemon, true,
     Transition::None},
    {Reason::Limit, "limit", "needed more than the daemon allows", Party::Daemon, true, Transition::None},
    {Reason::Shutdown, "shutdown", "was closed because the daemon shut down", Party::Daemon, false,
     Transition::None},
    {Reason::Unauthorized, "unauthorized", "had no credential for what it claimed", Party::Daemon, true,
     Transition::None},
    {Reason::GivenUp, "given_up", "was silent in leave, and its place was given to a new client",
     Party::Daemon, true, Transition::Expires},
    {Reason::TimedOut, "timed_out", "did not answer what the kernel sent it", Party::Client, false,
     Transition::Dies | Transition::Expires},
    {Reason::Crash, "crash", "was closed because the daemon crashed while it handled its bytes",
     Party::Daemon, true, Transition::None},
    {Reason::Absent, "absent", "did not come back after the daemon had ended", Party::Client, true,
     Transition::None},
    {Reason::Drained, "drained", "was drained, to connect elsewhere", Party::Operator, false,
     Transition::Dies | Transition::Expires},
}};

namespace detail {
consteval bool rows_are_in_order() {
  for (std::size_t row = 0; row < kReasonCount; ++row) {
    if (kReasons.at(row).reason != static_cast<Reason>(row)) return false;
  }
  return true;
}
}  // namespace detail
static_assert(detail::rows_are_in_order());

[[nodiscard]] constexpr const ReasonFacts& facts_of(Reason reason) {
  return kReasons.at(static_cast<std::size_t>(reason));
}

[[nodiscard]] constexpr std::string_view to_string(Reason reason) {
  return facts_of(reason).word;
}
[[nodiscard]] std::string_view to_string(Party party);

}  // namespace heartbeat
