// What happened, for whoever wants to tell it: the log, and later the journal and the change feed.
//
// One flat record for all kinds: which members are meaningful for which kind stands beside the kind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/bad_input.h"
#include "common/endpoint.h"
#include "common/mono_time.h"
#include "common/status.h"
#include "daemon/core/brake_report.h"
#include "daemon/core/connection_id.h"
#include "daemon/core/reason.h"

namespace heartbeat {

struct Event {
  enum class Kind : std::uint8_t {
    Connected,     // a connection was accepted
    Joined,        // its first heartbeat; claimed_ip, pid
    Named,         // a later heartbeat gave an id; `previous` is what it was called
    TakenOver,     // its id was another connection's, which is closed; `previous_peer`, takeovers
    Fight,         // two connections take an id from each other again and again; told once; `previous_peer`
    Heard,         // a heartbeat; only where Settings::report_heartbeats asks; declared, seq, claimed_ip, pid
    Slow,          // clients beat steadily, but slower than the tick; told once; `spacing`
    Fast,          // the client beats too fast and is read slower from now on; told once of each connection
    Struck,        // one more strike
    Left,          // alive -> leave; reason
    Returned,      // leave -> alive; reason
    Closed,        // reason, by; bad_input and detail where the input was bad
    Refused,       // a connection was turned away before it was a client; reason, detail
    Stalled,       // the daemon itself was not listening; `stalled`
    Suspended,     // the machine was suspended; `stalled`: for how long
    Braked,        // closing for silence pauses, see closing_brake.h; `brake`
    BrakeEnded,    // it goes on; `brake`
    AcceptPaused,  // listening pauses: connections come too fast, or there is no descriptor; detail
  };
  // Stalled and those after it are of the daemon: client and peer are empty.

  Kind kind;
  std::uint64_t number = 0;  // counts the events of this run from 1 without a gap; 0: Heard is not counted
  MonoTime at{};  // on the listening clock; the exact instant of a verdict, however late it was found

  ConnId conn{};
  std::string client{};  // its name
  Endpoint peer{};
  std::string claimed_ip{};
  std::optional<std::uint32_t> pid{};

  // The client's standing: of a verdict, at its instant and before it reset anything.
  Status from = Status::Alive;
  Status to = Status::Alive;
  Reason reason = Reason::Silent;
  Party by = Party::Daemon;
  std::uint16_t silence = 0;
  std::uint16_t strikes = 0;
  std::uint16_t steady = 0;
  Millis silent{0};     // since the last heartbeat, or since the accept
  Millis connected{0};  // since the accept
  std::uint64_t heartbeats = 0;
  bool sent_bytes = true;  // false: not one byte came (a probe)

  std::string previous{};
  std::optional<Endpoint> previous_peer{};
  unsigned takeovers = 0;  // of TakenOver: how many close upon one another, this one included
  std::optional<std::uint64_t> seq{};
  Status declared = Status::Alive;
  Millis spacing{0};
  Millis stalled{0};
  std::shared_ptr<const BrakeReport> brake{};  // null: of no brake
  std::optional<BadInput> bad_input{};
  std::string detail{};  // a sentence, of our words and escaped ones of the peer's
};
inline constexpr std::size_t kEventKindCount = 18;

// Of the daemon itself, and of no client.
[[nodiscard]] constexpr bool is_of_daemon(Event::Kind kind) {
  return kind >= Event::Kind::Stalled;
}

// `connected`, `leave`, `close` …: the word that log lines begin with.
[[nodiscard]] std::string_view to_string(Event::Kind kind);

}  // namespace heartbeat
