#include "tools/relay/redis_cluster.h"

#include <utility>

namespace heartbeat::relay {

RedisCluster::RedisCluster(uv::Loop& loop, const HostPort& seed, OptionsFor options_for,
                           RedisLink::Callbacks callbacks)
    : loop_(loop),
      seed_(seed),
      options_for_(std::move(options_for)),
      callbacks_(std::move(callbacks)),
      routes_(to_string(seed)) {
  soon_ = uv::Timer::create(loop_, [] {});
  server_at(to_string(seed));
}

RedisCluster::Server& RedisCluster::server_at(const std::string& where) {
  const auto [place, is_new] = servers_.try_emplace(where);
  Server& server = place->second;
  if (!is_new) return server;
  const auto address = parse_host_port(where);
  auto options = address ? options_for_(*address) : tl::unexpected(address.error());
  if (!options) {
    end({.kind = EngineError::Kind::Refused, .text = options.error()});
    return server;
  }
  server.link = std::make_unique<RedisLink>(
      loop_, std::move(*options),
      RedisLink::Callbacks{.on_ready =
                               [this, &server] {
                                 server.link->send(std::exchange(server.waiting, {}));
                                 if (!std::exchange(is_ready_, true)) callbacks_.on_ready();
                               },
                           .on_reply = [this, where](const RedisReply& reply) { take(where, reply); },
                           .on_end = [this](const EngineError& why) { end(why); }});
  return server;
}

void RedisCluster::send(std::string_view commands) {
  routes_.add(commands);
  flush();
}

void RedisCluster::flush() {
  for (const RedisRoutes::Outgoing& outgoing : routes_.take_outgoing()) {
    Server& server = server_at(outgoing.where);
    if (is_ended_) return;
    if (server.link->is_ready())
      server.link->send(outgoing.bytes);
    else
      server.waiting += outgoing.bytes;
  }
}

void RedisCluster::take(const std::string& where, const RedisReply& reply) {
  routes_.take(where, reply);
  flush();
  if (is_ended_) return;
  if (!routes_.expects(where)) servers_.at(where).link->all_answered();
  while (const auto next = routes_.next()) callbacks_.on_reply(*next);
}

// Reported in a call of its own, so that the owner is never called from within its own call.
void RedisCluster::end(const EngineError& why) {
  if (std::exchange(is_ended_, true)) return;
  is_ready_ = false;
  soon_ = uv::Timer::create(loop_, [this, why] {
    const auto on_end = callbacks_.on_end;
    on_end(why);
  });
  soon_->arm(Millis{1});
}

}  // namespace heartbeat::relay
