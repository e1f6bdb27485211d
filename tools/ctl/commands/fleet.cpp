// heartbeatctl fleet: what all daemons of a fleet have, as their relays publish it in Redis.
#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <poll.h>
#include <unistd.h>

#include "common/duration.h"
#include "common/glob.h"
#include "common/json_writer.h"
#include "common/limits.h"
#include "common/wall_time.h"
#include "tools/ctl/client_table.h"
#include "tools/ctl/commands/all.h"
#include "tools/ctl/exit_code.h"
#include "tools/ctl/parameters.h"
#include "tools/ctl/quoted.h"
#include "tools/ctl/table.h"
#include "tools/ctl/text_width.h"
#include "tools/ctl/time_text.h"
#include "tools/fleet/fleet_reader.h"

namespace heartbeat::ctl::commands {
namespace {

using fleet::ClientView;
using fleet::FleetReader;
using fleet::NodeState;
using fleet::NodeView;
using fleet::RecordView;

constexpr std::array<std::string_view, 9> kViews{"nodes", "clients", "where",  "why",  "watch",
                                                 "kick",  "drain",   "forget", "check"};
constexpr std::array<std::string_view, 3> kFleetStatuses{"alive", "leave", "unknown"};
constexpr const char* kRelayConfig = "/etc/heartbeatd/relay.toml";
constexpr Millis kSkewWarning{1'000};
constexpr Millis kWatchPause{200};
constexpr unsigned kRoundsPerLook = 10;  // for nodes that are new: every two seconds
constexpr std::uint64_t kWatchSlice = 1000;
constexpr std::uint64_t kStoryRecords = 10'000;  // of each node, the newest

Failure no_engine(const std::string& sentence) {
  return {kDaemonAway, {"Redis: " + shown(sentence)}};
}

std::string ago(std::uint64_t since_ms) {
  return local_time(format_instant(WallTime{Millis{static_cast<std::int64_t>(since_ms)}}));
}

class FleetCommand final : public Command {
 public:
  void declare(Parameters& parameters) override {
    parameters.optional_choice_operand("VIEW", "What to see or do; nodes without one", kViews, view_);
    parameters.optional_operand("NAME", "Of where, why and kick: the client; of drain and forget: the node",
                                name_);
    parameters.text("--node", "NODE", "Of clients and watch: only of this node", node_);
    parameters.choice("--status", "alive|leave|unknown", "Of clients: only those", kFleetStatuses, status_);
    parameters.glob("--match", "Of clients and watch: only such names", match_);
    parameters.text("--since", "NODE=POSITION,...",
                    "Of watch: go on behind these records, as it printed them", since_);
    parameters.count("--rate", "Of drain: clients that are closed in a second [100]", rate_);
    parameters.flag("--stop", "Of drain: end it", stop_);
    parameters.text("--relay-config", "FILE",
                    "Where Redis and the fleet are named [/etc/heartbeatd/relay.toml]", config_file_);
  }

  [[nodiscard]] std::string contradiction(const Options& /*options*/) const override {
    const bool wants_name =
        view_ == "where" || view_ == "why" || view_ == "kick" || view_ == "drain" || view_ == "forget";
    if (wants_name && name_.empty()) return "NAME: fleet " + view_ + " needs one";
    if (!wants_name && !name_.empty()) return in_quotes(name_) + " is not expected behind fleet " + view_;
    if (!status_.empty() && view_ != "clients") return "--status: goes with fleet clients";
    if (!since_.empty() && view_ != "watch") return "--since: goes with fleet watch";
    if (const auto places = parse_places(since_); !places) return "--since: " + places.error();
    if (view_ != "drain" && (rate_ || stop_))
      return std::string{rate_ ? "--rate" : "--stop"} + ": goes with fleet drain";
    if (rate_ && stop_) return "--stop: goes without --rate";
    if (rate_ && *rate_ > limits::kDrainRateMax)
      return "--rate: at most " + std::to_string(limits::kDrainRateMax);
    const bool is_list = view_ == "clients" || view_ == "watch";
    if (!node_.empty() && !is_list) return "--node: goes with fleet clients and fleet watch";
    if (!match_.empty() && !is_list) return "--match: goes with fleet clients and fleet watch";
    return {};
  }

  Outcome run(Session& session, const Output& output) override {
    const auto config = relay::load_config(config_file_);
    if (!config) return tl::unexpected(Failure{kNo, config.error()});
    const auto password = relay::read_password(*config);
    if (!password) return tl::unexpected(Failure{kNo, {password.error()}});
    auto redis = fleet::RedisClient::open(*config, *password, session.timeout());
    if (!redis) return tl::unexpected(no_engine(redis.error()));
    FleetReader reader{std::move(*redis), config->fleet};
    const auto nodes = reader.nodes([](Millis wait) {
      std::fprintf(stderr, "heartbeatctl: a lease is missing; looking again in %s\n",
                   format_duration(wait).c_str());
    });
    if (!nodes) return tl::unexpected(no_engine(nodes.error()));
    if (nodes->empty())
      return tl::unexpected(Failure{kNo, {"the fleet " + config->fleet + " has no node yet"}});
    if (view_ == "clients") return show_clients(reader, *nodes, output);
    if (view_ == "where" || view_ == "why") return show_client(reader, *nodes, output);
    if (view_ == "watch") return watch(reader, output);
    if (view_ == "kick") return kick(reader, *nodes, output);
    if (view_ == "drain") return drain(reader, *nodes, output);
    if (view_ == "forget") return forget(reader, *nodes);
    if (view_ == "check") return check(reader, *nodes, output);
    return show_nodes(*nodes, output);
  }

 private:
  // --- nodes ---
  static Outcome show_nodes(const std::vector<NodeView>& nodes, const Output& output) {
    Table table{{{"NODE", 0, 4},
                 {"STATE", 1},
                 {"ALIVE", 2, 0, Align::Right},
                 {"LEAVE", 4, 0, Align::Right},
                 {"UNKNOWN", 3, 0, Align::Right},
                 {"BEATS/S", 5, 0, Align::Right},
                 {"LATE", 8, 0, Align::Right},
                 {"STALLS", 9, 0, Align::Right},
                 {"SKEW", 7, 0, Align::Right},
                 {"UP", 6, 0, Align::Right},
                 {"VERSION", 10}}};
    bool all_current = true;
    for (const NodeView& node : nodes) {
      all_current = all_current && node.state == NodeState::Current;
      if (output.json())
        print_node(node, output);
      else
        table.add(node_cells(node));
    }
    if (!output.json()) output.print(table.take(output.width()));
    for (const NodeView& node : nodes) show_fights(node, output);
    if (!all_current) return tl::unexpected(Failure{kNo, {}});
    return {};
  }

  static Line node_cells(const NodeView& node) {
    const Object lease = node.summary();
    const bool is_known = node.state != NodeState::Unknown;
    const Tone tone = node.state == NodeState::Current  ? Tone::Good
                      : node.state == NodeState::Behind ? Tone::Warning
                                                        : Tone::Bad;
    const auto of_lease = [&](const char* member) {
      return is_known ? lease.written(member) : std::string{};
    };
    const auto up = lease.millis("uptime_ms");
    const bool is_skewed = std::chrono::abs(node.skew) > kSkewWarning;
    return {{node.name, Tone::Strong},
            {is_known && node.is_draining() ? "draining" : std::string{to_string(node.state)},
             node.is_draining() ? Tone::Warning : tone},
            {is_known ? lease.written("alive") : "0"},
            {is_known ? lease.written("leave") : "0"},
            {std::to_string(node.unknown()), node.unknown() > 0 ? Tone::Bad : Tone::Plain},
            {of_lease("heartbeats_per_second")},
            {is_known ? of_lease("late_ms") + "ms" : std::string{}},
            {of_lease("stalls")},
            {node.lease ? std::to_string(node.skew.count()) + "ms" : std::string{},
             is_skewed ? Tone::Bad : Tone::Plain},
            {up ? span_text(*up) : std::string{}},
            {of_lease("version")}};
  }

  // Both nodes see a fight, and each is shown with its own count.
  static void show_fights(const NodeView& node, const Output& output) {
    for (const Object& fight : node.summary().objects("fights")) {
      if (!output.json()) {
        output.print({{{"fight of " + shown(fight.text("client")) + " between " + node.name + " and " +
                            shown(fight.text("other")) + ": closed at " + node.name + " " +
                            shown(fight.written("count")) + " times since " + local_time(fight.text("since")),
                        Tone::Bad}}});
        continue;
      }
      print_json(output, [&](JsonWriter& json) {
        json.add("type", "fight");
        json.add("client", fight.text("client"));
        json.add("node", node.name);
        json.add("other", fight.text("other"));
        json.add("count", fight.number("count").value_or(0));
        json.add("since", fight.text("since"));
      });
    }
  }

  static void print_node(const NodeView& node, const Output& output) {
    print_json(output, [&](JsonWriter& json) {
      json.add("type", "node");
      json.add("node", node.name);
      json.add("state", fleet::to_string(node.state));
      json.add("rows", node.rows);
      json.add("unknown", node.unknown());
      const Object lease = node.summary();
      if (!node.lease) return;
      json.add("lease_age_ms", node.lease_age);
      json.add("skew_ms", node.skew);
      json.add("draining", node.is_draining());
      for (const char* const count :
           {"alive", "leave", "behind_ms", "stalls", "uptime_ms", "incarnation", "sequence"}) {
        if (const auto number = lease.number(count)) json.add(count, *number);
      }
      json.add("heartbeats_per_second", lease.real("heartbeats_per_second").value_or(0));
      for (const char* const text : {"version", "boot", "page", "brake"}) {
        if (!lease.text(text).empty()) json.add(text, lease.text(text));
      }
    });
  }

  // --- clients ---
  Outcome show_clients(FleetReader& reader, const std::vector<NodeView>& nodes, const Output& output) const {
    const auto glob = Glob::compile(match_.empty() ? "*" : match_);
    if (!glob) return tl::unexpected(Failure{kUsage, {"--match: " + glob.error()}});
    Table table = client_rows();
    std::uint64_t listed = 0;
    bool is_node = node_.empty();
    for (const NodeView& node : nodes) {
      if (!node_.empty() && node.name != node_) continue;
      is_node = true;
      const auto walked = reader.clients(node, [&](const ClientView& client) {
        if (!status_.empty() && client.status != status_) return;
        if (!glob->matches(client.name) && !glob->matches(client.row.peer)) return;
        ++listed;
        show(client, table, output);
      });
      if (!walked) return tl::unexpected(no_engine(walked.error()));
      if (!output.json() && listed > 0) output.print(table.take(output.width()));
    }
    if (!is_node) return tl::unexpected(Failure{kNo, {"the fleet has no node " + shown(node_)}});
    if (listed == 0) return tl::unexpected(Failure{kNo, {"no client matches"}});
    return {};
  }

  static Table client_rows() {
    return Table{{{"NAME", 0, 8}, {"NODE", 1}, {"STATUS", 2}, {"SINCE", 3}, {"PEER", 4, 8}}};
  }

  static void show(const ClientView& client, Table& table, const Output& output) {
    if (!output.json()) {
      return table.add({{client.name, Tone::Strong},
                        {client.node},
                        {client.status, tone_of_status(client.status)},
                        {ago(client.row.since)},
                        {client.row.peer}});
    }
    print_json(output, [&](JsonWriter& json) {
      json.add("type", "client");
      json.add("name", client.name);
      json.add("node", client.node);
      json.add("status", client.status);
      json.add("since", format_instant(WallTime{Millis{static_cast<std::int64_t>(client.row.since)}}));
      json.add("peer", client.row.peer);
    });
  }

  // --- one client ---
  Outcome show_client(FleetReader& reader, const std::vector<NodeView>& nodes, const Output& output) const {
    const auto owner = reader.owner(name_);
    const auto rows = reader.rows_of(name_, nodes);
    if (!owner) return tl::unexpected(no_engine(owner.error()));
    if (!rows) return tl::unexpected(no_engine(rows.error()));
    Table table = client_rows();
    for (const ClientView& client : *rows) show(client, table, output);
    if (!output.json()) {
      if (!rows->empty()) output.print(table.take(output.width()));
      if (*owner) output.print({{{"owner: " + (*owner)->node + ", since " + ago((*owner)->since)}}});
    }
    if (view_ == "why") {
      for (const NodeView& node : nodes) {
        auto records = reader.newest(node.name, kStoryRecords);
        if (!records) return tl::unexpected(no_engine(records.error()));
        std::reverse(records->begin(), records->end());
        for (const RecordView& record : *records) {
          if (record.field("c") == name_ || record.field("b") == name_) print(record, output);
        }
      }
      if (*owner) show_story_place(**owner, nodes, output);
    }
    if (rows->empty()) {
      return tl::unexpected(
          Failure{kNo,
                  {*owner ? "no node has " + shown(name_) + " now; the last was " + (*owner)->node
                          : "no such client: " + shown(name_)}});
    }
    return {};
  }

  // The records are the newest of what Redis keeps; the daemon's own journal has the whole story.
  void show_story_place(const relay::Owner& owner, const std::vector<NodeView>& nodes,
                        const Output& output) const {
    const auto node = std::find_if(nodes.begin(), nodes.end(),
                                   [&](const NodeView& each) { return each.name == owner.node; });
    const std::string page = node == nodes.end() ? std::string{} : std::string{node->summary().text("page")};
    if (output.json()) {
      return print_json(output, [&](JsonWriter& json) {
        json.add("type", "story");
        json.add("node", owner.node);
        if (!page.empty()) json.add("page", page);
      });
    }
    output.print({{{"the whole story is at " + owner.node + (page.empty() ? "" : ", " + page) +
                    ": heartbeatctl why " + shown(name_) + ", and heartbeatctl history " + shown(name_)}}});
  }

  // --- watch ---
  // Where each node's feed goes on: behind the newest record, or where --since says.
  using Places = std::map<std::string, fleet::RecordPlace>;

  static tl::expected<Places, std::string> parse_places(const std::string& text) {
    Places places;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find(',', begin), text.size());
      const std::string each = text.substr(begin, end - begin);
      const std::size_t equals = each.find('=');
      const auto at =
          equals == std::string::npos ? std::nullopt : relay::parse_position(each.substr(equals + 1));
      if (!at || !relay::is_fleet_name(each.substr(0, equals)))
        return tl::unexpected(in_quotes(each) + " is not NODE=INCARNATION-SEQUENCE");
      places.insert_or_assign(each.substr(0, equals), fleet::RecordPlace{*at});
      begin = end + 1;
    }
    return places;
  }

  // A node that appears while it is watched is followed from its first record.
  Outcome find_nodes(FleetReader& reader, Places& places, bool is_start) const {
    const auto names = reader.names();
    if (!names) return tl::unexpected(no_engine(names.error()));
    for (const std::string& name : *names) {
      if (places.contains(name) || (!node_.empty() && name != node_)) continue;
      relay::Position at{};
      if (is_start) {
        const auto newest = reader.newest(name, 1);
        if (!newest) return tl::unexpected(no_engine(newest.error()));
        if (!newest->empty()) at = newest->front().at;
      }
      places.emplace(name, fleet::RecordPlace{at});
    }
    return {};
  }

  // One feed for each node, each in its order; where a number is missing without a gap that names it, a line
  // says so.
  Outcome watch(FleetReader& reader, const Output& output) const {
    const auto glob = Glob::compile(match_.empty() ? "*" : match_);
    if (!glob) return tl::unexpected(Failure{kUsage, {"--match: " + glob.error()}});
    auto places = parse_places(since_).value();
    if (auto found = find_nodes(reader, places, true); !found) return found;
    if (!node_.empty()) std::erase_if(places, [&](const auto& place) { return place.first != node_; });
    if (places.empty()) return tl::unexpected(Failure{kNo, {"the fleet has no node " + shown(node_)}});
    if (!output.json())
      std::fputs("heartbeatctl: following; each record is a line from here on (Ctrl-C ends)\n", stderr);
    for (unsigned round = 1;; ++round) {
      bool has_more = false;
      for (auto& [node, place] : places) {
        const auto records = reader.behind(node, to_string(place.seen()), kWatchSlice);
        if (!records) return tl::unexpected(no_engine(records.error()));
        for (const RecordView& record : *records) {
          const relay::Position before = place.seen();
          if (const std::uint64_t missing = place.next(record); missing > 0)
            print_lost(record, before, missing, output);
          const std::string_view client = record.field("c");
          if (client.empty() || glob->matches(client)) print(record, output);
        }
        has_more = has_more || records->size() == kWatchSlice;
      }
      if (!Output::good()) return tl::unexpected(Failure{kCannotWrite, {}});
      if (has_more) continue;
      ::poll(nullptr, 0, static_cast<int>(kWatchPause.count()));
      if (round % kRoundsPerLook == 0) {
        if (auto found = find_nodes(reader, places, false); !found) return found;
      }
    }
  }

  static void print_lost(const RecordView& record, const relay::Position& before, std::uint64_t missing,
                         const Output& output) {
    if (!output.json()) {
      output.print({{{"-- " + record.node + ": lost " + std::to_string(missing) + " records or more behind " +
                          to_string(before) + " --",
                      Tone::Bad}}});
      return;
    }
    print_json(output, [&](JsonWriter& json) {
      json.add("type", "lost");
      json.add("node", record.node);
      json.add("behind", to_string(before));
      json.add("before", to_string(record.at));
      json.add("count", missing);
    });
  }

  static void print(const RecordView& record, const Output& output) {
    if (output.json()) {
      return print_json(output, [&](JsonWriter& json) {
        json.add("type", "record");
        json.add("node", record.node);
        json.add("position", to_string(record.at));
        constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kNames{
            {{"e", "event"},
             {"c", "client"},
             {"p", "peer"},
             {"r", "reason"},
             {"t", "at"},
             {"f", "seq"},
             {"b", "previous"},
             {"from", "from"},
             {"missing", "missing"}}};
        for (const auto& [field, name] : kNames) {
          if (!record.field(field).empty()) json.add(name, record.field(field));
        }
      });
    }
    const std::string_view event = record.field("e");
    const Tone tone = event == "leave"                     ? Tone::Warning
                      : event == "close" || event == "gap" ? Tone::Bad
                                                           : Tone::Good;
    Line line{
        {local_time(record.field("t")) + ' ', Tone::Faint}, {record.node + ' '}, {std::string{event}, tone}};
    for (const auto& [label, field] :
         {std::pair{"client", "c"}, std::pair{"peer", "p"}, std::pair{"reason", "r"}}) {
      const std::string_view value = record.field(field);
      if (!value.empty()) line.push_back({std::string{" "} + label + '=' + shown(value)});
    }
    output.print({line});
  }

  // --- orders ---
  Outcome kick(FleetReader& reader, const std::vector<NodeView>& nodes, const Output& output) const {
    const auto rows = reader.rows_of(name_, nodes);
    if (!rows) return tl::unexpected(no_engine(rows.error()));
    std::vector<std::string> ordered;
    for (const ClientView& client : *rows) {
      if (client.status == "unknown") continue;
      const auto done = reader.order_kick(client.node, name_, "operator");
      if (!done) return tl::unexpected(no_engine(done.error()));
      ordered.push_back(client.node);
    }
    if (ordered.empty()) return tl::unexpected(Failure{kNo, {"no node that is current has " + shown(name_)}});
    for (const std::string& node : ordered) {
      if (output.json()) {
        print_json(output, [&](JsonWriter& json) {
          json.add("type", "ordered");
          json.add("client", name_);
          json.add("node", node);
        });
      } else {
        output.print({{{"ordered " + node + " to close " + shown(name_)}}});
      }
    }
    return {};
  }

  // The order is carried out by the node's relay, so one that nobody reads is refused.
  Outcome drain(FleetReader& reader, const std::vector<NodeView>& nodes, const Output& output) const {
    const auto node =
        std::find_if(nodes.begin(), nodes.end(), [&](const NodeView& each) { return each.name == name_; });
    if (node == nodes.end()) return tl::unexpected(Failure{kNo, {"the fleet has no node " + shown(name_)}});
    if (node->state == NodeState::Unknown) {
      return tl::unexpected(Failure{
          kNo, {name_ + " is unknown, so no relay would obey: use heartbeatctl drain on its machine"}});
    }
    const std::uint64_t rate = stop_ ? 0 : rate_.value_or(limits::kDrainRateDefault);
    const auto done = reader.order_drain(name_, rate, "operator");
    if (!done) return tl::unexpected(no_engine(done.error()));
    if (output.json()) {
      print_json(output, [&](JsonWriter& json) {
        json.add("type", "ordered");
        json.add("node", name_);
        json.add("rate", rate);
      });
    } else {
      output.print(
          {{{"ordered " + name_ +
             (stop_ ? " to end its drain" : " to drain " + std::to_string(rate) + " clients a second")}}});
    }
    return {};
  }

  Outcome forget(FleetReader& reader, const std::vector<NodeView>& nodes) const {
    const auto node =
        std::find_if(nodes.begin(), nodes.end(), [&](const NodeView& each) { return each.name == name_; });
    if (node == nodes.end()) return tl::unexpected(Failure{kNo, {"the fleet has no node " + shown(name_)}});
    if (node->state != NodeState::Unknown) {
      return tl::unexpected(
          Failure{kNo, {name_ + " is " + std::string{to_string(node->state)} + ": stop its relay first"}});
    }
    const auto done = reader.forget(*node);
    if (!done) return tl::unexpected(no_engine(done.error()));
    return {};
  }

  static Outcome check(FleetReader& reader, const std::vector<NodeView>& nodes, const Output& output) {
    const auto wrong = fleet::check(reader, nodes);
    if (!wrong) return tl::unexpected(no_engine(wrong.error()));
    if (wrong->empty()) {
      if (!output.json()) output.print({{{"all is well: " + std::to_string(nodes.size()) + " nodes"}}});
      return {};
    }
    return tl::unexpected(Failure{kNo, *wrong});
  }

  template <class Add>
  static void print_json(const Output& output, Add add) {
    std::string body;
    JsonWriter json{body};
    json.begin_object();
    add(json);
    json.end_object();
    if (const auto reply = Reply::parse(body)) output.print(*reply);
  }

  std::string view_ = "nodes";
  std::string name_;
  std::string node_;
  std::string status_;
  std::string match_;
  std::string since_;
  std::optional<std::uint64_t> rate_;
  bool stop_ = false;
  std::string config_file_ = kRelayConfig;
};

}  // namespace

Made make_fleet() {
  return std::make_unique<FleetCommand>();
}

}  // namespace heartbeat::ctl::commands
