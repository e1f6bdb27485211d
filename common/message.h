// The JSON bodies, both ways, to and from plain structs.
//
// This is the trust boundary: what comes out of parse() has been checked in every member.  Bytes on the wire
// and every refusal are in docs/protocol.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "common/bad_input.h"
#include "common/limits.h"
#include "common/mono_time.h"
#include "common/status.h"

namespace heartbeat {

// One heartbeat, client to server.
struct Heartbeat {
  std::string_view ip{};  // claimed, 1 to 64 bytes of UTF-8 (more is cut off), shown and never trusted
  Status status = Status::Alive;  // what the client says of itself; `live` reads as Alive
  std::string_view id{};          // by the grammar of client_id.h; empty when not given
  // A secret (common/token.h), never to be shown; empty where what was given cannot be one; nothing when not
  // given.
  std::optional<std::string_view> token{};
  std::optional<std::uint32_t> pid{};
  std::optional<std::uint64_t> seq{};
  std::string_view
      note{};  // of a declared leave: at most 128 bytes (more is cut off), shown and never trusted
  std::string_view group{};  // the group that it says it is of: at most 64 bytes, not checked any further
  std::optional<std::uint32_t> interval_ms{};  // at which it beats from now on; 0: it does not say
  std::optional<std::uint32_t> quiet_ms{};     // it will be silent for this long
  bool ack = false;                            // answer this one
  bool notify = false;                         // from now on, send notices about my state
};

// Reads heartbeats.  Keeps its working memory from one to the next: an ordinary heartbeat allocates nothing.
class HeartbeatParser {
 public:
  HeartbeatParser();
  ~HeartbeatParser();
  HeartbeatParser(HeartbeatParser&&) noexcept;
  HeartbeatParser& operator=(HeartbeatParser&&) noexcept;
  HeartbeatParser(const HeartbeatParser&) = delete;
  HeartbeatParser& operator=(const HeartbeatParser&) = delete;

  // Reads a body: an object, or a string that holds one (the article's client encodes twice; one level only).
  // Unknown members are ignored, of a member given twice the last counts.  The views in the result are valid
  // until the next call, and while the body is.
  [[nodiscard]] tl::expected<Heartbeat, BadInput> parse(std::string_view body);

  // The same by the JSON library alone, without the short way for the plain spelling (plain_heartbeat.h).
  [[nodiscard]] tl::expected<Heartbeat, BadInput> parse_in_full(std::string_view body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The body of a heartbeat.
[[nodiscard]] std::string encode(const Heartbeat& heartbeat);

// The same as the article's client sends it: encoded a second time, as one JSON string.
[[nodiscard]] std::string encode_twice(const Heartbeat& heartbeat);

// The settings in force, sent once to a client that asked for notices.
struct Welcome {
  Millis tick;
  unsigned threshold;
  unsigned cursor;
  unsigned recover;
  Millis leave_timeout;
  std::size_t frame_max;
};

// Each appends one whole frame, prefix included.  `detail`, where it is not empty, is a sentence for a
// person; `retry_after`, where it is not 0, is how long the client must wait before it connects again.
void append_ack(std::string& out, std::optional<std::uint64_t> seq, Status status);
void append_welcome(std::string& out, const Welcome& welcome);
void append_status(std::string& out, Status status, std::string_view reason, std::string_view detail = {},
                   Millis retry_after = {});
// What a client gets of the interval and the silence that it declared, as a status frame.
void append_granted(std::string& out, Status status, Millis interval, Millis quiet);

// One frame from the daemon, as a client sees it.  Types and members it does not know are left out.
struct ServerFrame {
  std::string type;                             // ack, welcome, status, or a later daemon's
  std::string status;                           // of ack and status
  std::string reason;                           // of status
  std::string detail;                           // of status, may be empty
  std::optional<std::uint64_t> seq;             // of ack
  std::optional<std::uint64_t> retry_after_ms;  // of a close
  std::optional<Welcome> welcome;               // of welcome
};

// Reads a body that a daemon sent; the error is a sentence.
[[nodiscard]] tl::expected<ServerFrame, std::string> parse_server_frame(std::string_view body);

}  // namespace heartbeat
