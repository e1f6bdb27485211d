#include "daemon/report/roster.h"

#include <algorithm>
#include <utility>

#include "common/client_id.h"
#include "common/limits.h"
#include "common/text.h"

namespace heartbeat {
namespace {

std::string at_line(std::size_t line, const std::string& what) {
  return "line " + std::to_string(line) + ": " + what;
}

}  // namespace

tl::expected<Roster, std::string> Roster::parse(std::string_view text) {
  Roster roster;
  for (std::size_t line = 1; !text.empty(); ++line) {
    std::string_view id = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(id.size() + 1, text.size()));
    if (id.ends_with('\r')) id.remove_suffix(1);
    if (id.empty() || id.front() == '#') continue;
    if (!is_client_id(id)) {
      return tl::unexpected(at_line(line, "'" + escaped(id, limits::kExcerptMax) + "' is no id of a client"));
    }
    if (roster.ids_.size() == kRosterNamesMax) {
      return tl::unexpected(at_line(line, "more than " + std::to_string(kRosterNamesMax) + " ids"));
    }
    roster.ids_.emplace_back(id);
  }
  std::sort(roster.ids_.begin(), roster.ids_.end());
  const auto twice = std::adjacent_find(roster.ids_.begin(), roster.ids_.end());
  if (twice != roster.ids_.end()) return tl::unexpected("'" + escaped(*twice) + "' is there twice");
  return roster;
}

std::size_t Roster::find(std::string_view id) const {
  const auto found = std::lower_bound(ids_.begin(), ids_.end(), id);
  if (found == ids_.end() || *found != id) return ids_.size();
  return static_cast<std::size_t>(found - ids_.begin());
}

void Attendance::note(const Event& event) noexcept {
  const bool comes = event.kind == Event::Kind::Joined || event.kind == Event::Kind::Named ||
                     event.kind == Event::Kind::TakenOver;
  if (!comes && event.kind != Event::Kind::Closed) return;
  const std::size_t place = roster_.find(event.client);
  if (place < is_there_.size()) set(place, comes);
}

void Attendance::look(const Registry& clients) noexcept {
  if (is_there_.empty()) is_complete_ = true;
  for (std::size_t left = std::min(kRosterStep, is_there_.size()); left > 0; --left) {
    set(next_, clients.slot_of(roster_.ids()[next_]).has_value());
    if (++next_ < is_there_.size()) continue;
    next_ = 0;
    is_complete_ = true;
  }
}

void Attendance::set(std::size_t place, bool there) noexcept {
  if (is_there_[place] == there) return;
  is_there_[place] = there;
  there ? ++there_ : --there_;
}

}  // namespace heartbeat
