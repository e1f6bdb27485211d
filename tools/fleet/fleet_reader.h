// What Redis says of a fleet, and what follows from it for a reader.  Asks no daemon, so it works while any
// of them is dead.
//
// A node without a lease is unknown, and so are its clients, except the ones that another node has: that is
// worked out here, by each reader, and written nowhere.  After Redis itself was stopped every lease has run
// out although every node lives, so a lease is missing only where two looks, one renewal apart on one
// connection, both miss it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/mono_time.h"
#include "tools/ctl/json_reply.h"
#include "tools/fleet/redis_client.h"
#include "tools/relay/fleet_keys.h"
#include "tools/relay/record.h"

namespace heartbeat::fleet {

// Records that wait in a relay for longer than this make its node unknown.
inline constexpr Millis kBehindMax{60'000};

enum class NodeState : std::uint8_t {
  Current,  // everything up to the lease's watermark is in the stream
  Behind,   // records wait to be stored
  Unknown,  // no lease, or too far behind
};
[[nodiscard]] std::string_view to_string(NodeState state);

struct NodeView {
  std::string name{};
  NodeState state = NodeState::Unknown;
  relay::Copy copy{};                 // its rows
  std::optional<ctl::Reply> lease{};  // nothing without one
  Millis lease_age{0};
  Millis skew{0};  // the node's clock against Redis'
  std::uint64_t rows = 0;
  std::uint64_t elsewhere = 0;  // of an unknown node: rows whose client another node has
  [[nodiscard]] bool is_draining() const { return summary().flag("draining").value_or(false); }
  [[nodiscard]] ctl::Object summary() const { return lease ? lease->object() : ctl::Object{}; }
  [[nodiscard]] std::uint64_t unknown() const { return state == NodeState::Unknown ? rows - elsewhere : 0; }
};

struct ClientView {
  std::string name{};
  std::string node{};
  std::string status{};  // alive, leave or unknown
  relay::Row row{};
};

// A record of a node's stream.
struct RecordView {
  std::string node{};
  relay::Position at{};
  std::vector<std::pair<std::string, std::string>> fields{};
  [[nodiscard]] std::string_view field(std::string_view name) const;
};

class FleetReader {
 public:
  template <class T>
  using Result = tl::expected<T, std::string>;  // the error is a sentence: Redis does not do as it must

  FleetReader(RedisClient redis, std::string fleet)
      : redis_(std::move(redis)), keys_(fleet), fleet_(std::move(fleet)) {}

  // Every node that ever published, by name.  Waits one renewal where a lease is missing; `on_wait` says so
  // before.
  [[nodiscard]] Result<std::vector<NodeView>> nodes(const std::function<void(Millis)>& on_wait);

  // The names alone, of every node that ever published.
  [[nodiscard]] Result<std::vector<std::string>> names();

  // Each client of the node, in no order; without those of an unknown node that another node has.
  [[nodiscard]] Result<void> clients(const NodeView& node, const std::function<void(ClientView)>& on_client);

  [[nodiscard]] Result<std::optional<relay::Owner>> owner(const std::string& id);
  // The client's row at each node that has one.
  [[nodiscard]] Result<std::vector<ClientView>> rows_of(const std::string& id,
                                                        const std::vector<NodeView>& nodes);

  // The newest records of a node, the latest first; and those behind a position, the first first.
  [[nodiscard]] Result<std::vector<RecordView>> newest(const std::string& node, std::uint64_t count);
  [[nodiscard]] Result<std::vector<RecordView>> behind(const std::string& node, const std::string& position,
                                                       std::uint64_t count);

  [[nodiscard]] Result<void> order_kick(const std::string& node, const std::string& client,
                                        const std::string& by);
  // The node's daemon drains at this many clients a second; 0 ends the drain.
  [[nodiscard]] Result<void> order_drain(const std::string& node, std::uint64_t rate, const std::string& by);
  // Forgets a node that does not come back: its rows, and all but the newest of its records.  Never the
  // stream itself: its newest number is what keeps an old relay out.
  [[nodiscard]] Result<void> forget(const NodeView& node);

  [[nodiscard]] const std::string& where() const { return redis_.where(); }

 private:
  [[nodiscard]] Result<std::vector<NodeView>> look();
  [[nodiscard]] Result<std::vector<std::optional<relay::Owner>>> owners(const std::vector<std::string>& ids);
  [[nodiscard]] Result<void> walk(const NodeView& node,
                                  const std::function<Result<void>(std::vector<ClientView>)>& on_slice);

  RedisClient redis_;
  relay::FleetKeys keys_;
  std::string fleet_;
};

// Follows the records of one node, and notices those that it never got to see.
class RecordPlace {
 public:
  explicit RecordPlace(relay::Position seen = {}) : seen_(seen) {}

  // The next record of the node's stream.  Returns how many numbers between the last one and this are missing
  // without a gap that names them; 0 for none.
  [[nodiscard]] std::uint64_t next(const RecordView& record);
  [[nodiscard]] const relay::Position& seen() const { return seen_; }

 private:
  relay::Position seen_;
};

// What is wrong in what Redis has, a sentence each: an id at two nodes, a number that is missing without a
// `gap`, a lease that is ahead of its stream.  Empty where all is well.
[[nodiscard]] tl::expected<std::vector<std::string>, std::string> check(FleetReader& reader,
                                                                        const std::vector<NodeView>& nodes);

}  // namespace heartbeat::fleet
