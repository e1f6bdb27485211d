// What happened: the record that log, journal, change feed and pages are made from.
//
// One flat record for all kinds; beside each kind stands which members it fills.  A million may be made at
// one instant, so names lie inside the record, and what few kinds fill lies in a block of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/bad_input.h"
#include "common/endpoint.h"
#include "common/mono_time.h"
#include "common/short_text.h"
#include "common/status.h"
#include "daemon/core/brake_report.h"
#include "daemon/core/conditions.h"
#include "daemon/core/connection_id.h"
#include "daemon/core/holds.h"
#include "daemon/core/reason.h"

namespace heartbeat {

// A value that is mostly absent: costs a pointer then, and reads as T{}.
template <class T>
class Rarely {
 public:
  Rarely() = default;
  Rarely(const Rarely& other) : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
  Rarely& operator=(const Rarely& other) {
    if (this != &other) *this = Rarely{other};
    return *this;
  }
  Rarely(Rarely&&) noexcept = default;
  Rarely& operator=(Rarely&&) noexcept = default;
  ~Rarely() = default;

  [[nodiscard]] const T* operator->() const {
    static const T absent{};
    return value_ ? value_.get() : &absent;
  }

  // Null where it is absent.
  [[nodiscard]] const T* get() const { return value_.get(); }

  // To be written to; makes it where it is absent.
  [[nodiscard]] T& edit() {
    if (value_ == nullptr) value_ = std::make_unique<T>();
    return *value_;
  }

 private:
  std::unique_ptr<T> value_;
};

struct Event {
  enum class Kind : std::uint8_t {
    Connected,     // a connection was accepted
    Joined,        // its first heartbeat; claimed_ip, pid; with an id: previous
    Named,         // a later heartbeat gave an id; previous: the client's name until then
    TakenOver,     // its id was another connection's, which is closed; previous_peer, takeovers
    Fight,         // connections take an id from each other repeatedly; condition, previous_peer
    Heard,         // a heartbeat; only with Settings::report_heartbeats; declared, seq, claimed_ip, pid
    Slow,          // clients beat steadily, but slower than the tick; condition, spacing, detail
    Fast,          // the client beats too fast and is read slower from now on; once a connection; detail
    Struck,        // one more strike
    Left,          // alive -> leave; reason
    Returned,      // leave -> alive; reason
    Closed,        // reason, by; bad_input and detail where the input was bad
    Refused,       // a connection was turned away before it was a client; reason, detail
    Stalled,       // the daemon itself was not listening; stalled
    Suspended,     // the machine was suspended; stalled: for how long
    Braked,        // closing for silence pauses, see closing_brake.h; brake
    BrakeEnded,    // closing goes on; brake
    AcceptPaused,  // accepting pauses: connections come too fast, or no descriptor is left; condition, detail
    Restarted,     // another process goes on with the clients; previous: the version before; detail: the
                   // version now; stalled: how long no socket was read; reason: Crash after a crash
    RefusedAgain,  // connections from an address end alike, before a heartbeat; client: the address;
                   // condition, detail
    ReloadRefused,       // the configuration file is not the one in force; condition, detail
    Held,                // an operator holds clients; hold
    HoldEnded,           // the hold has ended; hold, with the uid of the operator that ended it; by
    CertificateExpires,  // a file of TLS runs out soon, or has; condition, detail names it
    Absent,  // was connected when the daemon last ended, and has not come back within its window; detail
    Drain,   // an operator has the clients go elsewhere, drain.h; condition, detail
    DrainComplete,  // no client is left that was connected at its beginning; detail
  };
  // A saved state holds a kind as its number: a new kind goes to the end.

  // Of a kind that reports a condition (conditions.h): which part of it.
  struct OfCondition {
    Phase phase = Phase::Began;
    MonoTime since{};
    std::uint64_t count = 0;
  };

  // What most kinds leave empty.
  struct Extra {
    std::optional<Endpoint> via{};   // of any kind: the proxy that the client came through
    std::string certificate_name{};  // of any kind: of the client's verified certificate
    std::string token_name{};        // of any kind: of the line that has the client's token
    std::string previous{};
    std::optional<Endpoint> previous_peer{};
    unsigned takeovers = 0;  // of TakenOver: the number of takeovers close upon one another, with this one
    std::optional<std::uint64_t> seq{};
    Status declared = Status::Alive;
    Millis spacing{0};
    Millis stalled{0};
    std::shared_ptr<const BrakeReport> brake{};  // null: of no brake
    std::optional<BadInput> bad_input{};
    std::optional<OfCondition> condition{};  // none: of no condition, or of one too many to be recorded
    std::shared_ptr<const Hold> hold{};      // null: of no hold
    std::string group{};                     // of any kind: the client's group; empty: it is in none
    std::string on_hold{};                   // of any kind: why an operator holds the client
    std::string detail{};                    // a sentence, of our words and escaped ones of the peer's
  };

  Kind kind;

  // The client's standing: of a verdict, at its instant and before it reset anything.
  Status from = Status::Alive;
  Status to = Status::Alive;
  Reason reason = Reason::Silent;
  Party by = Party::Daemon;
  bool sent_bytes = true;        // false: not one byte came (a probe)
  bool counted = false;          // one of a condition that lasts, which is reported in its place
  GroupNumber group = kNoGroup;  // of the client, as the monitor numbers groups at this moment
  std::uint16_t silence = 0;
  std::uint16_t strikes = 0;
  std::uint16_t steady = 0;

  std::uint64_t number = 0;  // counts the events of this run from 1 without a gap; 0: Heard is not counted
  MonoTime at{};  // on the listening clock; the exact instant of a verdict, however late it was found

  ConnId conn{};
  NameText client{};
  Endpoint peer{};
  ShortText claimed_ip{};
  std::optional<std::uint32_t> pid{};

  Millis silent{0};     // since the last heartbeat, or since the accept
  Millis connected{0};  // since the accept
  std::uint64_t heartbeats = 0;

  Rarely<Extra> extra{};
};
static_assert(sizeof(Event) <= 144);
inline constexpr std::size_t kEventKindCount = 27;

// Concerns the daemon itself, and no client: client and peer are empty.
[[nodiscard]] constexpr bool is_of_daemon(Event::Kind kind) {
  return kind >= Event::Kind::Stalled && kind != Event::Kind::RefusedAgain && kind != Event::Kind::Absent;
}

// `connected`, `leave`, `close` …: the word that log lines begin with.
[[nodiscard]] std::string_view to_string(Event::Kind kind);

}  // namespace heartbeat
