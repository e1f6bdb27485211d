#include "daemon/operations.h"

#include <utility>

#include <unistd.h>

#include "common/limits.h"
#include "common/uv/address.h"
#include "common/uv/machine.h"
#include "daemon/config/descriptor_shares.h"
#include "daemon/config/load.h"

namespace heartbeat {

Operations::Operations(uv::Loop& loop, std::size_t descriptors_limit)
    : loop_(loop),
      descriptors_limit_(descriptors_limit),
      clock_(uv::wall_time(loop), loop.now()),
      boot_{.id = uv::random_id(), .pid = getpid(), .started = uv::wall_time(loop)} {}

void Operations::attach(Server& server, SetLogLevel set_log_level, ListSettings settings, Reload reload) {
  server_ = &server;
  ControlActions actions{.now = [&server] { return server.listening_now(); },
                         .kick = [&server](std::string_view name,
                                           std::string_view message) { return server.kick(name, message); },
                         .end_brake = [&server](BrakeEnd how) { return server.end_brake(how); },
                         .set_log_level = std::move(set_log_level),
                         .settings = std::move(settings),
                         .reload = std::move(reload),
                         .add_status = [this](JsonWriter& json) { add_status(json); }};
  context_.emplace(ControlContext{.boot = boot_,
                                  .monitor = server.monitor(),
                                  .feed = feed_,
                                  .clock = clock_,
                                  .actions = std::move(actions)});
  control_.emplace(loop_, *context_, share_descriptors(descriptors_limit_, false).sessions);
}

tl::expected<Endpoint, std::string> Operations::serve_http(const HostPort& at, bool allow_remote) {
  const auto endpoint = uv::resolve(loop_, at);
  if (!endpoint) return tl::unexpected("http.listen: " + endpoint.error());
  if (!allow_remote && !is_loopback(*endpoint)) {
    return tl::unexpected("http.listen: " + not_loopback(to_string(*endpoint)));
  }
  http::Context context{
      .boot = boot_,
      .monitor = server_->monitor(),
      .feed = feed_,
      .clock = clock_,
      .tally = tally_,
      .timeline = timeline_,
      .reloads = reloads_,
      .loop_lateness = server_->loop_lateness(),
      .doors = [this] { return doors(); },
      .now = [this] { return server_->listening_now(); },
      .add_status = [this](JsonWriter& json) { add_status(json); },
      .usage = [this] { return usage(); },
      .unhealthy = [this] { return std::string{server_->is_stopping() ? "stopping" : ""}; },
      .unready =
          [this] {
            if (server_->is_stopping()) return std::string{"stopping"};
            return std::string{server_->entrance().listening().empty() ? "not listening" : ""};
          }};
  http_.emplace(loop_, std::move(context), share_descriptors(descriptors_limit_, true).http);
  auto listening = http_->listen(*endpoint);
  if (listening) {
    server_->end_pause_for(http_->descriptor());
    server_->end_pause_for(*http_->acceptor());
  }
  return listening;
}

void Operations::turn() {
  if (server_ == nullptr) return;
  // In the first turn everything is open, and it cannot be many clients yet.
  if (descriptors_of_our_own_ == 0) descriptors_of_our_own_ = uv::count_descriptors() - descriptors_in_use();
  const MonoTime now = server_->listening_now();
  clock_.agree(uv::wall_time(loop_), server_->heard_at());
  clock_.agree(uv::wall_time(loop_), now);
  heartbeats_.sample(server_->monitor().counters().heartbeats, now);
  if (memory_.is_due(server_->monitor().clients().size(), now)) give_memory_back();
  control_->after_turn();
  if (http_) {
    timeline_.sample(loop_.now(), clock_.at(now), server_->monitor(), tally_);
    http_->after_turn();
  }
  if (control_->was_active() || (http_ && http_->was_active())) server_->hurry();
}

tl::expected<void, std::string> Operations::answer_at_once(tl::expected<void, std::string> listening) {
  if (listening) server_->end_pause_for(*control_->acceptor());
  return listening;
}

std::size_t Operations::descriptors_in_use() const {
  return server_->descriptors() + control_->sessions() + (http_ ? http_->connections() : 0);
}

ProcessUsage Operations::usage() const {
  return {.memory_bytes = uv::memory_bytes(),
          .processor_seconds = uv::processor_seconds(),
          .descriptors_used = descriptors_of_our_own_ + descriptors_in_use(),
          .descriptors_limit = descriptors_limit_};
}

Doors Operations::doors() const {
  const AcceptGate& gate = server_->entrance().gate();
  return {.gate = {.is_paused = gate.is_paused(),
                   .pauses = gate.pauses(),
                   .paused = gate.paused(),
                   .rate = gate.rate()},
          .shortages = {.clients = server_->entrance().shortages(),
                        .control = control_->shortages(),
                        .http = http_ ? http_->shortages() : 0},
          .control = {.sessions = control_->sessions(),
                      .displaced = control_->figures().displaced,
                      .refused = control_->figures().refused}};
}

void Operations::add_status(JsonWriter& json) const {
  const ProcessUsage usage = this->usage();
  const DaemonStatus status{.boot = boot_,
                            .monitor = server_->monitor(),
                            .feed = feed_,
                            .heartbeats = heartbeats_,
                            .loop_lateness = server_->loop_lateness(),
                            .pause_longest = server_->pauses().longest,
                            .pauses = server_->pauses().count,
                            .paused = std::chrono::floor<Millis>(server_->pauses().length),
                            .doors = doors(),
                            .usage = usage,
                            .listening = server_->entrance().listening()};
  heartbeat::add_status(json, status, clock_, server_->listening_now());
}

}  // namespace heartbeat
