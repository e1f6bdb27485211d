#include "tools/notify/upstream.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/endpoint.h"
#include "tools/ctl/connection.h"
#include "tools/ctl/json_reply.h"
#include "tools/ctl/json_request.h"

namespace heartbeat::notify {
namespace {

// The daemon may miss two questions before its silence is declared.
constexpr int kGateInIntervals = 3;

}  // namespace

tl::expected<std::unique_ptr<Upstream>, std::string> Upstream::start(const Config& config,
                                                                     const std::string& host) {
  if (config.upstream.empty()) return nullptr;
  const auto where = parse_host_port(config.upstream);
  if (!where) return tl::unexpected("upstream: " + where.error());
  const std::string port = std::to_string(where->port);
  const std::string id = config.upstream_id.empty() ? "heartbeatd@" + host : config.upstream_id;
  const int every_ms = static_cast<int>(config.upstream_every.count());
  heartbeat_options options{};
  options.host = where->host.c_str();
  options.port = port.c_str();
  options.id = id.c_str();
  options.interval_ms = every_ms;
  options.gate_ms = kGateInIntervals * every_ms;
  heartbeat_client* const client = heartbeat_start(&options);
  if (client == nullptr) return tl::unexpected("upstream: " + id + ": " + std::strerror(errno));
  return std::unique_ptr<Upstream>{new Upstream{config, client}};
}

Upstream::Upstream(const Config& config, heartbeat_client* client)
    : control_(config.control), every_(config.upstream_every), client_(client) {
  // Without its thread the client sends nothing, which its daemon reports as it reports any client that is
  // gone.
  static_cast<void>(heartbeat_start_thread(client));
  thread_ = std::thread{[this] { watch(); }};
}

Upstream::~Upstream() {
  {
    const std::lock_guard lock{mutex_};
    is_ending_ = true;
  }
  ending_.notify_all();
  thread_.join();
}

void Upstream::watch() {
  std::unique_lock lock{mutex_};
  while (!is_ending_) {
    lock.unlock();
    ask();
    lock.lock();
    ending_.wait_for(lock, every_, [this] { return is_ending_; });
  }
}

// A daemon that does not answer is left to the client's gate.
void Upstream::ask() {
  const ctl::Deadline deadline = ctl::in(every_);
  auto connection = ctl::Connection::open(control_, deadline);
  if (!connection || !connection->send(ctl::Request{"status"}.body(), deadline)) return;
  const auto body = connection->receive(deadline);
  const auto reply = body ? ctl::Reply::parse(*body) : std::nullopt;
  if (!reply || reply->type() != "status") return;
  heartbeat_touch(client_.get());
  const bool holds = reply->object().object("brake").text("state") == "holding";
  if (holds == std::exchange(holds_, holds)) return;
  if (holds) {
    static_cast<void>(heartbeat_leave(client_.get(), "the brake on mass closing holds"));
  } else {
    heartbeat_alive(client_.get());
  }
}

}  // namespace heartbeat::notify
