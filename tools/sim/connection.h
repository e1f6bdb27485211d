// One simulated client's socket: hands what happens to it to the fleet.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/frame.h"
#include "tools/door/stream.h"

namespace heartbeat::sim {

class Fleet;

class Connection final : public door::Stream {
 public:
  Connection(uv::Loop& loop, Fleet& fleet, std::uint32_t slot, std::shared_ptr<const tls::Context> context,
             std::string preface)
      : Stream(loop, std::move(context), std::move(preface)), fleet_(fleet), slot_(slot) {}

  [[nodiscard]] std::uint32_t slot() const { return slot_; }
  [[nodiscard]] FrameDecoder& decoder() { return decoder_; }

 private:
  void on_open(int error) override;
  void on_plain(std::string_view bytes) override;
  void on_end(int error) override;

  Fleet& fleet_;
  FrameDecoder decoder_;
  std::uint32_t slot_;
};

}  // namespace heartbeat::sim
