#include "tools/bench/dialect.h"

#include <string_view>

#include "common/frame.h"

namespace heartbeat::bench {
namespace {

using namespace std::string_literals;

// Every one of the same length, so that bytes are heartbeats for a server that knows only bytes; with the
// white space that Python's json module writes, as the article's client does.
std::string heartbeat_frame(std::size_t client, bool with_id) {
  const std::string ip =
      "192.168." + std::to_string(1 + client / 100 % 9) + '.' + std::to_string(100 + client % 100);
  std::string body =
      R"({"ip": ")" + ip + R"(", "status": "alive", "pid": )" + std::to_string(10'000 + client % 90'000);
  if (with_id) body += R"(, "id": "pump-)" + std::to_string(10'000'000 + client) + '"';
  std::string frame;
  append_frame(frame, body + '}');
  return frame;
}

// MQTT 3.1.1: a clean session that is kept alive for an hour.
std::string mqtt_connect(std::size_t client) {
  const std::string id = "c" + std::to_string(10'000'000 + client);
  const std::string rest = "\0\4MQTT\4\2\16\20\0"s + static_cast<char>(id.size()) + id;
  return "\20"s + static_cast<char>(rest.size()) + rest;
}

std::string redis_command(std::initializer_list<std::string_view> words) {
  std::string command = '*' + std::to_string(words.size()) + "\r\n";
  for (const std::string_view word : words) {
    command.append("$").append(std::to_string(word.size())).append("\r\n").append(word).append("\r\n");
  }
  return command;
}

}  // namespace

std::string Dialect::greeting(std::size_t client) const {
  return kind == Kind::Mqtt ? mqtt_connect(client) : std::string{};
}

std::size_t Dialect::greeting_answer() const {
  return kind == Kind::Mqtt ? 4 : 0;  // CONNACK
}

std::string Dialect::beat(std::size_t client) const {
  switch (kind) {
    case Kind::Heartbeat:
    case Kind::Echo: return heartbeat_frame(client, with_ids);
    case Kind::Mqtt: return "\xC0\0"s;
    case Kind::Redis: break;
  }
  return redis_command({"SET", "client:" + std::to_string(10'000'000 + client), "alive", "EX", "3600"});
}

std::size_t Dialect::beat_answer() const {
  switch (kind) {
    case Kind::Heartbeat: return 0;
    case Kind::Echo:
    case Kind::Mqtt: return 2;  // PINGRESP
    case Kind::Redis: break;
  }
  return 5;  // +OK, and the end of the line
}

std::string Dialect::goodbye() const {
  switch (kind) {
    case Kind::Heartbeat:
    case Kind::Echo: return {};
    case Kind::Mqtt: return "\xE0\0"s;
    case Kind::Redis: break;
  }
  return redis_command({"QUIT"});
}

}  // namespace heartbeat::bench
