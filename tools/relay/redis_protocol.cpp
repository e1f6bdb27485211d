#include "tools/relay/redis_protocol.h"

#include <array>
#include <new>

#include <hiredis/hiredis.h>

namespace heartbeat::relay {
namespace {

struct FreeReply {
  void operator()(redisReply* reply) const noexcept { freeReplyObject(reply); }
};

RedisReply converted(const redisReply& reply) {
  RedisReply made;
  switch (reply.type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      made.type = RedisReply::Type::Text;
      made.text.assign(reply.str, reply.len);
      break;
    case REDIS_REPLY_ERROR:
      made.type = RedisReply::Type::Error;
      made.text.assign(reply.str, reply.len);
      break;
    case REDIS_REPLY_INTEGER:
      made.type = RedisReply::Type::Number;
      made.number = reply.integer;
      break;
    case REDIS_REPLY_ARRAY:
      made.type = RedisReply::Type::Array;
      made.items.reserve(reply.elements);
      for (std::size_t at = 0; at < reply.elements; ++at) made.items.push_back(converted(*reply.element[at]));
      break;
    default: break;
  }
  return made;
}

}  // namespace

RedisCommand::RedisCommand(std::string& out, std::size_t words) : out_(out) {
  out_ += '*';
  out_ += std::to_string(words);
  out_ += "\r\n";
}

RedisCommand& RedisCommand::word(std::string_view text) {
  out_ += '$';
  out_ += std::to_string(text.size());
  out_ += "\r\n";
  out_ += text;
  out_ += "\r\n";
  return *this;
}

RedisCommand& RedisCommand::word(std::uint64_t number) {
  return word(std::to_string(number));
}

RedisCommand& RedisCommand::words(std::initializer_list<std::string_view> texts) {
  for (const std::string_view text : texts) word(text);
  return *this;
}

void append_command(std::string& out, std::initializer_list<std::string_view> words) {
  RedisCommand{out, words.size()}.words(words);
}

EngineError engine_error(std::string_view text) {
  const std::string_view code = text.substr(0, text.find(' '));
  EngineError error{.kind = EngineError::Kind::Refused, .text = std::string{text}};
  // It is one server of a Cluster.
  if (code == "MOVED") {
    error.kind = EngineError::Kind::Moved;
    return error;
  }
  if (text.find("equal or smaller") != std::string_view::npos) {
    error.kind = EngineError::Kind::NotAbove;
    return error;
  }
  constexpr std::array<std::string_view, 10> kLater{"ASK",      "LOADING",     "BUSY",       "MASTERDOWN",
                                                    "TRYAGAIN", "CLUSTERDOWN", "NOREPLICAS", "READONLY",
                                                    "OOM",      "MISCONF"};
  for (const std::string_view each : kLater) {
    if (code == each) error.kind = EngineError::Kind::Later;
  }
  // `ERR max number of clients reached` comes unasked, and then the end.
  if (text.find("max number of clients") != std::string_view::npos) error.kind = EngineError::Kind::Later;
  return error;
}

void RedisReplies::Free::operator()(redisReader* reader) const noexcept {
  redisReaderFree(reader);
}

RedisReplies::RedisReplies() : reader_(redisReaderCreate()) {
  if (reader_ == nullptr) throw std::bad_alloc{};
}

void RedisReplies::feed(std::string_view bytes) {
  unread_ += bytes.size();
  redisReaderFeed(reader_.get(), bytes.data(), bytes.size());
}

tl::expected<std::optional<RedisReply>, std::string> RedisReplies::next() {
  void* made = nullptr;
  if (redisReaderGetReply(reader_.get(), &made) != REDIS_OK) {
    return tl::unexpected("this is not Redis' protocol: " +
                          std::string{static_cast<const char*>(reader_->errstr)});
  }
  if (made == nullptr) {
    if (unread_ > kReplyMax) {
      return tl::unexpected("a reply of more than " + std::to_string(kReplyMax) + " bytes");
    }
    return std::nullopt;
  }
  unread_ = 0;
  const std::unique_ptr<redisReply, FreeReply> reply{static_cast<redisReply*>(made)};
  return std::optional{converted(*reply)};
}

}  // namespace heartbeat::relay
