#include "tools/relay/redis_engine.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace heartbeat::relay {
namespace {

constexpr std::string_view kStreamMax = "1000000";  // records, some 80 MB
constexpr std::string_view kInboxMax = "10000";     // orders
constexpr std::string_view kInboxSlice = "64";
constexpr std::string_view kKeptMs = "86400000";  // a day: rows and owners of a node that is gone

// Of `[[id, [field, value, …]], …]`, as XREVRANGE answers: the first entry's id.
Position first_position(const RedisReply& entries) {
  if (entries.items.empty() || entries.items.front().items.empty()) return {};
  return parse_position(entries.items.front().items.front().text).value_or(Position{});
}

// Of the same: how far back the numbers of the first entry's incarnation are without a hole.
std::uint64_t unbroken_from(const RedisReply& entries) {
  Position last = first_position(entries);
  for (const RedisReply& entry : entries.items) {
    const auto at = entry.items.empty() ? std::nullopt : parse_position(entry.items.front().text);
    const bool follows = at && at->incarnation == last.incarnation && at->sequence + 1 >= last.sequence;
    if (!follows) break;
    last = *at;
  }
  return last.sequence;
}

// Of `[seconds, microseconds]`, as TIME answers.
std::uint64_t milliseconds(const RedisReply& time) {
  if (time.items.size() != 2) return 0;
  return parse_number(time.items[0].text).value_or(0) * 1000 +
         parse_number(time.items[1].text).value_or(0) / 1000;
}

std::string_view field_of(const RedisReply& fields, std::string_view name) {
  for (std::size_t at = 0; at + 1 < fields.items.size(); at += 2) {
    if (fields.items[at].text == name) return fields.items[at + 1].text;
  }
  return {};
}

std::optional<Order> order_of(const RedisReply& fields) {
  constexpr std::array<std::pair<std::string_view, Order::Kind>, 3> kWords{
      {{"superseded", Order::Kind::Superseded}, {"kick", Order::Kind::Kick}, {"drain", Order::Kind::Drain}}};
  const std::string_view word = field_of(fields, "o");
  for (const auto& [each, kind] : kWords) {
    if (each != word) continue;
    return Order{.kind = kind,
                 .client = std::string{field_of(fields, "c")},
                 .claim = parse_position(field_of(fields, "n")).value_or(Position{}),
                 .rate = parse_number(field_of(fields, "rate")).value_or(0),
                 .by = std::string{field_of(fields, "by")}};
  }
  return {};
}

// Of `[[key, [[id, fields], …]]]` or nothing, as XREAD answers.
Inbox inbox_of(const RedisReply& reply) {
  Inbox inbox;
  if (reply.items.empty() || reply.items.front().items.size() < 2) return inbox;
  for (const RedisReply& entry : reply.items.front().items[1].items) {
    if (entry.items.size() < 2) continue;
    inbox.last = entry.items[0].text;
    if (auto order = order_of(entry.items[1])) inbox.orders.push_back(std::move(*order));
  }
  return inbox;
}

}  // namespace

std::string RedisEngine::take_commands() {
  return std::exchange(commands_, {});
}

void RedisEngine::forget() {
  commands_.clear();
  expected_.clear();
}

// --- the verbs --------------------------------------------------------------------------------------------

void RedisEngine::attach(std::size_t tail) {
  append_command(commands_, {"TIME"});
  append_command(commands_,
                 {"XREVRANGE", keys_.events(options_.node), "+", "-", "COUNT", std::to_string(tail)});
  expect({.verb = Expected::Verb::Attach, .replies = 2});
}

// The mark is what elects, so the pointer to the copy follows it; each renewal writes it again.
void RedisEngine::begin(const Mark& mark) {
  const std::string from = std::to_string(mark.copy.from);
  const std::string missing = std::to_string(mark.missing_from);
  append_command(commands_,
                 {"XADD", keys_.events(options_.node), "MAXLEN", "~", kStreamMax, to_string(mark.at), "e",
                  mark.is_gap ? "gap" : "begin", "from", from, "missing", missing});
  const std::string pointer = to_string(Position{mark.copy.incarnation, mark.copy.from});
  append_command(commands_, {"HSET", keys_.nodes(), options_.node, pointer});
  if (mark.old) append_command(commands_, {"UNLINK", keys_.rows(options_.node, *mark.old)});
  expect({.verb = Expected::Verb::Begin, .replies = mark.old ? std::size_t{3} : 2});
}

void RedisEngine::publish(const Copy& copy, std::span<const RowChange> rows,
                          std::span<const Record> records) {
  const std::string key = keys_.rows(options_.node, copy);
  const std::string events = keys_.events(options_.node);
  std::size_t row_replies = 0;
  const auto set = static_cast<std::size_t>(std::count_if(
      rows.begin(), rows.end(), [](const RowChange& change) { return change.row.has_value(); }));
  if (set > 0) {
    RedisCommand command{commands_, 2 + 2 * set};
    command.words({"HSET", key});
    for (const RowChange& change : rows) {
      if (change.row) command.word(change.client).word(to_string(*change.row));
    }
    ++row_replies;
  }
  if (set < rows.size()) {
    RedisCommand command{commands_, 2 + rows.size() - set};
    command.words({"HDEL", key});
    for (const RowChange& change : rows) {
      if (!change.row) command.word(change.client);
    }
    ++row_replies;
  }
  if (records.empty()) {
    // A copy that never gets its mark goes by itself.
    append_command(commands_, {"PEXPIRE", key, kKeptMs});
    ++row_replies;
  }
  for (const Record& record : records) {
    const std::string id = to_string(Position{copy.incarnation, record.sequence});
    const std::string feed = std::to_string(record.feed);
    const bool has_previous = !record.previous.empty();
    RedisCommand command{commands_, 6 + 12 + (has_previous ? std::size_t{2} : 0)};
    command.words({"XADD", events, "MAXLEN", "~", kStreamMax, id});
    command.words({"e", to_string(record.kind), "c", record.client, "p", record.peer, "r", record.reason, "t",
                   record.at, "f", feed});
    if (has_previous) command.words({"b", record.previous});
  }
  expect({.verb = Expected::Verb::Publish, .replies = row_replies + records.size()});
}

void RedisEngine::renew(const Copy& copy, std::string_view summary) {
  const std::string lease_ms = std::to_string(options_.lease.count());
  append_command(commands_, {"SET", keys_.lease(options_.node, copy.incarnation), summary, "PX", lease_ms});
  append_command(commands_, {"PEXPIRE", keys_.rows(options_.node, copy), kKeptMs});
  append_command(commands_,
                 {"HSET", keys_.nodes(), options_.node, to_string(Position{copy.incarnation, copy.from})});
  append_command(commands_, {"XREVRANGE", keys_.events(options_.node), "+", "-", "COUNT", "1"});
  expect({.verb = Expected::Verb::Renew, .replies = 4});
}

void RedisEngine::claim(const Claim& claim) {
  const std::string key = keys_.owner(claim.client);
  const std::string mine = to_string(claim.mine);
  if (claim.kind == Claim::Kind::Join) {
    append_command(commands_, {"SET", key, mine, "PX", kKeptMs, "GET"});
  } else {
    append_command(commands_, {"SET", key, mine, "PX", kKeptMs, "NX", "GET"});
  }
  expect({.verb = Expected::Verb::Claim, .claimed = {.claim = claim}});
}

void RedisEngine::read_inbox(std::string_view behind) {
  append_command(commands_, {"XREAD", "COUNT", kInboxSlice, "STREAMS", keys_.inbox(options_.node), behind});
  expect({.verb = Expected::Verb::Inbox});
}

// --- the replies ------------------------------------------------------------------------------------------

void RedisEngine::take(const RedisReply& reply) {
  assert(!expected_.empty());
  Expected& of = expected_.front();
  if (reply.is_error() && !of.error) of.error = engine_error(reply.text);
  if (of.verb == Expected::Verb::Attach && of.seen == 0) of.top.engine_ms = milliseconds(reply);
  if (++of.seen < of.replies) return;
  Expected done = std::move(of);
  expected_.pop_front();
  finish(done, reply);
}

void RedisEngine::finish(Expected& done, const RedisReply& last) {
  const auto failed = [&] { return tl::unexpected(*done.error); };
  switch (done.verb) {
    case Expected::Verb::Attach:
      if (done.error) return listener_->on_attached(failed());
      done.top.at = first_position(last);
      done.top.unbroken_from = unbroken_from(last);
      return listener_->on_attached(done.top);
    case Expected::Verb::Begin:
      if (done.error) return listener_->on_begun(failed());
      return listener_->on_begun({});
    case Expected::Verb::Publish: return listener_->on_published({.error = done.error});
    case Expected::Verb::Renew:
      if (done.error) return listener_->on_renewed(failed());
      done.top.at = first_position(last);
      return listener_->on_renewed(done.top);
    case Expected::Verb::Claim:
    case Expected::Verb::OwnerCopy:
    case Expected::Verb::OwnerRow:
      if (done.error) return listener_->on_claimed(failed());
      return take_owner(done, last);
    case Expected::Verb::Keep: return;
    case Expected::Verb::Inbox:
      if (done.error) return listener_->on_inbox(failed());
      return listener_->on_inbox(inbox_of(last));
  }
}

// A client that came from another node: that node gets an order, and its row says whether the client was in
// leave.  The row's key is known by the pointer to the node's copy.
void RedisEngine::take_owner(Expected& done, const RedisReply& reply) {
  Claimed& claimed = done.claimed;
  const Claim& claim = claimed.claim;
  if (done.verb == Expected::Verb::Claim) {
    claimed.other = parse_owner(reply.text);
    if (claimed.other == std::optional{claim.mine}) claimed.other.reset();
    const bool is_ours = !claimed.other || claimed.other->node == options_.node;
    if (claim.kind != Claim::Kind::Join) {
      // The key of an owner that stays lives on.
      if (!claimed.other && reply.type == RedisReply::Type::Text) {
        append_command(commands_, {"PEXPIRE", keys_.owner(claim.client), kKeptMs});
        expect({.verb = Expected::Verb::Keep});
      }
      return listener_->on_claimed(claimed);
    }
    if (is_ours) return listener_->on_claimed(claimed);
    const Owner& other = *claimed.other;
    append_command(commands_,
                   {"XADD", keys_.inbox(other.node), "MAXLEN", "~", kInboxMax, "*", "o", "superseded", "c",
                    claim.client, "n", to_string(other.at), "by", options_.node});
    append_command(commands_, {"HGET", keys_.nodes(), other.node});
    return expect({.verb = Expected::Verb::OwnerCopy, .replies = 2, .claimed = claimed});
  }
  if (done.verb == Expected::Verb::OwnerCopy) {
    const auto copy = parse_position(reply.text);
    // Of another incarnation: the client's row there is of another connection, if there is one.
    if (!copy || copy->incarnation != claimed.other->at.incarnation) return listener_->on_claimed(claimed);
    append_command(commands_, {"HGET", keys_.rows(claimed.other->node, {copy->incarnation, copy->sequence}),
                               claim.client});
    return expect({.verb = Expected::Verb::OwnerRow, .claimed = claimed});
  }
  const auto row = parse_row(reply.text);
  claimed.was_in_leave = row && row->status == Status::Leave;
  listener_->on_claimed(claimed);
}

}  // namespace heartbeat::relay
