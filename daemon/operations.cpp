#include "daemon/operations.h"

#include <chrono>
#include <utility>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "common/json_writer.h"
#include "common/uv/address.h"
#include "common/uv/guard.h"
#include "common/uv/listening_socket.h"
#include "common/uv/machine.h"
#include "daemon/config/descriptor_shares.h"
#include "daemon/config/load.h"
#include "daemon/journal_options.h"

namespace heartbeat {

namespace {

// Port 0 stands for any.
bool listens_at(int descriptor, Endpoint wanted) {
  const Endpoint local = uv::local_endpoint(descriptor);
  if (wanted.port == 0) wanted.port = local.port;
  return local == wanted;
}

}  // namespace

Operations::Operations(uv::Loop& loop, Parts parts, std::size_t descriptors_limit, Run run,
                       std::optional<Continued> continued)
    : loop_(loop),
      parts_(parts),
      descriptors_limit_(descriptors_limit),
      clock_(uv::wall_time(loop) - (continued ? continued->unread : Millis{0}), now()),
      boot_{.id = std::move(run.id),
            .pid = getpid(),
            .started = continued ? continued->started : uv::wall_time(loop)},
      feed_(continued ? std::move(continued->feed) : Feed{run.first_event}),
      certificates_(parts.server),
      roster_(loop),
      context_{.desk = *this},
      control_(loop, context_, share_descriptors(descriptors_limit, false).sessions) {
  if (continued) restore_report(continued->report, tally_, reloads_, clock_);
}

// --- doors ------------------------------------------------------------------------------------------------

// A pause of the loop ends as soon as an operator connects.
void Operations::admit_readers(std::optional<std::uint32_t> group) {
  control_.use({.readers = group, .user = geteuid(), .group = getegid()});
}

tl::expected<void, std::string> Operations::listen(const std::string& path) {
  auto listening = control_.listen(path);
  if (listening) parts_.server.end_pause_for(*control_.acceptor());
  return listening;
}

tl::expected<void, std::string> Operations::adopt(int descriptor) {
  auto listening = control_.adopt(descriptor);
  if (listening) parts_.server.end_pause_for(*control_.acceptor());
  return listening;
}

tl::expected<void, std::string> Operations::adopt(Descriptor socket, const std::string& path) {
  auto listening = control_.adopt(std::move(socket), path);
  if (listening) parts_.server.end_pause_for(*control_.acceptor());
  return listening;
}

tl::expected<Endpoint, std::string> Operations::serve_http(const LoadedConfig& config, Descriptor inherited) {
  const HostPort at = *parse_host_port(config.config.http_listen);
  const auto endpoints = uv::resolve_all(loop_, at);
  if (!endpoints) return tl::unexpected("http.listen: " + endpoints.error());
  const Endpoint* const endpoint = &endpoints->front();
  for (std::size_t other = 1; other < endpoints->size(); ++other) {
    spdlog::info("http.listen: {} is an address of '{}' as well, and is not listened on",
                 address_string((*endpoints)[other]), at.host);
  }
  if (!http_may_be_remote(config.config) && !is_loopback(*endpoint)) {
    return tl::unexpected("http.listen: " + not_loopback(to_string(*endpoint)));
  }
  http_.emplace(loop_, *this, share_descriptors(descriptors_limit_, true).http);
  http_->require(config.http_tokens.get());
  if (!config.http_certificate.empty()) http_->use_tls(config.http_certificate, config.http_key);
  https_expiries_ = config.https_expiries;
  const bool is_there = inherited.get() >= 0 && listens_at(inherited.get(), *endpoint);
  if (!is_there) inherited = Descriptor{-1};  // its port may be wanted
  auto listening = is_there ? http_->adopt(std::move(inherited)) : http_->listen(*endpoint);
  if (listening) {
    parts_.server.end_pause_for(http_->descriptor());
    parts_.server.end_pause_for(*http_->acceptor());
  }
  return listening;
}

void Operations::watch_certificates() {
  std::vector<tls::Context::Expiry> files = https_expiries_;
  for (const auto& context : parts_.reloader.in_force().tls) {
    if (context == nullptr) continue;
    files.insert(files.end(), context->expiries().begin(), context->expiries().end());
  }
  certificates_.use(files, uv::wall_time(loop_));
}

// --- each turn --------------------------------------------------------------------------------------------

void Operations::count_descriptors() {
  own_descriptors_ = uv::count_descriptors() + parts_.events.descriptors_to_come() - descriptors_in_use();
}

void Operations::after_turn() {
  Server& server = parts_.server;
  clock_.agree(uv::wall_time(loop_), server.heard_at());
  clock_.agree(uv::wall_time(loop_), now());
  heartbeats_.sample(monitor().counters().heartbeats, now());
  if (memory_.is_due(monitor().clients().size(), now())) give_memory_back();
  if (reload_is_due_ && !is_judging()) {
    reload_is_due_ = false;
    static_cast<void>(reload());
  }
  roster_.after_turn(monitor().clients(), now());
  if (certificates_.is_due(now())) {
    uv::guarded([this] { certificates_.review(uv::wall_time(loop_)); });
  }
  control_.after_turn();
  if (http_) {
    timeline_.sample(loop_.now(), clock_.at(now()), monitor(), tally_);
    http_->after_turn();
  }
  if (control_.was_active() || (http_ && http_->was_active())) server.hurry();
}

// --- to see -----------------------------------------------------------------------------------------------

std::size_t Operations::descriptors_in_use() const {
  return parts_.server.descriptors() + control_.sessions() + (http_ ? http_->connections() : 0);
}

Figures Operations::figures() const {
  const Server& server = parts_.server;
  const AcceptGate& gate = server.entrance().gate();
  return {.boot = boot_,
          .monitor = monitor(),
          .feed = feed_,
          .tally = tally_,
          .reloads = reloads_,
          .heartbeats = heartbeats_,
          .loop_lateness = server.loop_lateness(),
          .accepting = {.paused = gate.is_paused(),
                        .pauses = gate.pauses(),
                        .length = gate.paused(),
                        .waiting = server.entrance().anteroom().size(),
                        .displaced = server.entrance().anteroom().figures().displaced,
                        .rate = gate.rate()},
          .shortages = {.clients = server.entrance().shortages(),
                        .control = control_.shortages(),
                        .http = http_ ? http_->shortages() : 0},
          .control = {.sessions = control_.sessions(),
                      .displaced = control_.figures().displaced,
                      .refused = control_.figures().refused},
          .pauses = {.longest = server.pauses().longest,
                     .count = server.pauses().count,
                     .length = std::chrono::floor<Millis>(server.pauses().length)},
          .usage = {.memory_bytes = uv::memory_bytes(),
                    .processor_seconds = uv::processor_seconds(),
                    .descriptors_used = own_descriptors_ + descriptors_in_use(),
                    .descriptors_limit = descriptors_limit_},
          .journal = parts_.events.figures(),
          .http = http_ ? std::optional{http_->figures()} : std::nullopt,
          .certificates = certificates_.expiries(),
          .listening = server.entrance().listening(),
          .roster = roster_.figures()};
}

// Why a balancer must send new clients to another daemon.
std::string Operations::unready() const {
  if (parts_.server.entrance().listening().empty()) return "not listening";
  return monitor().drain() == nullptr ? "" : "draining";
}

Health Operations::health() const {
  if (parts_.server.is_stopping()) return {.unhealthy = "stopping", .unready = "stopping"};
  const JournalFigures journal = parts_.events.figures();
  const std::string impaired =
      journal.is_paused ? "the event journal is not written: " + journal.error : std::string{};
  return {.unhealthy = "", .unready = unready(), .impaired = impaired};
}

std::vector<SettingInForce> Operations::settings() const {
  return list_settings(parts_.reloader.in_force());
}

// --- to order ---------------------------------------------------------------------------------------------

// In the journal before its consequences.  Where memory runs out the order is carried out all the same.
void Operations::record_order(std::string_view command, std::string_view key, std::string_view value) {
  uv::guarded([&] {
    parts_.events.add_line("order", uv::wall_time(loop_), [&](JsonWriter& json) {
      json.add("command", command);
      if (!key.empty()) json.add(key, value);
    });
  });
}

bool Operations::kick(std::string_view name, std::string_view message) {
  record_order("kick", "client", name);
  return parts_.server.kick(name, message);
}

bool Operations::supersede(ConnId conn, std::string_view detail) {
  return parts_.server.supersede(conn, detail);
}

bool Operations::remember_leave(ConnId conn) {
  return parts_.server.remember_leave(conn);
}

std::optional<std::size_t> Operations::end_brake(BrakeEnd how) {
  record_order("brake", "end", to_string(how));
  return parts_.server.end_brake(how);
}

bool Operations::forget(std::string_view name) {
  record_order("forget", "client", name);
  return parts_.server.forget(name);
}

bool Operations::hold(const Monitor::HoldOrder& order) {
  record_order("hold", "match", order.pattern);
  return parts_.server.hold(order);
}

bool Operations::release(std::string_view pattern, std::uint32_t uid) {
  record_order("release", "match", pattern);
  return parts_.server.release(pattern, uid);
}

void Operations::drain(const DrainOrder& order) {
  record_order("drain", "rate", std::to_string(order.rate));
  parts_.server.drain(order);
}

std::optional<std::uint64_t> Operations::end_drain(std::uint32_t uid) {
  record_order("drain", "rate", "0");
  return parts_.server.end_drain(uid);
}

tl::expected<std::string, std::string> Operations::set_log_level(const std::string& level) {
  record_order("log_level", "level", level);
  return parts_.reloader.set_log_level(level, "operator");
}

ReloadResult Operations::reload() {
  parts_.service.reloading();
  ReloadResult result = parts_.reloader.reload();
  reloads_.add(result.errors.empty());
  if (result.errors.empty()) read_roster();
  const bool is_accepted = result.errors.empty();
  uv::guarded([&] {
    parts_.events.add_line("reload", uv::wall_time(loop_), [&](JsonWriter& json) {
      json.add("accepted", is_accepted);
      if (!is_accepted) json.add("error", result.errors.front());
    });
  });
  parts_.server.reloaded(result.errors.empty() ? std::string_view{}
                                               : std::string_view{result.errors.front()});
  if (http_) http_->require(parts_.reloader.in_force().http_tokens.get());
  // Without memory for it, the dates of before are watched for.
  if (is_accepted) uv::guarded([this] { watch_certificates(); });
  parts_.events.change(journal_options(parts_.reloader.in_force().config));
  parts_.event_log.set_per_second(parts_.reloader.in_force().config.log_rate);
  parts_.service.listening_on(parts_.server.entrance().listening());
  parts_.service.ready();
  return result;
}

}  // namespace heartbeat
