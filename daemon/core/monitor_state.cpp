// A monitor made from the state of another: what it does not hold is worked out again.
#include "daemon/core/monitor_state.h"

#include <algorithm>
#include <utility>

#include "daemon/core/braked_rule.h"
#include "daemon/core/monitor.h"

namespace heartbeat {

// The leaves that the brake counts are those of the clients marked so; it begins without any.
Monitor::Monitor(MonitorState&& state, const SliceSize& slice)
    : state_(std::move(state)),
      slice_size_(slice),
      addresses_(state_.key),
      newcomers_by_address_(state_.key),
      replacements_(state_.key) {
  state_.brake = ClosingBrake{state_.settings.brake, state_.settings.rule, state_.brake.state()};
  for (std::uint32_t slot = 0; slot < state_.clients.slots(); ++slot) {
    if (state_.clients.at(slot) != nullptr) derive(entry_at(slot));
  }
}

// In the middle of a sweep a client may still stand as it did before.  The sweep brings it up to date as it
// would have done anyway, before anything is judged; only its address must count as it did.
void Monitor::derive(Entry entry) {
  const Client& client = entry.client;
  if (client.counted_by_brake) state_.brake.add(silent_leave_of(client, rule_of(client)));
  ++count_of_group(client).clients;
  if (client.liveness.status() == Status::Leave) count_leave(client, +1);
  if (counts_address_of(client)) addresses_.add(client.peer);
  if (client.is_newcomer) {
    newcomers_by_address_.add(client.peer);
    ++newcomers_;
  }
  if (client.is_replaced) ++replaced_;
  if (may_replace(client)) replacements_.add(entry.conn.slot, client);
  if (may_be_replaced(client)) list_as_silent(entry);
  list_if_dead(entry);
  deadlines_.arm(entry.conn.slot, next_look(client, state_.now));
}

std::vector<MonoTime> Monitor::armed() const {
  std::vector<MonoTime> armed;
  armed.reserve(state_.clients.slots());
  for (std::uint32_t slot = 0; slot < state_.clients.slots(); ++slot) armed.push_back(deadlines_.of(slot));
  return armed;
}

void Monitor::arm(const std::vector<MonoTime>& armed) {
  for (std::uint32_t slot = 0; slot < std::min<std::size_t>(armed.size(), state_.clients.slots()); ++slot) {
    if (state_.clients.at(slot) != nullptr) deadlines_.arm(slot, armed[slot]);
  }
}

}  // namespace heartbeat
