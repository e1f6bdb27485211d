#include "tools/fleet/fleet_reader.h"

#include <algorithm>
#include <map>
#include <utility>

#include <poll.h>

#include "tools/ctl/time_text.h"

namespace heartbeat::fleet {
namespace {

using relay::RedisReply;
using Words = RedisClient::Words;

constexpr const char* kScanSlice = "1000";  // 1.2 ms of Redis
constexpr std::size_t kOwnersSlice = 1000;
constexpr std::uint64_t kRecordsChecked = 10'000;
constexpr Millis kRenewalDefault{5'000};

std::uint64_t wall_of(const RedisReply& time) {
  if (time.items.size() != 2) return 0;
  return relay::parse_number(time.items[0].text).value_or(0) * 1000 +
         relay::parse_number(time.items[1].text).value_or(0) / 1000;
}

std::vector<RecordView> records_of(const RedisReply& entries, const std::string& node) {
  std::vector<RecordView> records;
  for (const RedisReply& entry : entries.items) {
    if (entry.items.size() < 2) continue;
    const auto at = relay::parse_position(entry.items[0].text);
    if (!at) continue;
    RecordView record{.node = node, .at = *at};
    const auto& fields = entry.items[1].items;
    for (std::size_t each = 0; each + 1 < fields.size(); each += 2) {
      record.fields.emplace_back(fields[each].text, fields[each + 1].text);
    }
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace

std::string_view to_string(NodeState state) {
  switch (state) {
    case NodeState::Current: return "current";
    case NodeState::Behind: return "behind";
    case NodeState::Unknown: return "unknown";
  }
  return {};
}

std::string_view RecordView::field(std::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return {};
}

auto FleetReader::look() -> Result<std::vector<NodeView>> {
  const auto pointers = redis_.ask(Words{"HGETALL", keys_.nodes()});
  if (!pointers) return tl::unexpected(pointers.error());
  std::vector<NodeView> nodes;
  std::vector<Words> questions;
  for (std::size_t at = 0; at + 1 < pointers->items.size(); at += 2) {
    const auto copy = relay::parse_position(pointers->items[at + 1].text);
    if (!copy) continue;
    NodeView node{.name = pointers->items[at].text, .copy = {copy->incarnation, copy->sequence}};
    const std::string lease = keys_.lease(node.name, copy->incarnation);
    questions.push_back({"GET", lease});
    questions.push_back({"PTTL", lease});
    questions.push_back({"HLEN", keys_.rows(node.name, node.copy)});
    nodes.push_back(std::move(node));
  }
  questions.push_back({"TIME"});
  const auto answers = redis_.ask(questions);
  if (!answers) return tl::unexpected(answers.error());
  const std::uint64_t now = wall_of(answers->back());
  for (std::size_t at = 0; at < nodes.size(); ++at) {
    NodeView& node = nodes[at];
    const RedisReply& lease = (*answers)[3 * at];
    for (std::size_t each = 0; each < 3; ++each) {
      if ((*answers)[3 * at + each].is_error())
        return tl::unexpected(where() + ": " + (*answers)[3 * at + each].text);
    }
    node.rows = static_cast<std::uint64_t>((*answers)[3 * at + 2].number);
    node.lease = ctl::Reply::parse(lease.text);
    if (!node.lease) continue;
    const ctl::Object summary = node.summary();
    node.lease_age = summary.millis("lease_ms").value_or(Millis{0}) - Millis{(*answers)[3 * at + 1].number};
    const auto clock = ctl::parse_instant(summary.text("now"));
    if (clock) node.skew = *clock + node.lease_age - Millis{static_cast<std::int64_t>(now)};
    const Millis behind = summary.millis("behind_ms").value_or(Millis{0});
    node.state = behind > kBehindMax     ? NodeState::Unknown
                 : behind > Millis{1000} ? NodeState::Behind
                                         : NodeState::Current;
  }
  std::sort(nodes.begin(), nodes.end(),
            [](const NodeView& one, const NodeView& other) { return one.name < other.name; });
  return nodes;
}

auto FleetReader::nodes(const std::function<void(Millis)>& on_wait) -> Result<std::vector<NodeView>> {
  auto nodes = look();
  if (!nodes) return nodes;
  const auto lacks_lease = [](const NodeView& node) { return !node.lease; };
  if (std::any_of(nodes->begin(), nodes->end(), lacks_lease)) {
    Millis renewal = kRenewalDefault;
    for (const NodeView& node : *nodes) {
      const auto lease = node.summary().millis("lease_ms");
      if (lease) renewal = *lease / 3 + Millis{100};
    }
    on_wait(renewal);
    ::poll(nullptr, 0, static_cast<int>(renewal.count()));
    nodes = look();
    if (!nodes) return nodes;
  }
  for (NodeView& node : *nodes) {
    if (node.state != NodeState::Unknown) continue;
    node.elsewhere = node.rows;
    auto counted = clients(node, [&](const ClientView&) { --node.elsewhere; });
    if (!counted) return tl::unexpected(counted.error());
  }
  return nodes;
}

auto FleetReader::names() -> Result<std::vector<std::string>> {
  const auto pointers = redis_.ask(Words{"HGETALL", keys_.nodes()});
  if (!pointers) return tl::unexpected(pointers.error());
  std::vector<std::string> names;
  for (std::size_t at = 0; at + 1 < pointers->items.size(); at += 2)
    names.push_back(pointers->items[at].text);
  return names;
}

auto FleetReader::walk(const NodeView& node,
                       const std::function<Result<void>(std::vector<ClientView>)>& on_slice) -> Result<void> {
  const std::string key = keys_.rows(node.name, node.copy);
  std::string cursor = "0";
  do {
    const auto slice = redis_.ask(Words{"HSCAN", key, cursor, "COUNT", kScanSlice});
    if (!slice) return tl::unexpected(slice.error());
    if (slice->items.size() != 2) return tl::unexpected(where() + " answers HSCAN in another form");
    cursor = slice->items[0].text;
    const auto& fields = slice->items[1].items;
    std::vector<ClientView> clients;
    for (std::size_t at = 0; at + 1 < fields.size(); at += 2) {
      auto row = relay::parse_row(fields[at + 1].text);
      if (!row) continue;
      clients.push_back({.name = fields[at].text,
                         .node = node.name,
                         .status = row->status == Status::Leave ? "leave" : "alive",
                         .row = std::move(*row)});
    }
    if (auto done = on_slice(std::move(clients)); !done) return done;
  } while (cursor != "0");
  return {};
}

auto FleetReader::owners(const std::vector<std::string>& ids)
    -> Result<std::vector<std::optional<relay::Owner>>> {
  std::vector<std::optional<relay::Owner>> owners;
  for (std::size_t begin = 0; begin < ids.size(); begin += kOwnersSlice) {
    std::vector<Words> questions;
    for (std::size_t at = begin; at < std::min(ids.size(), begin + kOwnersSlice); ++at) {
      questions.push_back({"GET", keys_.owner(ids[at])});
    }
    const auto answers = redis_.ask(questions);
    if (!answers) return tl::unexpected(answers.error());
    for (const RedisReply& answer : *answers) owners.push_back(relay::parse_owner(answer.text));
  }
  return owners;
}

auto FleetReader::clients(const NodeView& node, const std::function<void(ClientView)>& on_client)
    -> Result<void> {
  return walk(node, [&](std::vector<ClientView> slice) -> Result<void> {
    if (node.state != NodeState::Unknown) {
      for (ClientView& client : slice) on_client(std::move(client));
      return {};
    }
    std::vector<std::string> ids;
    ids.reserve(slice.size());
    for (const ClientView& client : slice) ids.push_back(client.name);
    const auto of_ids = owners(ids);
    if (!of_ids) return tl::unexpected(of_ids.error());
    for (std::size_t at = 0; at < slice.size(); ++at) {
      const auto& owner = (*of_ids)[at];
      if (owner && owner->node != node.name) continue;
      slice[at].status = "unknown";
      on_client(std::move(slice[at]));
    }
    return {};
  });
}

auto FleetReader::owner(const std::string& id) -> Result<std::optional<relay::Owner>> {
  const auto text = redis_.ask(Words{"GET", keys_.owner(id)});
  if (!text) return tl::unexpected(text.error());
  return relay::parse_owner(text->text);
}

auto FleetReader::rows_of(const std::string& id, const std::vector<NodeView>& nodes)
    -> Result<std::vector<ClientView>> {
  std::vector<Words> questions;
  questions.reserve(nodes.size());
  for (const NodeView& node : nodes) questions.push_back({"HGET", keys_.rows(node.name, node.copy), id});
  const auto answers = redis_.ask(questions);
  if (!answers) return tl::unexpected(answers.error());
  std::vector<ClientView> found;
  for (std::size_t at = 0; at < nodes.size(); ++at) {
    auto row = relay::parse_row((*answers)[at].text);
    if (!row) continue;
    const std::string status = row->status == Status::Leave ? "leave" : "alive";
    found.push_back({.name = id,
                     .node = nodes[at].name,
                     .status = nodes[at].state == NodeState::Unknown ? "unknown" : status,
                     .row = std::move(*row)});
  }
  return found;
}

auto FleetReader::newest(const std::string& node, std::uint64_t count) -> Result<std::vector<RecordView>> {
  const auto entries =
      redis_.ask(Words{"XREVRANGE", keys_.events(node), "+", "-", "COUNT", std::to_string(count)});
  if (!entries) return tl::unexpected(entries.error());
  return records_of(*entries, node);
}

auto FleetReader::behind(const std::string& node, const std::string& position, std::uint64_t count)
    -> Result<std::vector<RecordView>> {
  const auto entries =
      redis_.ask(Words{"XRANGE", keys_.events(node), '(' + position, "+", "COUNT", std::to_string(count)});
  if (!entries) return tl::unexpected(entries.error());
  return records_of(*entries, node);
}

auto FleetReader::order_kick(const std::string& node, const std::string& client, const std::string& by)
    -> Result<void> {
  const auto done = redis_.ask(
      Words{"XADD", keys_.inbox(node), "MAXLEN", "~", "10000", "*", "o", "kick", "c", client, "by", by});
  if (!done) return tl::unexpected(done.error());
  return {};
}

auto FleetReader::order_drain(const std::string& node, std::uint64_t rate, const std::string& by)
    -> Result<void> {
  const auto done = redis_.ask(Words{"XADD", keys_.inbox(node), "MAXLEN", "~", "10000", "*", "o", "drain",
                                     "rate", std::to_string(rate), "by", by});
  if (!done) return tl::unexpected(done.error());
  return {};
}

auto FleetReader::forget(const NodeView& node) -> Result<void> {
  const std::vector<Words> steps{{"XTRIM", keys_.events(node.name), "MAXLEN", "1"},
                                 {"UNLINK", keys_.rows(node.name, node.copy), keys_.inbox(node.name)},
                                 {"HDEL", keys_.nodes(), node.name}};
  for (const Words& step : steps) {
    const auto done = redis_.ask(step);
    if (!done) return tl::unexpected(done.error());
  }
  return {};
}

// The first record of a place that has seen none may have any number, and so has a `begin`: where the former
// incarnation ended, only its own records could say.
std::uint64_t RecordPlace::next(const RecordView& record) {
  const relay::Position before = std::exchange(seen_, record.at);
  const bool is_begin = record.field("e") == "begin";
  if (before == relay::Position{} || is_begin) return 0;
  // The begin of its incarnation was trimmed away, and what came between with it.
  if (record.at.incarnation != before.incarnation) return std::max<std::uint64_t>(record.at.sequence, 1);
  const std::uint64_t missing = record.at.sequence - before.sequence - 1;
  if (record.field("e") != "gap") return missing;
  const std::uint64_t named_from = relay::parse_number(record.field("missing")).value_or(record.at.sequence);
  return named_from <= before.sequence + 1 ? 0 : named_from - before.sequence - 1;
}

tl::expected<std::vector<std::string>, std::string> check(FleetReader& reader,
                                                          const std::vector<NodeView>& nodes) {
  std::vector<std::string> wrong;
  std::map<std::string, std::string> seen;  // client -> node
  for (const NodeView& node : nodes) {
    if (node.state != NodeState::Unknown) {
      auto walked = reader.clients(node, [&](const ClientView& client) {
        const auto [other, is_new] = seen.emplace(client.name, node.name);
        if (!is_new)
          wrong.push_back("the id " + client.name + " stands at " + other->second + " and at " + node.name);
      });
      if (!walked) return tl::unexpected(walked.error());
    }
    auto records = reader.newest(node.name, kRecordsChecked);
    if (!records) return tl::unexpected(records.error());
    const relay::Position top = records->empty() ? relay::Position{} : records->front().at;
    const relay::Position watermark{
        node.copy.incarnation, static_cast<std::uint64_t>(node.summary().number("sequence").value_or(0))};
    if (node.lease && top < watermark) {
      wrong.push_back("the lease of " + node.name + " is at " + to_string(watermark) + ", its stream at " +
                      to_string(top));
    }
    // Backwards: a hole is named by a gap that came after it, or ended with its incarnation.
    std::uint64_t named_from = 0;
    bool has_name = false;
    for (std::size_t at = 0; at + 1 < records->size(); ++at) {
      const RecordView& later = (*records)[at];
      const RecordView& earlier = (*records)[at + 1];
      if (later.field("e") == "gap") {
        named_from = relay::parse_number(later.field("missing")).value_or(0);
        has_name = true;
      }
      if (later.at.incarnation != earlier.at.incarnation) {
        if (later.field("e") != "begin")
          wrong.push_back(node.name + ": " + to_string(later.at) + " has no begin before it");
        break;  // the present incarnation is what readers rely on
      }
      const bool is_named = has_name && named_from <= earlier.at.sequence + 1;
      if (later.at.sequence != earlier.at.sequence + 1 && !is_named) {
        wrong.push_back(node.name + ": records are missing between " + to_string(earlier.at) + " and " +
                        to_string(later.at));
      }
    }
  }
  return wrong;
}

}  // namespace heartbeat::fleet
