#include "daemon/predecessor.h"

#include <cstring>
#include <utility>

#include <spdlog/spdlog.h>

#include "common/descriptor.h"
#include "common/os/memory_file.h"
#include "common/uv/machine.h"
#include "daemon/restart/exec.h"
#include "daemon/restart/socket_bag.h"

namespace heartbeat {
namespace {

// A million clients take less than 1 KiB each.
constexpr std::size_t kHandoverMax = 4UL * 1024 * 1024 * 1024;

tl::expected<Handover, std::string> read_from(int file) {
  const auto bytes = os::read_memory_file(file, kHandoverMax);
  if (!bytes) return tl::unexpected(std::string{std::strerror(bytes.error())});
  return read_handover(*bytes);
}

void read_into(Predecessor& predecessor, int file) {
  auto handover = read_from(file);
  if (!handover) {
    predecessor.unreadable = handover.error();
    return;
  }
  predecessor.handover = std::move(*handover);
  auto state = restore_state(predecessor.handover.state, uv::random_key());
  predecessor.handover.state = {};
  if (!state) {
    predecessor.unreadable = to_string(state.error());
    return;
  }
  predecessor.state = std::move(*state);
}

}  // namespace

std::optional<Predecessor> predecessor_before_exec() {
  const auto state = take_state_descriptor();
  if (!state) return {};
  Predecessor predecessor;
  predecessor.sockets = InheritedSockets::after_exec();
  read_into(predecessor, state->get());
  return predecessor;
}

std::optional<Predecessor> predecessor_of_manager(const HandedSockets& handed) {
  if (!handed.kept_state) return {};
  const Descriptor state{*handed.kept_state};
  Predecessor predecessor;
  predecessor.is_with_manager = true;
  for (const int number : handed.kept_sockets) predecessor.sockets.add(Descriptor{number});
  for (const int number : handed.kept_bags) {
    const Descriptor bag{number};
    auto sockets = look_into_bag(bag.get());
    if (!sockets) {
      spdlog::error("a part of the clients' sockets cannot be read ({}): these clients are closed",
                    std::strerror(sockets.error()));
      continue;
    }
    for (Descriptor& socket : *sockets) predecessor.sockets.add(std::move(socket));
  }
  read_into(predecessor, state.get());
  return predecessor;
}

}  // namespace heartbeat
