// A line of the event journal: one JSON object whose last member is the checksum of what stands before it.
//
//   {"type":"event","cursor":"…:17","boot":"…","seq":17,…,"crc":"9ae0daaf"}
//
// `type` is `event` for an event of the feed, whose object the rest is.  The other lines are about the
// journal itself, and their `seq` is that of the last event before them: `segment` opens a file, `start` and
// `end` are those of a run of the daemon, `mark` says each minute that it was running, and `lost` names
// events that could not be written.  docs/events.md lists the members.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace heartbeat::events {

// Turns the JSON object that is out[begin..] into a line: adds its checksum, and the line's end.
void seal_line(std::string& out, std::size_t begin);

// Whether the line, without its end, is whole and its checksum is right.
[[nodiscard]] bool is_true_line(std::string_view line);

// The JSON object that the line was before it was sealed.  Of a line that is_true_line().
[[nodiscard]] std::string unsealed(std::string_view line);

// The number after `"NAME":` in a line; nothing where it has none.  The name is one of the members that stand
// before the first text of a client: in such a text a quotation mark has a backslash before it, so that it
// cannot be mistaken for a member either.
[[nodiscard]] std::optional<std::uint64_t> number_in(std::string_view line, std::string_view name);

// The text after `"NAME":"`, without escapes undone; empty where it has none.
[[nodiscard]] std::string_view text_in(std::string_view line, std::string_view name);

// Where the last true line of a file ends, its end included; 0 where there is none.
[[nodiscard]] std::size_t end_of_last_true_line(std::string_view file);

// The last line of a file that ends with a line's end, without it; empty for an empty file.
[[nodiscard]] std::string_view last_line(std::string_view file);

}  // namespace heartbeat::events
