// The daemon's state as bytes, for the process that takes this one's place.
//
// What is written is a sequence of tagged fields (common/tagged_fields.h) in an envelope with the format's
// number, the lowest number whose reader can follow, the length and a checksum.  saved_state.cpp lists every
// field with its tag.  A member that a later version adds gets a new tag: an older reader skips it, and a
// newer reader that does not find it takes the member's default.  A tag is never used again for something
// else.
//
// How a restart goes, for the caller, which owns the sockets:
//
//   before   When the turn is over and its effects are applied: save_state().  The core is not changed by it,
//            so a restart that fails afterwards can be forgotten.  ConnId names a client in the state and in
//            the caller's table of sockets alike.
//   after    restore_state(); Monitor{std::move(state.monitor)} and Turn{settings.rule, state.turn,
//   machine_now};
//            then change_settings() to the settings that are configured now, as in a reload.  The first
//            Turn::woke() reports what the restart took as a stall.
//   sockets  Each client of Monitor::clients() without a socket: Monitor::disconnect().  Each socket without
//   a
//            client: Monitor::open(), accepted now.  A client whose `held` is set is not to be read until an
//            effect says so.
//   error    Nothing of the state is used: every socket is one without a client.
//
// Knows no file and no socket.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "common/keyed_hash.h"
#include "common/wall_time.h"
#include "daemon/core/feed.h"
#include "daemon/core/monitor_state.h"
#include "daemon/core/turn.h"

namespace heartbeat {

// The number of the format, raised when a reader must know of a change; and the lowest number whose reader
// can read what is written now.
inline constexpr std::uint32_t kStateFormat = 1;
inline constexpr std::uint32_t kStateReadableBy = 1;

// What is saved; lent for the call.
struct StateToSave {
  const MonitorState& monitor;
  const Turn::State& turn;
  const Feed& feed;
  std::string_view run;     // the id of this run, which the cursors of the feed name: it goes on
  WallTime started{};       // of the run
  std::string_view others;  // bytes of other layers, kept as they are
};

// The same, restored.
struct SavedState {
  MonitorState monitor;
  Turn::State turn{};
  Feed feed{};
  std::string run{};
  WallTime started{};
  std::string others{};
};

// Why bytes cannot be read.
struct StateError {
  std::string_view what;  // a sentence without a full stop
  std::string field;      // the tags on the way to the field that is wrong: `3.4.2`; empty: the whole
};
[[nodiscard]] std::string to_string(const StateError& error);

// Linear in the clients: about 0.3 KB and 1.5 µs each (docs/performance.md).  Out of memory, throws
// std::bad_alloc.
[[nodiscard]] std::string save_state(const StateToSave& state);

// `key`: see MonitorState.  Never throws, whatever the bytes are: out of memory is an error, too.  Every
// length and number is checked before anything is made of it, so that a monitor made from what is returned
// keeps its invariants.
[[nodiscard]] tl::expected<SavedState, StateError> restore_state(std::string_view bytes, const HashKey& key);

// The same without the envelope, so that a test can try the reader on damaged fields.
[[nodiscard]] tl::expected<SavedState, StateError> restore_fields(std::string_view fields,
                                                                  const HashKey& key);

}  // namespace heartbeat
