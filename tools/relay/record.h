// What a node publishes to the fleet: records of what happened, rows of what is, claims of ids.  Values, with
// the forms in which an engine stores them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/status.h"
#include "tools/relay/position.h"

namespace heartbeat::relay {

// A record of a node's stream; `begin` and `gap` are made by the engine from a Mark.
struct Record {
  enum class Kind : std::uint8_t { Joined, Named, Takeover, Leave, Return, Close };

  Kind kind{};
  std::uint64_t sequence = 0;
  std::string client{};
  std::string previous{};   // of Named: the name until then
  std::string peer{};       // the address of the connection
  std::string reason{};     // of Leave, Return and Close
  std::string at{};         // the daemon's wall clock, as in its events; for people, nothing is ordered by it
  std::uint64_t feed = 0;   // the number of the event in the daemon's feed
  std::uint64_t since = 0;  // of what begins an ownership: when the connection began; ms since 1970
};
[[nodiscard]] std::string_view to_string(Record::Kind kind);
[[nodiscard]] std::optional<Record::Kind> parse_record_kind(std::string_view word);

// What is known of one connected client: the value of its row, `SEQUENCE STATUS SINCE PEER`.
struct Row {
  std::uint64_t sequence = 0;     // of the last record about it
  Status status = Status::Alive;  // alive or leave
  std::uint64_t since = 0;        // in this status; ms since 1970 by the node's clock
  std::string peer{};

  friend bool operator==(const Row&, const Row&) = default;
};
[[nodiscard]] std::string to_string(const Row& row);
[[nodiscard]] std::optional<Row> parse_row(std::string_view text);

// The node that has a client: the value of an owner key, `NODE INCARNATION SEQUENCE SINCE`.  The position
// names one connection of the client at that node: the record that it joined by.
struct Owner {
  std::string node{};
  Position at{};
  std::uint64_t since = 0;  // when the connection began; ms since 1970 by the node's clock

  friend bool operator==(const Owner&, const Owner&) = default;
};
[[nodiscard]] std::string to_string(const Owner& owner);
[[nodiscard]] std::optional<Owner> parse_owner(std::string_view text);

// An order that another program has put into a node's inbox.
struct Order {
  enum class Kind : std::uint8_t { Superseded, Kick, Drain };

  Kind kind{};
  std::string client{};    // of Superseded and Kick
  Position claim{};        // of Superseded: the claim that lost
  std::uint64_t rate = 0;  // of Drain: clients a second; 0 ends the drain
  std::string by{};        // the node or operator that gave the order
};

// The names of fleets and nodes stand in keys: 1 to 64 of a-z, 0-9, - and _.
[[nodiscard]] bool is_fleet_name(std::string_view name);

}  // namespace heartbeat::relay
