// The clients that are expected: a file of ids, and which of them are connected.
//
// A client that is expected and not connected is missing, whether it was ever there or not.  The daemon
// judges a client that is not expected as any other: nothing on the path of a verdict looks here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "daemon/core/event.h"
#include "daemon/core/registry.h"

namespace heartbeat {

// As many as there can be clients in a large fleet; each costs an id and a bit.
inline constexpr std::size_t kRosterNamesMax = 1'000'000;
// Bytes of the file: that many ids of ordinary length, and comments.
inline constexpr std::size_t kRosterFileMax = std::size_t{64} << 20U;
// Names that are compared with the connected clients in one turn of the loop: about a millisecond.
inline constexpr std::size_t kRosterStep = 10'000;

class Roster {
 public:
  // The text of a file: an id a line; what follows a `#` at the beginning of a line, and blank lines, are
  // skipped.  The error is a sentence that names the line.
  [[nodiscard]] static tl::expected<Roster, std::string> parse(std::string_view text);

  [[nodiscard]] const std::vector<std::string>& ids() const { return ids_; }  // sorted, each once
  // The place of the id; ids().size() where it is not expected.
  [[nodiscard]] std::size_t find(std::string_view id) const;

 private:
  std::vector<std::string> ids_;
};

// Follows the events, and looks through the connected clients from time to time: an event may be lost where
// memory lacks.
class Attendance {
 public:
  explicit Attendance(Roster&& roster) : roster_(std::move(roster)), is_there_(roster_.ids().size()) {}

  void note(const Event& event) noexcept;
  // Compares the next kRosterStep names with the connected clients, from the first name again after the last.
  void look(const Registry& clients) noexcept;

  [[nodiscard]] const Roster& roster() const { return roster_; }
  [[nodiscard]] bool is_there(std::size_t place) const { return is_there_[place]; }
  [[nodiscard]] std::size_t missing() const { return roster_.ids().size() - there_; }
  // Whether each name has been looked for since the roster was read; until then `missing` is too many.
  [[nodiscard]] bool is_complete() const { return is_complete_; }

 private:
  void set(std::size_t place, bool there) noexcept;

  Roster roster_;
  std::vector<bool> is_there_;  // by the places of the ids
  std::size_t there_ = 0;
  std::size_t next_ = 0;  // to look for
  bool is_complete_ = false;
};

}  // namespace heartbeat
