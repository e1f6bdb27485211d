#include "daemon/reload.h"

#include <algorithm>
#include <new>
#include <utility>

#include <spdlog/spdlog.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/text.h"
#include "common/uv/address.h"
#include "common/uv/listening_socket.h"
#include "daemon/config/descriptor_shares.h"
#include "daemon/io/proxy_preamble.h"
#include "daemon/io/tls_preamble.h"

namespace heartbeat {
namespace {

ReloadResult failed(std::vector<std::string> errors) {
  return {.changed = {}, .needs_restart = {}, .errors = std::move(errors)};
}

void log_result(const ReloadResult& result, const std::string& file) {
  for (const std::string& error : result.errors) spdlog::error("reload failed: {}", error);
  if (!result.errors.empty()) {
    spdlog::error("reload failed: nothing was changed");
    return;
  }
  for (const ReloadResult::Change& change : result.changed) {
    spdlog::info("reload changed={} from={} to={}", change.name, log_value(change.before),
                 log_value(change.after));
  }
  for (const ReloadResult::Change& change : result.needs_restart) {
    spdlog::warn("reload needs_restart={} in_force={} wanted={}", change.name, log_value(change.before),
                 log_value(change.after));
  }
  spdlog::info("reload done file={} changed={} needs_restart={}", log_value(file), result.changed.size(),
               result.needs_restart.size());
}

void log_opened(const Endpoint& opened) {
  spdlog::info("listening on {}", to_string(opened));
  if (address_string(opened) == "::") spdlog::info("[::] takes IPv6 clients only; IPv4 clients need 0.0.0.0");
  if (uv::is_present(opened)) return;
  spdlog::warn("{} is no address of this machine yet: clients can connect as soon as it is one",
               address_string(opened));
}

Requirement requirement_named(std::string_view word) {
  if (word == "certificate") return Requirement::Certificate;
  return word == "token" ? Requirement::Token : Requirement::None;
}

void log_tokens(const LoadedConfig& loaded) {
  if (loaded.tokens == nullptr) return;
  spdlog::info("tokens file={} lines={}", log_value(loaded.config.tokens), loaded.tokens->size());
}

// What a listener with these options demands of its connections.
Demands demands_of(const Listener& listener, const std::shared_ptr<const tls::Context>& context) {
  Demands demands{.require = requirement_named(*listener.require), .accept_rate = accept_rate_of(listener)};
  if (listener.proxy_from->empty() && context == nullptr) return demands;
  demands.preambles = [proxies = *listener.proxy_from, context](const Endpoint& peer) {
    Preambles preambles;
    if (auto proxy = proxy_preamble(proxies, peer)) preambles.push_back(std::move(proxy));
    if (context != nullptr) preambles.push_back(tls_preamble(context));
    return preambles;
  };
  return demands;
}

// The sockets that were handed over have none of the options of a [[listener]].
Demands demands_at_handed(const Config& config) {
  return demands_of({.address = {}, .proxy_from = config.proxy_from, .require = config.require}, nullptr);
}

}  // namespace

void fit_to_descriptors(LoadedConfig& loaded, std::size_t descriptors, bool serves_http) {
  const std::size_t clients_allowed = share_descriptors(descriptors, serves_http).clients;
  std::size_t& clients_max = loaded.config.settings.clients_max;
  if (clients_max <= clients_allowed) return;
  spdlog::info("max_clients lowered from {} to {}: the descriptor limit (LimitNOFILE) is {}", clients_max,
               clients_allowed, descriptors);
  loaded.origins[*find_setting("max_clients")].text += ", lowered to the descriptor limit";
  clients_max = clients_allowed;
}

Settings server_settings(const Config& config) {
  Settings settings = config.settings;
  settings.report_heartbeats = spdlog::should_log(spdlog::level::debug);
  return settings;
}

Reloader::Reloader(uv::Loop& loop, Server& server, CommandLine command_line, LoadedConfig in_force,
                   std::size_t descriptors)
    : loop_(loop),
      server_(server),
      command_line_(std::move(command_line)),
      in_force_(std::move(in_force)),
      descriptors_(descriptors) {}

tl::expected<void, std::string> Reloader::start(const std::vector<int>& handed,
                                                const std::vector<Entrance::Kept>& inherited) {
  handed_ = !handed.empty();
  server_.use(in_force_.tokens.get());
  log_tokens(in_force_);
  server_.set_pause_max(in_force_.config.pause_max);
  server_.entrance().set_accept_rate(in_force_.config.accept_rate);
  server_.entrance().demand_at_adopted(demands_at_handed(in_force_.config));
  server_.set_tcp_limits(in_force_.config.tcp);
  for (const Entrance::Kept& socket : inherited) {
    const auto local = server_.entrance().adopt(socket.descriptor, in_force_.config.backlog, socket.asked);
    if (!local) return tl::unexpected(local.error());
    spdlog::info("listening on {}", to_string(*local));
  }
  if (handed_) return adopt(handed);
  auto listening = listen(in_force_);
  if (listening || inherited.empty()) return listening;
  // Ending now would cost every client its connection.
  spdlog::error("{}; the addresses of before the restart are listened on", listening.error());
  return {};
}

ReloadResult Reloader::reload() {
  ReloadResult result = try_reload();
  log_result(result, in_force_.file);
  return result;
}

tl::expected<std::string, std::string> Reloader::set_log_level(std::string_view level,
                                                               std::string_view origin) {
  auto former = heartbeat::set_log_level(level);
  if (!former) return former;
  in_force_.take(
      {*find_setting("log_level"), std::string{level}, {Origin::Kind::Operator, std::string{origin}}});
  server_.report_heartbeats(server_settings(in_force_.config).report_heartbeats);
  return former;
}

std::string Reloader::log_level_of_operator() const {
  const Origin& origin = in_force_.origins[*find_setting("log_level")];
  return origin.kind == Origin::Kind::Operator ? in_force_.config.log_level : std::string{};
}

// Everything that can fail comes first; then nothing can.
ReloadResult Reloader::try_reload() {
  if (server_.is_stopping()) return failed({"the daemon is shutting down"});
  try {
    auto loaded = reload_config(command_line_, in_force_);
    if (!loaded) return failed(loaded.error().lines);
    fit_to_descriptors(*loaded, descriptors_, !in_force_.config.http_listen.empty());
    ReloadResult result = compare(*loaded);
    auto at_handed = demands_at_handed(loaded->config);
    auto settings = server_.prepare(server_settings(loaded->config));
    settings.credentials = loaded->tokens.get();
    if (!handed_) {
      if (const auto listening = listen(*loaded); !listening) return failed({listening.error()});
    }
    put_into_force(std::move(*loaded), std::move(settings), std::move(at_handed));
    return result;
  } catch (const std::bad_alloc&) {
    return failed({"the daemon is out of memory"});
  }
}

tl::expected<void, std::string> Reloader::adopt(const std::vector<int>& descriptors) {
  for (const int descriptor : descriptors) {
    const auto local = server_.entrance().adopt(descriptor, in_force_.config.backlog);
    if (!local) return tl::unexpected(local.error());
    spdlog::info("listening on {}", to_string(*local));
  }
  spdlog::info(
      "the service manager handed over the sockets to listen on; the configured addresses are not used");
  return {};
}

tl::expected<void, std::string> Reloader::listen(const LoadedConfig& loaded) {
  const Config& config = loaded.config;
  std::vector<Resolved> resolved;
  std::vector<Entrance::Address> wanted;
  const std::vector<Listener> listeners = all_listeners(config);
  for (std::size_t at = 0; at < listeners.size(); ++at) {
    const Listener& listener = listeners[at];
    const auto endpoints = resolve(listener.address);
    if (!endpoints) return tl::unexpected(endpoints.error());
    resolved.push_back({listener.address, *endpoints});
    const Demands demands = demands_of(listener, loaded.tls[at]);
    for (const Endpoint& endpoint : *endpoints) {
      // Names and addresses of one list may lead to one address.
      const bool is_wanted = std::any_of(wanted.begin(), wanted.end(), [&](const Entrance::Address& earlier) {
        return earlier.at == endpoint;
      });
      if (endpoint.port == 0 || !is_wanted) wanted.push_back({endpoint, demands});
    }
  }
  if (wanted.size() > limits::kListenersMax) {
    return tl::unexpected("listen and listener: their names have " + std::to_string(wanted.size()) +
                          " addresses, and not more than " + std::to_string(limits::kListenersMax) +
                          " can be listened on");
  }
  const auto change = server_.entrance().listen_on(std::move(wanted), config.backlog);
  if (!change) return tl::unexpected(change.error());
  for (const Endpoint& opened : change->opened) log_opened(opened);
  for (const Endpoint& closed : change->closed) spdlog::info("no longer listening on {}", to_string(closed));
  resolved_ = std::move(resolved);
  return {};
}

// A name that is listened on is not looked up again: the loop stands still meanwhile, and the answer may be
// another one.
tl::expected<std::vector<Endpoint>, std::string> Reloader::resolve(const HostPort& where) const {
  for (const Resolved& known : resolved_) {
    if (known.asked == where) return known.endpoints;
  }
  return uv::resolve_all(loop_, where);
}

// What `loaded` changes.  What cannot change while the daemon runs is set back in it.
ReloadResult Reloader::compare(LoadedConfig& loaded) const {
  ReloadResult result;
  for (std::size_t row = 0; row < all_settings().size(); ++row) {
    const Setting& setting = all_settings()[row];
    const Value before = get(in_force_.config, setting);
    const Value after = get(loaded.config, setting);
    if (before == after) continue;
    const ReloadResult::Change change{setting.key, plain_text(setting, before), plain_text(setting, after)};
    // The sockets that were handed over are the service manager's to change.
    const bool stays =
        handed_ && (setting.key == "listen" || setting.key == "listener" || setting.key == "backlog");
    if (setting.while_running && !stays) {
      result.changed.push_back(change);
    } else {
      result.needs_restart.push_back(change);
      loaded.take({row, before, in_force_.origins[row]});
    }
  }
  return result;
}

void Reloader::put_into_force(LoadedConfig&& loaded, Monitor::NewSettings&& settings, Demands&& at_handed) {
  if (loaded.tokens != in_force_.tokens) log_tokens(loaded);
  server_.change_settings(std::move(settings));  // from here on it has the tokens of `loaded`
  in_force_ = std::move(loaded);
  static_cast<void>(heartbeat::set_log_level(in_force_.config.log_level));  // the level is valid
  server_.report_heartbeats(server_settings(in_force_.config).report_heartbeats);
  server_.set_tcp_limits(in_force_.config.tcp);
  server_.entrance().set_accept_rate(in_force_.config.accept_rate);
  server_.set_pause_max(in_force_.config.pause_max);
  server_.entrance().demand_at_adopted(std::move(at_handed));
}

}  // namespace heartbeat
