// Every call of the monitor as bytes, so that another process can repeat the calls and has the same monitor.
//
// The monitor is a function of its state and of the calls since: a copy of the state and the calls after it
// are the state of now.  Writing a call costs a copy of its arguments, some 100 bytes for a heartbeat, where
// saving the state costs as much as all clients.  call_replay.h repeats what is written here.
//
// The storage is the caller's; in the daemon it is memory that outlives the process.  A process may be killed
// between any two stores: what is not committed does not count.  commit() must follow what the calls ordered
// to be sent, so a call whose answer was not sent is not repeated.
//
// Only a program with the same kCallLogFormat can repeat the calls: raise the number when the meaning of an
// entry changes.
//
// Invariant: bytes [0, head.committed) of the storage are whole entries.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>

#include "common/mono_time.h"
#include "daemon/core/connection_id.h"
#include "daemon/core/listening_clock.h"

namespace heartbeat {

inline constexpr std::uint32_t kCallLogFormat = 2;

// Of a connection that was refused, and where there is none.
inline constexpr ConnId kNoConn{std::numeric_limits<std::uint32_t>::max(), 0};

// One call.  `size` bytes of arguments follow, and zeros up to a multiple of 8.
struct LoggedCall {
  enum class Kind : std::uint16_t {
    Open = 1,    // bytes: peer, arrival, and the caller's own number of the connection
    Receive,     // bytes: as they came
    Disconnect,  // small: reason; bytes: detail
    Abandon,
    Advance,
    NextChange,
    Kick,       // bytes: name and message
    EndBrake,   // small: how
    Stalled,    // bytes: length
    Suspended,  // bytes: length
    AcceptPaused,
    AcceptStillPaused,
    ReviewConditions,
    Reloaded,        // bytes: refusal
    RejectPreamble,  // small: kind; bytes: what
    Hold,            // bytes: pattern, reason, length and uid
    Release,         // bytes: pattern and uid
    Forget,          // bytes: name
    Unsent,          // no call; small: whether bytes for this connection wait to be sent
    Supersede,       // bytes: detail
    RememberLeave,
    CertificateExpires,  // bytes: file and detail
    Drain,               // bytes: rate, pause and uid
    EndDrain,            // bytes: uid
  };

  std::uint32_t size = 0;
  Kind kind{};
  std::uint16_t small = 0;
  std::int64_t now_ms = 0;
  ConnId conn{};
};
static_assert(sizeof(LoggedCall) == 24);

class CallLog {
 public:
  struct Head {
    std::uint64_t committed = 0;    // bytes of whole entries
    std::uint64_t is_broken = 0;    // not 0: a call is missing, and none after it may be repeated
    ListeningClock::State clock{};  // not before the last committed call
    ConnId handled = kNoConn;       // whose bytes were taken from the kernel, and are not committed yet
  };

  // Both outlive this.  Begins anew.
  CallLog(Head& head, std::span<std::byte> storage) : head_(&head), storage_(storage) { *head_ = {}; }

  void add(LoggedCall::Kind kind, MonoTime now, ConnId conn = {}, std::string_view bytes = {},
           std::uint16_t small = 0) {
    const std::size_t whole = sizeof(LoggedCall) + (bytes.size() + 7) / 8 * 8;
    if (storage_.size() - end_ < whole) return break_off();
    const LoggedCall call{.size = static_cast<std::uint32_t>(bytes.size()),
                          .kind = kind,
                          .small = small,
                          .now_ms = now.since_origin().count(),
                          .conn = conn};
    std::byte* const at = storage_.data() + end_;
    std::memcpy(at, &call, sizeof call);
    if (!bytes.empty()) std::memcpy(at + sizeof call, bytes.data(), bytes.size());
    end_ += whole;
  }

  // Bytes of this connection are about to be taken from the kernel, where no other process finds them.
  void handles(ConnId conn) { head_->handled = conn; }

  // What the calls so far ordered is sent.  `clock`: as of the last of them, or later.
  void commit(const ListeningClock::State& clock) {
    // The other process reads after this one is gone: only the compiler could reorder the stores.
    head_->clock = clock;
    std::atomic_signal_fence(std::memory_order_release);
    head_->committed = end_;
    std::atomic_signal_fence(std::memory_order_release);
    head_->handled = kNoConn;
  }

  // A call was made that cannot be written here, or that failed.
  void break_off() { head_->is_broken = 1; }
  [[nodiscard]] bool is_broken() const { return head_->is_broken != 0; }

  [[nodiscard]] std::size_t size() const { return end_; }
  [[nodiscard]] std::size_t room() const { return storage_.size() - end_; }

 private:
  Head* head_;
  std::span<std::byte> storage_;
  std::size_t end_ = 0;
};

}  // namespace heartbeat
