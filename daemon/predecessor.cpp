#include "daemon/predecessor.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <unordered_map>
#include <utility>

#include <spdlog/spdlog.h>

#include "common/descriptor.h"
#include "common/os/memory_file.h"
#include "common/uv/machine.h"
#include "daemon/core/call_replay.h"
#include "daemon/report/saved_report.h"
#include "daemon/restart/exec.h"
#include "daemon/restart/socket_bag.h"
#include "daemon/restart/state_file.h"

namespace heartbeat {
namespace {

// A million clients take less than 1 KiB each.
constexpr std::size_t kHandoverMax = 4UL * 1024 * 1024 * 1024;

using Unreadable = tl::unexpected<std::string>;

tl::expected<void, std::string> read_handover_into(Predecessor& predecessor, std::string_view bytes) {
  auto handover = read_handover(bytes);
  if (!handover) return Unreadable(handover.error());
  predecessor.handover = std::move(*handover);
  predecessor.has_handover = true;
  auto state = restore_state(predecessor.handover.state, uv::random_key());
  predecessor.handover.state = {};
  if (!state) return Unreadable(to_string(state.error()));
  predecessor.state = std::move(*state);
  return {};
}

// --- the calls since the state
// ------------------------------------------------------------------------------

// The totals and dates that operators see, as the calls go on.
class Report {
 public:
  explicit Report(std::string_view saved) { restore_report(saved, tally_, reloads_, clock_); }

  void add(const Event& event) {
    tally_.add(event);
    if (event.kind != Event::Kind::Stalled && event.kind != Event::Kind::Suspended) return;
    // The listening clock stood still for that long.
    const WallTime before = clock_.at(event.at);
    clock_.agree(before, event.at);
    clock_.agree(before + event.extra->stalled, event.at);
  }

  [[nodiscard]] std::string saved() const { return save_report(tally_, reloads_, clock_); }

 private:
  Tally tally_;
  Reloads reloads_;
  WallClock clock_{{}, {}};
};

// The clients of a handover, as the calls go on.
class Connections {
 public:
  explicit Connections(std::vector<Handover::Client>&& clients) {
    for (Handover::Client& client : clients) by_slot_.emplace(client.conn.slot, std::move(client));
  }

  void opened(ConnId conn, Handover::Cookie socket) { by_slot_[conn.slot] = {socket, conn}; }
  void waits(ConnId conn, bool any) {
    const auto at = by_slot_.find(conn.slot);
    if (at != by_slot_.end() && at->second.conn == conn) at->second.unsent = any ? "some" : "";
  }

  [[nodiscard]] std::vector<Handover::Client> of(const Registry& clients) {
    std::vector<Handover::Client> found;
    for (auto& [slot, client] : by_slot_) {
      if (clients.find(client.conn) != nullptr) found.push_back(std::move(client));
    }
    return found;
  }

 private:
  std::unordered_map<std::uint32_t, Handover::Client> by_slot_;
};

// Makes the state that which it was when the process ended.
tl::expected<void, std::string> go_on(Predecessor& predecessor, const LeftState& left,
                                      const Credentials* credentials) {
  if (left.head.is_broken != 0) return Unreadable("a call is missing in it");
  if (predecessor.handover.version != HEARTBEAT_VERSION) return Unreadable("it is of another version");
  SavedState& state = *predecessor.state;
  Monitor monitor{std::move(state.monitor)};
  monitor.use(credentials);
  monitor.arm(predecessor.handover.armed);
  Report report{state.others};
  Connections connections{std::move(predecessor.handover.clients)};
  const ReplayObserver observer{
      .on_event =
          [&](const Event& event) {
            state.feed.add(event);
            report.add(event);
          },
      .on_open = [&](ConnId conn, std::uint64_t socket) { connections.opened(conn, socket); },
      .on_unsent = [&](ConnId conn, bool any) { connections.waits(conn, any); }};
  if (!replay_calls(left.calls, monitor, observer)) return Unreadable("a call cannot be repeated");
  predecessor.handover.clients = connections.of(monitor.clients());
  predecessor.handover.written = left.head.clock.machine;
  state.monitor = std::move(monitor).take_state();
  state.turn.clock = left.head.clock;
  state.others = report.saved();
  return {};
}

void find_lost(Predecessor& predecessor, ConnId handled) {
  for (Handover::Client& client : predecessor.handover.clients) {
    const bool was_handled = client.conn == handled;
    if (!was_handled && client.unsent.empty()) continue;
    predecessor.lost.push_back({client.conn, was_handled ? "the daemon crashed while it handled its bytes"
                                                         : "a part of an answer was lost in the crash"});
  }
}

// Of the files, the newest one last: the newest that has a handover, and the calls in all behind it.
tl::expected<LeftState, std::string> read_newest(const std::vector<Descriptor>& files) {
  std::string calls;
  std::optional<CallLog::Head> newest;
  for (std::size_t older = files.size(); older > 0; --older) {
    auto left = read_state_file(files[older - 1].get());
    if (!left) return left;
    if (!newest) {
      newest = left->head;
    } else if (left->head.is_broken != 0) {
      newest->is_broken = 1;
    }
    calls.insert(0, left->calls);
    if (left->handover.empty()) continue;
    left->calls = std::move(calls);
    left->head = *newest;
    return left;
  }
  return Unreadable(std::string{"there is none"});
}

tl::expected<void, std::string> read_left(Predecessor& predecessor, const std::vector<Descriptor>& files,
                                          const Credentials* credentials) {
  const auto left = read_newest(files);
  if (!left) return Unreadable(left.error());
  predecessor.has_crashed = !left->label.is_planned;
  if (left->attempts > LeftState::kAttemptsMax) {
    // What surrounds the state is no part of what failed.
    if (auto handover = read_handover(left->handover)) {
      predecessor.handover = std::move(*handover);
      predecessor.has_handover = true;
    }
    return Unreadable("processes that tried to go on from it crashed, " + std::to_string(left->attempts - 1) +
                      " in a row");
  }
  if (auto read = read_handover_into(predecessor, left->handover); !read) return read;
  if (!predecessor.has_crashed) return {};
  if (const auto repeated = go_on(predecessor, *left, credentials); !repeated) {
    predecessor.state.reset();
    return Unreadable("the calls since cannot be repeated: " + repeated.error());
  }
  find_lost(predecessor, left->head.handled);
  return {};
}

void empty_into(InheritedSockets& sockets, const Descriptor& bag) {
  auto found = look_into_bag(bag.get());
  if (!found) {
    spdlog::error("a part of the clients' sockets cannot be read ({}): these clients are closed",
                  std::strerror(found.error()));
    return;
  }
  for (Descriptor& socket : *found) sockets.add(std::move(socket));
}

}  // namespace

std::optional<Predecessor> predecessor_before_exec() {
  const auto file = take_state_descriptor();
  if (!file) return {};
  Predecessor predecessor;
  predecessor.was_executed = true;
  predecessor.sockets = InheritedSockets::after_exec();
  tl::expected<void, std::string> read;
  const auto bytes = os::read_memory_file(file->get(), kHandoverMax);
  if (bytes) {
    read = read_handover_into(predecessor, *bytes);
  } else {
    read = Unreadable(std::strerror(bytes.error()));
  }
  if (!read) predecessor.unreadable = read.error();
  return predecessor;
}

std::optional<Predecessor> predecessor_of_manager(const HandedSockets& handed,
                                                  const Credentials* credentials) {
  if (handed.kept_names.empty()) return {};
  Predecessor predecessor;
  for (const int number : handed.kept_sockets) predecessor.sockets.add(Descriptor{number});
  for (const int number : handed.kept_bags) empty_into(predecessor.sockets, Descriptor{number});
  std::vector<Descriptor> files;
  for (const int number : handed.kept_states) files.emplace_back(number);
  std::sort(files.begin(), files.end(), [](const Descriptor& one, const Descriptor& other) {
    return state_file_number(one.get()) < state_file_number(other.get());
  });
  const auto read = read_left(predecessor, files, credentials);
  if (!read) predecessor.unreadable = read.error();
  return predecessor;
}

}  // namespace heartbeat
