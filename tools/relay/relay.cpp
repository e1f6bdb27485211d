#include "tools/relay/relay.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <utility>

#include <spdlog/spdlog.h>

#include "common/duration.h"
#include "common/json_writer.h"
#include "common/text.h"
#include "common/uv/machine.h"
#include "common/wall_time.h"
#include "tools/relay/tls_context.h"

namespace heartbeat::relay {
namespace {

// All owners are looked at within ten minutes.
constexpr Millis kSweepTime{600'000};
constexpr Millis kInboxEvery{1'000};
// A lease is read as a whole by each reader.
constexpr std::size_t kFightsInLease = 16;

}  // namespace

Relay::Relay(uv::Loop& loop, Config config, std::string password)
    : loop_(loop),
      config_(std::move(config)),
      password_(std::move(password)),
      engine_({.fleet = config_.fleet, .node = config_.node, .lease = config_.lease}),
      publisher_({.node = config_.node, .records_max = config_.records_max}, engine_),
      random_(std::random_device{}()) {
  engine_.listen(publisher_);
  turn_ = uv::Timer::create(loop_, [this] { turn(); });
  reconnect_ = uv::Timer::create(loop_, [this] { connect(); });
  renew_ = uv::Timer::create(loop_, [this] {
    source_->ask_status();
    end_fights();
    write_metrics();
    renew_->arm(config_.lease / 3);
  });
  inbox_ = uv::Timer::create(loop_, [this] {
    publisher_.read_inbox();
    soon();
    inbox_->arm(std::min(kInboxEvery, config_.lease / 3));
  });
  source_ = std::make_unique<DaemonSource>(
      loop_, config_.control, config_.journal,
      DaemonSource::Callbacks{
          .on_list = [this](bool is_new_run) { publisher_.begin_view(is_new_run); },
          .on_client = [this](const ListedClient& client) { publisher_.put(client); },
          .on_whole =
              [this] {
                publisher_.end_view();
                spdlog::info("daemon clients={}", publisher_.clients());
                soon();
              },
          .on_event =
              [this](const DaemonEvent& event) {
                publisher_.apply(event, loop_.now());
                soon();
              },
          .on_status = [this](const ctl::Object& status) { renew(status); },
          .on_away = [](const std::string& why) { spdlog::warn("daemon_away reason={}", log_value(why)); }});
  renew_->arm(config_.lease / 3);
  inbox_->arm(kInboxEvery);
  connect();
}

Relay::~Relay() = default;

bool Relay::can_change_to(const Config& config) const {
  Config same = config_;
  same.redis = config.redis;
  same.sentinels = config.sentinels;
  same.master = config.master;
  same.user = config.user;
  same.password_file = config.password_file;
  same.tls = config.tls;
  same.tls_ca = config.tls_ca;
  same.tls_certificate = config.tls_certificate;
  same.tls_key = config.tls_key;
  same.metrics = config.metrics;
  same.page = config.page;
  return same == config;
}

void Relay::change(Config config, std::string password) {
  config_ = std::move(config);
  password_ = std::move(password);
  link_.reset();
  engine_.forget();
  publisher_.disconnected();
  is_asking_sentinel_ = false;
  master_.clear();
  is_cluster_ = false;
  reported_.clear();
  pause_ = kPauseLeast;
  reconnect_->arm(Millis{1});
}

// --- turns ------------------------------------------------------------------------------------------------

// What came is dealt with in a turn of its own: never from within a call of the link or of the source.
void Relay::soon() {
  turn_->arm(Millis{1});
}

void Relay::turn() {
  publisher_.go_on();
  for (const DaemonOrder& order : publisher_.take_orders()) {
    if (order.kind == DaemonOrder::Kind::Drain) {
      spdlog::warn("order kind=drain rate={} by={}", order.rate, log_value(order.by));
    } else if (order.kind != DaemonOrder::Kind::Remember) {
      spdlog::warn("order kind={} client={} by={}",
                   order.kind == DaemonOrder::Kind::Supersede ? "superseded" : "kick",
                   log_value(order.client), log_value(order.by));
    }
    if (order.kind == DaemonOrder::Kind::Supersede) note_fight(order);
    source_->give(order);
  }
  if (link_ && link_->is_ready() && !is_asking_sentinel_ && !awaits_role_)
    link_->send(engine_.take_commands());
  report_state();
  if (publisher_.was_accepted()) pause_ = kPauseLeast;
  if (publisher_.state() == Publisher::State::Fenced) {
    link_.reset();
    engine_.forget();
    return;
  }
  if (publisher_.trouble() && link_) lost(*publisher_.trouble());
}

// The id came to another node, and comes back here again and again.
void Relay::note_fight(const DaemonOrder& order) {
  const auto wall = static_cast<std::uint64_t>(uv::wall_time(loop_).time_since_epoch().count());
  if (!fights_.taken({.client = order.client, .peer = order.peer, .other = order.by}, loop_.now(), wall))
    return;
  spdlog::warn(
      "fight state=began client={} nodes={},{}: two programs have this id, and each closes the other's "
      "connection",
      log_value(order.client), config_.node, log_value(order.by));
}

void Relay::end_fights() {
  for (const Fights::Fight& fight : fights_.take_ended(loop_.now())) {
    spdlog::info("fight state=ended client={} nodes={},{} count={}", log_value(fight.client), config_.node,
                 log_value(fight.other), fight.count);
  }
}

void Relay::report_state() {
  const Publisher::State state = publisher_.state();
  if (std::exchange(state_, state) == state) return;
  if (state == Publisher::State::Publishing) {
    reported_.clear();
    spdlog::info("publishing fleet={} node={} position={} clients={}", config_.fleet, config_.node,
                 to_string(publisher_.watermark()), publisher_.clients());
    source_->ask_status();  // the first lease waits for no timer
  }
  if (state == Publisher::State::Fenced) {
    spdlog::critical(
        "fenced node={}: another relay of this name publishes; this one has ended publishing, and its "
        "clients stay connected. Give each node a name of its own, and restart this relay",
        config_.node);
  }
}

// --- the connection ---------------------------------------------------------------------------------------

void Relay::connect() {
  if (publisher_.state() == Publisher::State::Fenced) return;
  if (!master_.empty()) {
    const auto where = parse_host_port(std::exchange(master_, {}));
    if (where) return connect_to(*where);
  }
  if (config_.sentinels.empty()) return connect_to(config_.redis.front());
  ask_sentinel();
}

void Relay::ask_sentinel() {
  is_asking_sentinel_ = true;
  const HostPort& where = config_.sentinels[next_sentinel_++ % config_.sentinels.size()];
  link_ = std::make_unique<RedisLink>(
      loop_, RedisLink::Options{.where = where},
      RedisLink::Callbacks{
          .on_ready =
              [this] {
                std::string command;
                append_command(command, {"SENTINEL", "get-master-addr-by-name", config_.master});
                link_->send(command);
              },
          .on_reply = [this](const RedisReply& reply) { take_from_sentinel(reply); },
          .on_end = [this](const EngineError& why) { lost(why); }});
}

void Relay::take_from_sentinel(const RedisReply& reply) {
  if (!is_asking_sentinel_) return;
  if (reply.items.size() == 2) {
    master_ = reply.items[0].text + ':' + reply.items[1].text;
    is_asking_sentinel_ = false;
    reconnect_->arm(Millis{1});
    return;
  }
  // In a turn of its own, as the link cannot end in its own call.
  link_->all_answered();
  report({.text = "the Sentinel knows no master " + log_value(config_.master)});
  is_asking_sentinel_ = false;
  reconnect_->arm(pause_);
  pause_ = std::min(pause_ * 2, kPauseMost);
}

void Relay::connect_to(const HostPort& where) {
  is_asking_sentinel_ = false;
  ++connections_;
  engine_.forget();
  RedisLink::Callbacks callbacks{.on_ready = [this] { ready(); },
                                 .on_reply = [this](const RedisReply& reply) { take(reply); },
                                 .on_end = [this](const EngineError& why) { lost(why); }};
  if (is_cluster_) {
    link_ = std::make_unique<RedisCluster>(
        loop_, where, [this](const HostPort& server) { return options_for(server); }, std::move(callbacks));
    return;
  }
  auto options = options_for(where);
  if (!options) return lost({.kind = EngineError::Kind::Refused, .text = options.error()});
  link_ = std::make_unique<RedisLink>(loop_, std::move(*options), std::move(callbacks));
}

tl::expected<RedisLink::Options, std::string> Relay::options_for(const HostPort& where) const {
  RedisLink::Options options{.where = where, .user = config_.user, .password = password_};
  if (!config_.tls) return options;
  auto context = tls_context(config_, where.host);
  if (!context) return tl::unexpected(context.error());
  options.tls = std::move(*context);
  return options;
}

// A Sentinel's word may be old: whether it is the master the server says itself.
void Relay::ready() {
  awaits_role_ = !config_.sentinels.empty();
  if (awaits_role_) {
    std::string command;
    append_command(command, {"ROLE"});
    return link_->send(command);
  }
  publisher_.connected();
  soon();
}

void Relay::take(const RedisReply& reply) {
  if (std::exchange(awaits_role_, false)) {
    const bool is_master = !reply.items.empty() && reply.items.front().text == "master";
    if (is_master) {
      publisher_.connected();
    } else {
      report({.text = to_string(link_->where()) + " is no master"});
      reconnect_->arm(pause_);
    }
    return soon();
  }
  if (!engine_.expects_reply()) return;
  engine_.take(reply);
  if (!engine_.expects_reply()) link_->all_answered();
  soon();
}

void Relay::lost(const EngineError& why) {
  const bool is_news = why.kind == EngineError::Kind::Moved && !is_cluster_;
  if (is_news) {
    spdlog::info("cluster where={}: its servers are asked each for its own keys", to_string(link_->where()));
    is_cluster_ = true;
  } else {
    report(why);
  }
  link_.reset();
  engine_.forget();
  publisher_.disconnected();
  is_asking_sentinel_ = awaits_role_ = false;
  Millis wait = pause_;
  if (why.kind == EngineError::Kind::Refused) wait = kPauseOfOperators;
  if (is_news) wait = kPauseLeast;
  pause_ = std::min(pause_ * 2, kPauseMost);
  // Spread, so that the relays of a fleet do not come back at one instant.
  reconnect_->arm(wait / 2 +
                  Millis{static_cast<std::int64_t>(random_() % static_cast<unsigned>(wait.count()))});
  report_state();
}

// Each trouble once, until the relay publishes again.
void Relay::report(const EngineError& why) {
  if (std::exchange(reported_, why.text) == why.text) return;
  const std::string where = link_ ? to_string(link_->where()) : std::string{};
  if (why.kind == EngineError::Kind::Refused) {
    spdlog::error("redis_refused where={} reason={} retry={}", where, log_value(why.text),
                  format_duration(kPauseOfOperators));
  } else {
    spdlog::warn("redis_away where={} reason={}", where, log_value(why.text));
  }
}

// --- lease and figures ------------------------------------------------------------------------------------

void Relay::renew(const ctl::Object& status) {
  if (publisher_.state() != Publisher::State::Publishing) return;
  publisher_.renew(summary(status));
  const auto renewals = static_cast<std::size_t>(kSweepTime / (config_.lease / 3));
  publisher_.sweep(renewals);
  soon();
}

std::string Relay::summary(const ctl::Object& status) const {
  std::string text;
  JsonWriter json{text};
  const Position at = publisher_.watermark();
  const ctl::Object rates = status.object("heartbeats").object("per_second");
  const ctl::Object stalls = status.object("stalls");
  json.begin_object();
  json.add("type", "lease");
  json.add("node", config_.node);
  json.add("incarnation", at.incarnation);
  json.add("sequence", at.sequence);
  json.add("from", publisher_.copied_from());
  json.add("behind_ms", publisher_.behind(loop_.now()));
  json.add("alive", std::uint64_t{publisher_.clients() - publisher_.clients_in_leave()});
  json.add("leave", std::uint64_t{publisher_.clients_in_leave()});
  json.add("now", format_instant(uv::wall_time(loop_)));
  json.add("boot", status.text("boot"));
  json.add("version", status.text("version"));
  json.add("uptime_ms", status.number("uptime_ms").value_or(0));
  json.add("heartbeats_per_second", rates.real("10").value_or(0));
  json.add("joins", status.object("totals").number("joins").value_or(0));
  json.add("stalls", stalls.number("count").value_or(0));
  json.add("stalled_worst_ms", stalls.number("worst_ms").value_or(0));
  json.add("late_ms", status.object("verdict_lateness_ms").real("p99").value_or(0));
  json.add("brake", status.object("brake").text("state"));
  if (!status.object("drain").text("since").empty()) json.add("draining", true);
  json.add("lease_ms", config_.lease);
  json.begin_array("fights");
  const std::vector<Fights::Fight> fights = fights_.lasting();
  for (std::size_t each = 0; each < std::min(fights.size(), kFightsInLease); ++each) {
    json.begin_object();
    json.add("client", fights[each].client);
    json.add("other", fights[each].other);
    json.add("count", fights[each].count);
    json.add("since", format_instant(WallTime{Millis{static_cast<std::int64_t>(fights[each].began_ms)}}));
    json.end_object();
  }
  json.end_array();
  if (!config_.page.empty()) json.add("page", config_.page);
  json.end_object();
  return text;
}

// Replaced as a whole, so that a scrape never reads a half.
void Relay::write_metrics() const {
  if (config_.metrics.empty()) return;
  const Publisher::Figures& figures = publisher_.figures();
  const auto flag = [](bool set) { return set ? 1U : 0U; };
  std::string text;
  const auto row = [&](std::string_view name, std::string_view type, std::string_view help, auto value,
                       std::string_view labels = {}) {
    if (!help.empty()) text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
    text += fmt::format("{}{} {}\n", name, labels, value);
  };
  row("heartbeatd_fleet_connected", "gauge", "Whether the relay publishes to the engine.",
      flag(publisher_.state() == Publisher::State::Publishing));
  row("heartbeatd_fleet_fenced", "gauge",
      "Whether another relay of this name has ended this one's publishing.",
      flag(publisher_.state() == Publisher::State::Fenced));
  row("heartbeatd_fleet_behind_seconds", "gauge", "How long the oldest record has waited.",
      static_cast<double>(publisher_.behind(loop_.now()).count()) / 1000);
  row("heartbeatd_fleet_queue", "gauge", "Records that wait to be accepted.", publisher_.waiting());
  row("heartbeatd_fleet_records_total", "counter", "Records made.", figures.records);
  row("heartbeatd_fleet_resyncs_total", "counter", "Copies of all rows, by what they ended in.",
      figures.begins, "{kind=\"begin\"}");
  row("heartbeatd_fleet_resyncs_total", "counter", "", figures.gaps, "{kind=\"gap\"}");
  row("heartbeatd_fleet_superseded_total", "counter", "Connections that were superseded from other nodes.",
      figures.superseded);
  row("heartbeatd_fleet_fights", "gauge", "Ids that programs at this node and another take from each other.",
      fights_.lasting().size());
  row("heartbeatd_fleet_connections_total", "counter", "Connections to the engine that were begun.",
      connections_);
  const std::string beside = config_.metrics + ".new";
  {
    std::ofstream file{beside, std::ios::trunc};
    file << text;
    if (!file.flush())
      return spdlog::warn("metrics file={} reason={}", log_value(beside), std::strerror(errno));
  }
  if (std::rename(beside.c_str(), config_.metrics.c_str()) != 0) {
    spdlog::warn("metrics file={} reason={}", log_value(config_.metrics), std::strerror(errno));
  }
}

}  // namespace heartbeat::relay
