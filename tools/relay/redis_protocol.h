// Redis' protocol, RESP2: commands to bytes, bytes to replies.  hiredis reads the replies; nothing else of it
// is used.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "tools/relay/fleet_engine.h"

struct redisReader;

namespace heartbeat::relay {

// A command, made word by word at the end of `out`.  The number of words is settled first.
class RedisCommand {
 public:
  RedisCommand(std::string& out, std::size_t words);
  RedisCommand& word(std::string_view text);
  RedisCommand& word(std::uint64_t number);
  RedisCommand& words(std::initializer_list<std::string_view> texts);

 private:
  std::string& out_;
};

// Appends a command whose words are all known.
void append_command(std::string& out, std::initializer_list<std::string_view> words);

struct RedisReply {
  enum class Type : std::uint8_t { Nil, Text, Number, Array, Error };

  Type type = Type::Nil;
  std::string text{};  // of Text, which a status is, too, and of Error
  std::int64_t number = 0;
  std::vector<RedisReply> items{};

  [[nodiscard]] bool is_error() const { return type == Type::Error; }
};

// What an error reply means for the connection and for the next try.
[[nodiscard]] EngineError engine_error(std::string_view text);

// Bytes in, whole replies out.
class RedisReplies {
 public:
  // A reply of ours has at most a few hundred rows; what is longer comes from something else.
  static constexpr std::size_t kReplyMax = std::size_t{4} * 1024 * 1024;

  RedisReplies();

  void feed(std::string_view bytes);
  // The next whole reply; nothing where there is none yet.  The error is a sentence: what came is not Redis'
  // protocol.
  [[nodiscard]] tl::expected<std::optional<RedisReply>, std::string> next();

 private:
  struct Free {
    void operator()(redisReader* reader) const noexcept;
  };
  std::unique_ptr<redisReader, Free> reader_;
  std::size_t unread_ = 0;  // bytes since the last whole reply
};

}  // namespace heartbeat::relay
