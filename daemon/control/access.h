// What each user may do at the control socket, where members of a group may only see (control_readers).
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

namespace heartbeat {

enum class Rights : std::uint8_t { None, Read, All };

struct ControlAccess {
  std::optional<std::uint32_t> readers{};  // the group; nothing: whoever can connect may do everything
  // Of the daemon: this user, root and the members of this group may do everything.
  std::uint32_t user = 0;
  std::uint32_t group = 0;
};

// Of a process with these ids, as they were when it connected.
[[nodiscard]] inline Rights rights_of(const ControlAccess& access, std::uint32_t user,
                                      std::span<const std::uint32_t> groups) {
  const auto is_in = [&](std::uint32_t group) {
    return std::find(groups.begin(), groups.end(), group) != groups.end();
  };
  if (!access.readers || user == 0 || user == access.user || is_in(access.group)) return Rights::All;
  return is_in(*access.readers) ? Rights::Read : Rights::None;
}

}  // namespace heartbeat
