// The saved state of the daemon, from arbitrary bytes: it is refused with a reason, or a monitor made from it
// works.
//
// Input: the fields without their envelope, whose checksum a fuzzer does not find.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/core/monitor.h"
#include "daemon/core/saved_state.h"
#include "tests/fuzz/promise.h"

using namespace heartbeat;
using heartbeat::fuzz::hold;

namespace {

constexpr std::string_view kNonsense{"\0\0\0\2{}", 6};  // a frame that is no heartbeat

std::string saved(const MonitorState& monitor, const SavedState& rest) {
  return save_state({.monitor = monitor,
                     .turn = rest.turn,
                     .feed = rest.feed,
                     .run = rest.run,
                     .started = rest.started,
                     .others = rest.others});
}

// To the end of every leave and every brake, and one client more.
void live_on(Monitor& monitor) {
  Effects effects;
  const auto to_the_end = [&](auto more) {
    while (more()) effects.clear();
    effects.clear();
  };
  const Settings& settings = monitor.settings();
  MonoTime now = monitor.state().now;
  if (now.since_origin().count() > std::int64_t{1} << 50U) now = {};  // no instant is later
  for (std::uint32_t slot = 0; slot < monitor.clients().slots(); ++slot) {
    if (monitor.clients().at(slot) == nullptr) continue;
    monitor.receive(monitor.clients().conn_of(slot), kNonsense, now, effects);
  }
  if (const auto conn = monitor.open({.address = {10, 0, 0, 1}, .port = 1}, now, effects)) {
    monitor.disconnect(*conn, Reason::PeerClosed, now, effects);
  }
  to_the_end([&] { return monitor.advance(now, effects); });
  now += settings.rule.leave_timeout;
  to_the_end([&] { return monitor.advance(now, effects); });
  to_the_end([&] { return monitor.shut_down(now, effects); });
  hold(monitor.clients().size() == 0, "after a shutdown no client is connected");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  static_cast<void>(restore_state(bytes, {}));
  auto restored = restore_fields(bytes, {});
  if (!restored) {
    hold(!restored.error().what.empty(), "a refused state has a reason");
    return 0;
  }
  const std::string once = saved(restored->monitor, *restored);
  const auto again = restore_state(once, {});
  hold(again.has_value(), "what was read can be written and read again");
  hold(saved(again->monitor, *again) == once, "and is the same then");
  Monitor monitor{std::move(restored->monitor)};
  live_on(monitor);
  return 0;
}
