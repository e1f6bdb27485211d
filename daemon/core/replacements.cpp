#include "daemon/core/replacements.h"

#include <algorithm>
#include <array>
#include <new>

namespace heartbeat {

std::uint32_t Replacements::candidate_for(const Client& silent) const noexcept {
  const std::uint64_t program = program_of(silent);
  const auto found = candidates_.lower_bound({program, silent.last_heard + Millis{1}, 0});
  if (found == candidates_.end() || std::get<0>(*found) != program) return kNone;
  return std::get<2>(*found);
}

void Replacements::add_silent(std::uint32_t slot, const Client& client) noexcept {
  try {
    silent_.insert(silent(slot, client));
  } catch (const std::bad_alloc&) {  // then the brake counts it, as if its program were silent, too
  }
}

std::uint32_t Replacements::silent_before(const Client& client) const noexcept {
  const std::uint64_t program = program_of(client);
  const auto found = silent_.lower_bound({program, MonoTime{}, 0});
  if (found == silent_.end() || std::get<0>(*found) != program) return kNone;
  return std::get<1>(*found) < client.connected_at ? std::get<2>(*found) : kNone;
}

// A hash of the address without its port, the claimed ip and the pid.
std::uint64_t Replacements::program_of(const Client& client) const noexcept {
  constexpr unsigned kPidShift = 32;
  const Endpoint& peer = client.peer;
  const std::uint64_t address =
      keyed_hash(key_, {reinterpret_cast<const char*>(peer.address.data()), peer.address.size()});
  const std::uint64_t pid = client.pid ? std::uint64_t{*client.pid} | std::uint64_t{1} << kPidShift : 0;
  const std::array<std::uint64_t, 3> parts{address, keyed_hash(key_, client.claimed_ip.view()), pid};
  return keyed_hash(key_, {reinterpret_cast<const char*>(parts.data()), sizeof parts});
}

}  // namespace heartbeat
