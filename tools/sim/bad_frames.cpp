#include "tools/sim/bad_frames.h"

#include <cstdint>

#include "common/frame.h"

namespace heartbeat::sim {
namespace {

BadFrame bad_length(std::string_view name, std::uint32_t length) {
  std::string bytes;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) bytes.push_back(static_cast<char>(length >> shift & 0xFFU));
  return {name, bytes, Reason::BadFrame};
}

BadFrame bad_body(std::string_view name, std::string_view body) {
  std::string bytes;
  append_frame(bytes, body);
  return {name, bytes, Reason::BadHeartbeat};
}

}  // namespace

BadFrame bad_frame(std::size_t ordinal, std::size_t frame_max) {
  switch (ordinal % kBadFrameCount) {
    case 0: return bad_length("length 0", 0);
    case 1: return bad_length("length -1", 0xFFFFFFFFU);
    case 2: return bad_length("length over max", static_cast<std::uint32_t>(frame_max) + 1);
    case 3: return bad_body("not JSON", "heartbeat");
    case 4: return bad_body("not an object", "[1, 2, 3]");
    case 5: return bad_body("not UTF-8", "{\"ip\": \"\xFF\", \"status\": \"alive\"}");
    case 6: return bad_body("no ip", R"({"status": "alive"})");
    default: return bad_body("unknown status", R"({"ip": "127.0.0.1", "status": "asleep"})");
  }
}

}  // namespace heartbeat::sim
