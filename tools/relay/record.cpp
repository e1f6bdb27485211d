#include "tools/relay/record.h"

#include <array>
#include <utility>

namespace heartbeat::relay {
namespace {

constexpr std::size_t kFleetNameMax = 64;

constexpr std::array<std::pair<Record::Kind, std::string_view>, 6> kRecordWords{{
    {Record::Kind::Joined, "joined"},
    {Record::Kind::Named, "named"},
    {Record::Kind::Takeover, "takeover"},
    {Record::Kind::Leave, "leave"},
    {Record::Kind::Return, "return"},
    {Record::Kind::Close, "close"},
}};

// Takes the text up to the next space off the front.
std::string_view take_word(std::string_view& text) {
  const std::size_t space = text.find(' ');
  const std::string_view word = text.substr(0, space);
  text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  return word;
}

}  // namespace

std::string_view to_string(Record::Kind kind) {
  for (const auto& [each, word] : kRecordWords) {
    if (each == kind) return word;
  }
  return {};
}

std::optional<Record::Kind> parse_record_kind(std::string_view word) {
  for (const auto& [kind, each] : kRecordWords) {
    if (each == word) return kind;
  }
  return {};
}

std::string to_string(const Row& row) {
  std::string text = std::to_string(row.sequence);
  text += row.status == Status::Leave ? " l " : " a ";
  text += std::to_string(row.since);
  text += ' ';
  text += row.peer;
  return text;
}

std::optional<Row> parse_row(std::string_view text) {
  const auto sequence = parse_number(take_word(text));
  const std::string_view status = take_word(text);
  const auto since = parse_number(take_word(text));
  if (!sequence || !since || (status != "a" && status != "l")) return {};
  return Row{.sequence = *sequence,
             .status = status == "l" ? Status::Leave : Status::Alive,
             .since = *since,
             .peer = std::string{text}};
}

std::string to_string(const Owner& owner) {
  return owner.node + ' ' + std::to_string(owner.at.incarnation) + ' ' + std::to_string(owner.at.sequence) +
         ' ' + std::to_string(owner.since);
}

std::optional<Owner> parse_owner(std::string_view text) {
  const std::string_view node = take_word(text);
  const auto incarnation = parse_number(take_word(text));
  const auto sequence = parse_number(take_word(text));
  const auto since = parse_number(text);
  if (!is_fleet_name(node) || !incarnation || !sequence || !since) return {};
  return Owner{.node = std::string{node}, .at = {*incarnation, *sequence}, .since = *since};
}

bool is_fleet_name(std::string_view name) {
  return !name.empty() && name.size() <= kFleetNameMax &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string_view::npos;
}

}  // namespace heartbeat::relay
