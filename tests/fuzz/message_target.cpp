// The parsers of JSON bodies: nothing breaks them, and what is accepted says the same when it is written
// again.
//
// Input: a body.
#include <string>

#include "common/frame.h"
#include "common/message.h"
#include "common/text.h"
#include "tests/fuzz/promise.h"

using namespace heartbeat;
using heartbeat::fuzz::hold;

namespace {

// A heartbeat that owns its texts.
struct Said {
  std::string ip;
  Status status;
  std::string id;
  std::optional<std::uint32_t> pid;
  std::optional<std::uint64_t> seq;
  bool ack;
  bool notify;

  explicit Said(const Heartbeat& heartbeat)
      : ip(heartbeat.ip),
        status(heartbeat.status),
        id(heartbeat.id),
        pid(heartbeat.pid),
        seq(heartbeat.seq),
        ack(heartbeat.ack),
        notify(heartbeat.notify) {}

  [[nodiscard]] Heartbeat again() const {
    return {.ip = ip, .status = status, .id = id, .pid = pid, .seq = seq, .ack = ack, .notify = notify};
  }
  friend bool operator==(const Said&, const Said&) = default;
};

void hold_members(const Said& said) {
  hold(!said.ip.empty() && said.ip.size() <= limits::kClaimedIpMax, "an ip has 1 to 64 bytes");
  hold(is_utf8(said.ip), "an ip is UTF-8");
  hold(said.id.size() <= limits::kIdMax, "an id has at most 128 bytes");
  hold(is_printable(said.id), "an id is printable");
}

void hold_same(HeartbeatParser& parser, const Said& said, const std::string& body, const char* promise) {
  const auto again = parser.parse(body);
  hold(again.has_value() && Said{*again} == said, promise);
}

void try_heartbeat(HeartbeatParser& parser, std::string_view body) {
  const auto heartbeat = parser.parse(body);
  if (!heartbeat) {
    hold(!is_frame_error(heartbeat.error()), "a body is refused for what is in it");
    hold(!explain(heartbeat.error()).empty(), "every refusal is explained");
    // A line's end in front is nothing that the reader of plain heartbeats takes.
    const auto by_full_parser = parser.parse("\n" + std::string{body});
    hold(!by_full_parser && (body.empty() || by_full_parser.error() == heartbeat.error()),
         "what one way of reading refuses the other refuses for the same cause");
    return;
  }
  const Said said{*heartbeat};
  hold_members(said);
  hold_same(parser, said, std::string{body}, "a body read twice says the same twice");
  hold_same(parser, said, " \t\r\n" + std::string{body} + " \t\r\n", "white space around it changes nothing");
  hold_same(parser, said, encode(said.again()), "what was accepted says the same when it is written again");
  hold_same(parser, said, encode_twice(said.again()), "and when it is written twice");
  hold(!parser.parse(std::string{body} + "{}").has_value(), "nothing may follow the value");
}

// One frame's body, as the peer sees it.
template <class Append>
std::string body_of(Append append) {
  std::string bytes;
  append(bytes);
  FrameDecoder decoder;
  std::string_view input = bytes;
  const FrameDecoder::Result frame = decoder.next(input, limits::kControlFrameMax);
  hold(frame.state == FrameDecoder::State::Frame && input.empty(), "what is appended is one whole frame");
  return std::string{frame.body};
}

// What the peer made us say in `detail` comes to nothing but text.
void try_server_frames(std::string_view text) {
  static_cast<void>(parse_server_frame(text));
  if (!is_utf8(text)) return;
  const auto status = parse_server_frame(
      body_of([&](std::string& out) { append_status(out, Status::Close, "kicked", text); }));
  hold(status && status->type == "status" && status->status == "close" && status->reason == "kicked" &&
           status->detail == text,
       "a notice reads back as it was written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static HeartbeatParser parser;  // kept from one to the next, as in the daemon
  const std::string_view body{reinterpret_cast<const char*>(data), size};
  try_heartbeat(parser, body);
  if (size <= limits::kFrameMax) try_server_frames(body);
  return 0;
}
