// What befell one client, so that it can be explained later: gaps, strikes, leaves, returns, declarations,
// takeovers and earlier connections, each with its instant.
//
// Bounded: at limits::kMomentsMax the oldest gap makes room, or the oldest moment where there is no gap; how
// many were forgotten is kept.  A client that never gave cause for a moment has no history at all.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/endpoint.h"
#include "common/mono_time.h"
#include "common/status.h"
#include "daemon/core/reason.h"

namespace heartbeat {

struct SavedFields;

struct Moment {
  enum class Kind : std::uint8_t {
    Connected,  // peer
    Gap,        // ended by a heartbeat; silent, ticks
    Struck,     // strikes
    Left,       // reason
    Returned,
    Declared,   // what the client says of itself changed; status
    TakenOver,  // by a new connection; peer: its address
    Closed,     // an earlier connection's end; reason
    Renewed,    // a new leave period, from an operator
    Limited,    // it beat too fast, and is read slower from here on; once of each connection
  };

  // In this order for size: 48 bytes.
  MonoTime at;  // on the listening clock
  Millis silent{0};
  Endpoint peer{};
  std::uint32_t ticks = 0;  // whole ticks without a heartbeat
  std::uint16_t strikes = 0;
  Kind kind = Kind::Connected;
  Status status = Status::Alive;
  Reason reason = Reason::Silent;
};

class History {
 public:
  void add(const Moment& moment);

  // What the client said of its last declared leave; empty where it said nothing.
  void set_note(std::string_view note) { note_ = note; }
  [[nodiscard]] const std::string& note() const { return note_; }

  [[nodiscard]] std::span<const Moment> oldest_first() const { return moments_; }
  [[nodiscard]] std::uint32_t forgotten() const { return forgotten_; }

 private:
  friend struct SavedFields;  // saved_state.cpp lists the members that survive a restart

  std::vector<Moment> moments_;
  std::string note_;
  std::uint32_t forgotten_ = 0;
};

}  // namespace heartbeat
