// Instants and lengths of time as a person reads them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/mono_time.h"

namespace heartbeat::ctl {

// Milliseconds since the epoch of an instant as the daemon writes it, `2026-11-22T09:55:14.570Z`.
[[nodiscard]] std::optional<Millis> parse_instant(std::string_view text);

// The same instant on this machine's wall clock, `2026-11-22 10:55:14.570`; what is no instant is returned as
// it is.
[[nodiscard]] std::string local_time(std::string_view instant);

// The name of this machine's zone at that instant, `CET`; empty for what is no instant.
[[nodiscard]] std::string zone_at(std::string_view instant);

// The sentence with each instant in it in local time, with the name of the zone: `10:55:14 CET`, of another
// day than today `2026-11-22 10:55:14 CET`.
[[nodiscard]] std::string in_local_time(std::string_view sentence);

// A length in its two largest units, `850ms`, `12.3s`, `4min5s`, `3h12min`, `5d7h`; cut, never rounded up.
[[nodiscard]] std::string span_text(Millis span);

// Whole milliseconds in seconds, exactly: `12.340s`; below a second `340ms`.
[[nodiscard]] std::string exact_span(Millis span);

}  // namespace heartbeat::ctl
