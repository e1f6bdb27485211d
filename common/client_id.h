// The grammar of a client's id: 1 to limits::kIdMax bytes of printable text that does not read as an address.
//
// A client without an id is named by its address.  An id that looks like one would pass for another client in
// every list, and in the story that an operator asks for by name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace heartbeat {

// Whether the text is an id.
[[nodiscard]] bool is_client_id(std::string_view text);

// What keeps the text from being an id, as the end of a sentence: `it has 129 bytes`.  Nothing if it is one.
[[nodiscard]] std::optional<std::string> fault_of_client_id(std::string_view text);

}  // namespace heartbeat
