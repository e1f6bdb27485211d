// Says what is wrong with a body that is no heartbeat: where, and what stands there.
//
// It reads the body a second time, with a parser that keeps the place of an error and the values of members.
// Pure, and never on the path of a heartbeat that is read.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/bad_input.h"

namespace heartbeat {

// One sentence without a full stop.  `body` is what HeartbeatParser::parse() refused as `kind`, which is no
// frame error and not IdChanged.  At most limits::kExcerptMax bytes of the body are quoted, escaped.
[[nodiscard]] std::string diagnose_body(BadInput kind, std::string_view body);

// The same for an id that is not the one that the connection gave `first`.
[[nodiscard]] std::string diagnose_changed_id(std::string_view first, std::string_view id);

// What the bytes are instead of JSON, as the end of "this is …": a way to compress or to write values.  Empty
// where that is not known.
[[nodiscard]] std::string_view known_encoding(std::string_view bytes);

// Where a JSON object with a member begins within the first bytes; nothing where none does.
[[nodiscard]] std::optional<std::size_t> find_object(std::string_view bytes);

// Whether the bytes are one whole JSON object, array or string and nothing else.
[[nodiscard]] bool is_json(std::string_view bytes);

}  // namespace heartbeat
