#include "tools/relay/redis_routes.h"

#include <cassert>
#include <utility>

#include "tools/relay/position.h"

namespace heartbeat::relay {
namespace {

constexpr std::uint16_t kSlotsMask = 16383;

// CRC-16/XMODEM, as Redis' specification of the Cluster has it.
std::uint16_t crc16(std::string_view bytes) {
  constexpr unsigned kPolynomial = 0x1021;
  unsigned crc = 0;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned>(static_cast<unsigned char>(byte)) << 8U;
    for (int bit = 0; bit < 8; ++bit) {
      const bool is_set = (crc & 0x8000U) != 0;
      crc = (crc << 1U ^ (is_set ? kPolynomial : 0U)) & 0xFFFFU;
    }
  }
  return static_cast<std::uint16_t>(crc);
}

// `*N` or `$N` with its end of line, off the front.
std::size_t take_count(std::string_view& bytes) {
  const std::size_t end = bytes.find("\r\n");
  assert(end != std::string_view::npos && end > 0);
  const auto count = parse_number(bytes.substr(1, end - 1));
  bytes.remove_prefix(end + 2);
  return static_cast<std::size_t>(count.value_or(0));
}

// The words of the command at the front, which is taken off.
std::vector<std::string_view> take_words(std::string_view& bytes) {
  std::vector<std::string_view> words(take_count(bytes));
  for (std::string_view& word : words) {
    const std::size_t size = take_count(bytes);
    word = bytes.substr(0, size);
    bytes.remove_prefix(size + 2);
  }
  return words;
}

// The key of a command of ours: its first argument, or the first behind STREAMS.
std::optional<std::string_view> key_of(const std::vector<std::string_view>& words) {
  for (std::size_t at = 1; at + 1 < words.size(); ++at) {
    if (words[at] == "STREAMS") return words[at + 1];
  }
  if (words.size() < 2) return {};
  return words[1];
}

}  // namespace

std::uint16_t slot_of(std::string_view key) {
  const std::size_t open = key.find('{');
  if (open != std::string_view::npos) {
    const std::size_t close = key.find('}', open);
    const bool has_tag = close != std::string_view::npos && close > open + 1;
    if (has_tag) key = key.substr(open + 1, close - open - 1);
  }
  return crc16(key) & kSlotsMask;
}

// `MOVED SLOT HOST:PORT`; without a host it is the one that answered.
std::optional<std::string> place_of_moved(const RedisReply& reply, const std::string& answered) {
  if (!reply.is_error() || !reply.text.starts_with("MOVED ")) return {};
  std::string where = reply.text.substr(reply.text.rfind(' ') + 1);
  if (where.starts_with(':')) where.insert(0, answered.substr(0, answered.rfind(':')));
  return where;
}

void RedisRoutes::add(std::string_view commands) {
  while (!commands.empty()) {
    const std::string_view before = commands;
    const std::vector<std::string_view> words = take_words(commands);
    const auto key = key_of(words);
    commands_.push_back({.bytes = std::string{before.substr(0, before.size() - commands.size())},
                         .slot = key ? std::optional{slot_of(*key)} : std::nullopt});
    send(first_ + commands_.size() - 1);
  }
}

const std::string& RedisRoutes::place_for(const Command& command) {
  if (!command.slot) return seed_;
  Way& way = ways_.try_emplace(*command.slot, Way{.where = seed_}).first->second;
  if (way.under_way == 0 && way.moved_to) way.where = *std::exchange(way.moved_to, std::nullopt);
  return way.where;
}

void RedisRoutes::send(std::uint64_t number) {
  Command& command = commands_[static_cast<std::size_t>(number - first_)];
  const std::string& where = place_for(command);
  command.is_on_its_way = command.slot.has_value();
  if (command.slot) ++ways_.at(*command.slot).under_way;
  under_way_[where].push_back(number);
  if (outgoing_.empty() || outgoing_.back().where != where)
    outgoing_.push_back({.where = where, .bytes = {}});
  outgoing_.back().bytes += command.bytes;
}

std::vector<RedisRoutes::Outgoing> RedisRoutes::take_outgoing() {
  return std::exchange(outgoing_, {});
}

void RedisRoutes::take(const std::string& where, const RedisReply& reply) {
  const auto from = under_way_.find(where);
  if (from == under_way_.end() || from->second.empty()) return;
  const std::uint64_t number = from->second.front();
  from->second.pop_front();
  Command& command = commands_[static_cast<std::size_t>(number - first_)];
  const auto to = command.slot ? place_of_moved(reply, where) : std::nullopt;
  if (command.slot) {
    Way& way = ways_.at(*command.slot);
    if (std::exchange(command.is_on_its_way, false)) --way.under_way;
    if (to) way.moved_to = to;
  }
  if (!to || ++command.moves > kMovesMax) {
    command.reply = reply;
    return;
  }
  // Behind those of its slot that were moved before it, and before all that are added later.
  under_way_[*to].push_back(number);
  if (outgoing_.empty() || outgoing_.back().where != *to) outgoing_.push_back({.where = *to, .bytes = {}});
  outgoing_.back().bytes += command.bytes;
}

std::optional<RedisReply> RedisRoutes::next() {
  if (commands_.empty() || !commands_.front().reply) return {};
  std::optional<RedisReply> reply = std::move(commands_.front().reply);
  commands_.pop_front();
  ++first_;
  return reply;
}

bool RedisRoutes::expects(const std::string& where) const {
  const auto from = under_way_.find(where);
  return from != under_way_.end() && !from->second.empty();
}

}  // namespace heartbeat::relay
