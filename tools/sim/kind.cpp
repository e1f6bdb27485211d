#include "tools/sim/kind.h"

#include <algorithm>

#include "common/duration.h"
#include "common/limits.h"
#include "common/text.h"

namespace heartbeat::sim {
namespace {

std::string in_quotes(std::string_view text) {
  return "'" + escaped(text, limits::kExcerptMax) + "'";
}

tl::expected<ClientKind, std::string> parse_kind(std::string_view text) {
  const std::size_t equals = text.find('=');
  const std::string_view group = text.substr(0, equals);
  if (equals == std::string_view::npos || group.empty() || group.size() > limits::kGroupNameMax ||
      !is_printable(group)) {
    return tl::unexpected(in_quotes(text) + " is not a kind of clients (write it like battery=15min)");
  }
  const auto interval = parse_duration(text.substr(equals + 1));
  if (!interval || *interval < limits::kTickMin || *interval > limits::kTickMax) {
    return tl::unexpected(in_quotes(text) + " has no interval from " + format_duration(limits::kTickMin) +
                          " to " + format_duration(limits::kTickMax) + " (write it like battery=15min)");
  }
  return ClientKind{std::string{group}, *interval};
}

}  // namespace

tl::expected<std::vector<ClientKind>, std::string> parse_kinds(std::string_view text) {
  std::vector<ClientKind> kinds;
  for (std::string_view rest = text;;) {
    const std::size_t comma = rest.find(',');
    auto kind = parse_kind(rest.substr(0, comma));
    if (!kind) return tl::unexpected(kind.error());
    const auto is_same = [&](const ClientKind& other) { return other.group == kind->group; };
    if (std::any_of(kinds.begin(), kinds.end(), is_same)) {
      return tl::unexpected(in_quotes(text) + " names the group " + in_quotes(kind->group) + " twice");
    }
    if (kinds.size() == limits::kGroupsMax) {
      return tl::unexpected("there are more than " + std::to_string(limits::kGroupsMax) +
                            " kinds of clients");
    }
    kinds.push_back(std::move(*kind));
    if (comma == std::string_view::npos) return kinds;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace heartbeat::sim
