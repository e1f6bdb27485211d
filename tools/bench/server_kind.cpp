#include "tools/bench/server_kind.h"

namespace heartbeat::bench {

std::string_view to_string(ServerKind kind) {
  switch (kind) {
    case ServerKind::Raw: return "raw";
    case ServerKind::RawPaused: return "raw-paused";
    case ServerKind::Libuv: return "libuv";
    case ServerKind::Daemon: return "heartbeatd";
    case ServerKind::RawAnswering: return "raw-answering";
    case ServerKind::Peer: break;
  }
  return "peer";
}

}  // namespace heartbeat::bench
