// The heartbeat as nearly every client spells it, read without a JSON parser.
//
// Plain is: an object of members that are known, each at most once; texts of printable ASCII without an
// escape; numbers without sign, point or exponent; no white space but single blanks between the tokens.  All
// of that once, or encoded a second time as one JSON string.  Everything else, and everything that is wrong,
// is the full parser's: what is read here is exactly what that would read, and nothing is refused here.
#pragma once

#include <string_view>

#include "common/message.h"

namespace heartbeat {

// Reads the body into `into`, whose views are of the body; false where it is not plain, `into` being of no
// use then.
[[nodiscard]] bool read_plain_heartbeat(std::string_view body, Heartbeat& into);

}  // namespace heartbeat
