// One simulated client's socket: hands what happens to it to the fleet.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/frame.h"
#include "common/uv/stream.h"

namespace heartbeat::sim {

class Fleet;

class Connection final : public uv::TcpStream {
 public:
  Connection(uv::Loop& loop, Fleet& fleet, std::uint32_t slot)
      : TcpStream(loop), fleet_(fleet), slot_(slot) {}

  [[nodiscard]] std::uint32_t slot() const { return slot_; }
  [[nodiscard]] FrameDecoder& decoder() { return decoder_; }

 private:
  void on_connected(int error) override;
  void on_bytes(std::string_view bytes) override;
  void on_end(int error) override;

  Fleet& fleet_;
  FrameDecoder decoder_;
  std::uint32_t slot_;
};

}  // namespace heartbeat::sim
