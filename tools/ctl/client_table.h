// The columns in which clients are listed, by `clients` and by `top`.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "tools/ctl/json_reply.h"
#include "tools/ctl/styled.h"
#include "tools/ctl/table.h"

namespace heartbeat::ctl {

// What a name or an address may be cut down to: an IPv4 address with its port is still whole.
inline constexpr std::size_t kNameLeast = 12;
inline constexpr std::size_t kAddressLeast = 21;

// What the daemon can sort clients by.
inline constexpr std::array<std::string_view, 4> kClientOrders{"silence", "margin", "connected", "name"};

// `sorted_by`: one of those orders, whose heading is marked with an arrow; empty: none is.
[[nodiscard]] Table client_table(std::string_view sorted_by = {});

// The rule that a client is judged by: its own member `rule`, or that of a status.
[[nodiscard]] Object rule_of(const Object& client, const Object& fleet_rule);

// One client's cells.  The rule is what the counters are out of.
[[nodiscard]] Line client_cells(const Object& client, const Object& fleet_rule);

// A counter and what it is out of, `2/5`; the counter alone where that is not known.
[[nodiscard]] std::string counter_text(const Object& client, const char* counter, const Object& rule,
                                       const char* bound);

// `87%`; cut, never rounded up, so that 100% is a clean record.
[[nodiscard]] std::string margin_text(const Object& client, const char* member);

[[nodiscard]] Tone tone_of_status(std::string_view status);

}  // namespace heartbeat::ctl
