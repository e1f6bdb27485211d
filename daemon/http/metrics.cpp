#include "daemon/http/metrics.h"

#include <array>
#include <chrono>
#include <initializer_list>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "common/bad_input.h"
#include "daemon/core/reason.h"

namespace heartbeat::http {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

double in_seconds(Millis length) {
  return std::chrono::duration<double>(length).count();
}

// The ends of a histogram's buckets: ends of our own, finer ones, so that each counts exactly; those of gaps
// just above the intervals that people choose.  (All are short in the text, too: 8.191 would be told as
// 8.191000000000001.)
constexpr std::array<std::int64_t, 13> kLatenessEnds{0,   1,   3,   7,    15,   31,   63,
                                                     127, 255, 511, 1023, 2047, 65535};
constexpr std::array<std::int64_t, 14> kGapEnds{63,    127,   255,   511,   1023,   2047,   5119,
                                                10239, 20479, 30719, 61439, 122879, 311295, 1048575};

class Families {
 public:
  void begin(std::string_view name, MetricType type, std::string_view help) {
    MetricFamily& family = all_.emplace_back();
    family.name = name;
    family.help = help;
    family.type = type;
  }

  template <class Number>
  void counter(std::string_view name, std::string_view help, Number value) {
    begin(name, MetricType::Counter, help);
    count({}, value);
  }
  template <class Number>
  void gauge(std::string_view name, std::string_view help, Number value) {
    begin(name, MetricType::Gauge, help);
    measure({}, value);
  }

  // Of the family begun last.
  template <class Number>
  void count(Labels labels, Number value) {
    add(labels).counter.value = static_cast<double>(value);
  }
  template <class Number>
  void measure(Labels labels, Number value) {
    add(labels).gauge.value = static_cast<double>(value);
  }

  template <std::size_t Size>
  void histogram(std::string_view name, std::string_view help, const Histogram& of,
                 const std::array<std::int64_t, Size>& ends) {
    begin(name, MetricType::Histogram, help);
    ClientMetric::Histogram& told = add({}).histogram;
    for (const std::int64_t end : ends) {
      told.bucket.push_back({of.count_up_to(Millis{end}), in_seconds(Millis{end})});
    }
    told.sample_count = of.count();
    told.sample_sum = in_seconds(of.sum());
  }

  void histogram(std::string_view name, std::string_view help, const MarginHistogram& of) {
    begin(name, MetricType::Histogram, help);
    ClientMetric::Histogram& told = add({}).histogram;
    constexpr std::size_t kAll = MarginHistogram::kTenths;
    for (std::size_t tenths = 0; tenths <= kAll; ++tenths) {
      told.bucket.push_back({of.count_up_to(tenths), static_cast<double>(tenths) / kAll});
    }
    told.sample_count = of.count_up_to(kAll);
    told.sample_sum = of.sum();
  }

  [[nodiscard]] std::string text() const {
    std::ostringstream out;
    prometheus::TextSerializer{}.Serialize(out, all_);
    return out.str();
  }

 private:
  ClientMetric& add(Labels labels) {
    ClientMetric& metric = all_.back().metric.emplace_back();
    for (const auto& [name, value] : labels) {
      metric.label.push_back({std::string{name}, std::string{value}});
    }
    return metric;
  }

  std::vector<MetricFamily> all_;
};

constexpr std::array kStatuses{Status::Alive, Status::Leave, Status::Close};
constexpr std::array kParties{Party::Client, Party::Daemon, Party::Operator};

// What always stands there, also at 0, so that its first increase is seen as one; whatever else occurred is
// added.
bool is_usual_transition(Status from, Status to, Reason reason) {
  const bool leaves = from == Status::Alive && to == Status::Leave;
  const bool returns = from == Status::Leave && to == Status::Alive;
  const bool expires = from == Status::Leave && to == Status::Close;
  switch (reason) {
    case Reason::Silent: return leaves || expires;
    case Reason::Declared:
    case Reason::Remembered: return leaves;
    case Reason::Steady: return returns;
    case Reason::Away: return expires;
    case Reason::Goodbye:
    case Reason::PeerClosed:
    case Reason::Reset:
    case Reason::Kicked: return to == Status::Close && from != Status::Close;
    default: return false;
  }
}

bool is_usual_close(Reason reason, Party by) {
  switch (reason) {
    case Reason::Goodbye:
    case Reason::PeerClosed:
    case Reason::Reset:
    case Reason::Superseded: return by == Party::Client;
    case Reason::Kicked: return by == Party::Operator;
    case Reason::Silent:
    case Reason::Away:
    case Reason::BadFrame:
    case Reason::BadHeartbeat:
    case Reason::NeverSpoke:
    case Reason::FrameTimeout:
    case Reason::Limit:
    case Reason::Shutdown: return by == Party::Daemon;
    default: return false;
  }
}

void add_clients(Families& families, const Context& context) {
  const Monitor& monitor = context.monitor;
  const StatusCounts clients = monitor.status_counts();
  families.begin("heartbeatd_clients", MetricType::Gauge, "Connected clients by status.");
  families.measure({{"status", "alive"}}, clients.alive);
  families.measure({{"status", "leave"}}, clients.leave);
  families.gauge("heartbeatd_clients_limit", "Clients that may be connected at once.",
                 monitor.settings().clients_max);
  families.gauge("heartbeatd_remembered_clients", "Closed clients that can still be explained.",
                 monitor.closed_clients().size());

  const heartbeat::Counters& counters = monitor.counters();
  families.counter("heartbeatd_connections_total", "Connections that were accepted.", counters.connected);
  families.begin("heartbeatd_refused_total", MetricType::Counter,
                 "Connections that were turned away before they were clients, and why.");
  for (std::size_t cause = 0; cause < kRefusalCount; ++cause) {
    families.count({{"cause", to_string(static_cast<heartbeat::Refusal>(cause))}},
                   counters.refusals.at(cause));
  }
  families.counter("heartbeatd_probes_total", "Connections that ended without having brought a byte.",
                   counters.probes);
  families.counter("heartbeatd_limited_total",
                   "Connections that beat faster than max_rate and are read slower since.", counters.limited);
  families.counter("heartbeatd_joins_total", "Clients heard for the first time on a connection.",
                   counters.joins);
  families.counter("heartbeatd_heartbeats_total", "Heartbeats heard.", counters.heartbeats);
  families.counter("heartbeatd_strikes_total", "Times that a client was silent for a threshold of ticks.",
                   counters.strikes);
  families.counter("heartbeatd_takeovers_total", "Connections that took over another one's id.",
                   counters.takeovers);
}

void add_doors(Families& families, const Doors& doors) {
  families.counter("heartbeatd_accept_pauses_total",
                   "Times that accepting paused because clients connected faster than accept_rate.",
                   doors.gate.pauses);
  families.counter("heartbeatd_accept_pause_seconds_total",
                   "Time that connections waited to be accepted, in pauses that are over.",
                   in_seconds(doors.gate.paused));
  families.begin("heartbeatd_accept_shortages_total", MetricType::Counter,
                 "Times that a connection could not be accepted, for want of a descriptor or of memory.");
  families.count({{"door", "clients"}}, doors.shortages.clients);
  families.count({{"door", "control"}}, doors.shortages.control);
  families.count({{"door", "http"}}, doors.shortages.http);
  families.gauge("heartbeatd_control_sessions", "Sessions on the control socket.", doors.control.sessions);
  families.counter("heartbeatd_control_displaced_total",
                   "Sessions that neither asked nor read and were closed for a new one at the bound.",
                   doors.control.displaced);
  families.counter("heartbeatd_control_refused_total",
                   "Connections to the control socket turned away at the bound.", doors.control.refused);
}

void add_changes(Families& families, const Context& context) {
  families.begin("heartbeatd_transitions_total", MetricType::Counter,
                 "Clients that went from one status to another, and why.");
  for (const Status from : kStatuses) {
    for (const Status to : kStatuses) {
      for (std::size_t at = 0; at < kReasonCount; ++at) {
        const auto reason = static_cast<Reason>(at);
        const std::uint64_t count = context.tally.transitions(from, to, reason);
        if (count == 0 && !is_usual_transition(from, to, reason)) continue;
        families.count({{"from", to_string(from)}, {"to", to_string(to)}, {"reason", to_string(reason)}},
                       count);
      }
    }
  }
  families.begin("heartbeatd_closes_total", MetricType::Counter,
                 "Connections that were closed, why, and who began it.");
  for (std::size_t at = 0; at < kReasonCount; ++at) {
    for (const Party by : kParties) {
      const auto reason = static_cast<Reason>(at);
      const std::uint64_t count = context.tally.closes(reason, by);
      if (count == 0 && !is_usual_close(reason, by)) continue;
      families.count({{"reason", to_string(reason)}, {"by", to_string(by)}}, count);
    }
  }
  families.begin("heartbeatd_bad_input_total", MetricType::Counter,
                 "Connections that were closed for what they sent.");
  for (std::size_t kind = 0; kind < kBadInputCount; ++kind) {
    families.count({{"kind", to_string(static_cast<BadInput>(kind))}},
                   context.monitor.counters().bad_input.at(kind));
  }
}

void add_times(Families& families, const Context& context) {
  const Monitor& monitor = context.monitor;
  families.counter("heartbeatd_stalls_total", "Times that the daemon itself was not listening.",
                   monitor.counters().stalls);
  families.counter("heartbeatd_stall_seconds_total",
                   "Time that the daemon itself was not listening, which no client is charged for.",
                   in_seconds(monitor.counters().stalled));
  families.counter("heartbeatd_suspend_seconds_total", "Time that the whole machine was suspended.",
                   in_seconds(monitor.counters().suspended));
  families.gauge("heartbeatd_brake_holding",
                 "1 while closing for silence pauses (the brake on mass closing).",
                 monitor.brake().holds() ? 1 : 0);
  families.counter("heartbeatd_brakes_total", "Times that the brake on mass closing took hold.",
                   monitor.brake().times_held());
  families.histogram("heartbeatd_verdict_lateness_seconds", "How long after its instant a verdict was given.",
                     monitor.verdict_lateness(), kLatenessEnds);
  families.histogram("heartbeatd_loop_lateness_seconds",
                     "How late the event loop came to something that was due.", context.loop_lateness,
                     kLatenessEnds);
  families.histogram("heartbeatd_heartbeat_gap_seconds", "Time between two heartbeats of one connection.",
                     monitor.heartbeat_gaps(), kGapEnds);
  families.histogram("heartbeatd_margin_ratio",
                     "Margin at each heartbeat, the room until leave: 1 is a clean record, 0 a leave.",
                     monitor.margins());
}

void add_settings(Families& families, const Context& context) {
  const Rule& rule = context.monitor.settings().rule;
  families.gauge("heartbeatd_rule_tick_seconds", "The tick of the rule in force.", in_seconds(rule.tick));
  families.gauge("heartbeatd_rule_threshold_ticks", "Silent ticks that make a strike.", rule.threshold);
  families.gauge("heartbeatd_rule_cursor_strikes", "Strikes that make a leave.", rule.cursor);
  families.gauge("heartbeatd_rule_recover_ticks", "Heard ticks in a row that end a leave.", rule.recover);
  families.gauge("heartbeatd_rule_leave_timeout_seconds", "Time in leave after which a client is closed.",
                 in_seconds(rule.leave_timeout));
  families.begin("heartbeatd_reloads_total", MetricType::Counter, "Reloads of the configuration by result.");
  families.count({{"result", "done"}}, context.reloads.done);
  families.count({{"result", "refused"}}, context.reloads.refused);
  families.gauge("heartbeatd_last_reload_refused",
                 "1 while the last reload was refused, and the configuration before it is in force.",
                 context.reloads.last_refused ? 1 : 0);
}

void add_http(Families& families, const Usage& http) {
  families.gauge("heartbeatd_http_connections", "HTTP connections that are open.", http.connections);
  families.gauge("heartbeatd_http_followers", "Followers of /api/events.", http.followers);
  families.begin("heartbeatd_http_responses_total", MetricType::Counter, "HTTP responses by status.");
  for (const auto& [code, count] : http.counters.responses) {
    families.count({{"code", std::to_string(code)}}, count);
  }
  families.counter("heartbeatd_http_refused_total", "HTTP connections turned away at the bound.",
                   http.counters.refused);
  families.counter("heartbeatd_http_displaced_total",
                   "HTTP connections that asked for nothing and were closed for a new one at the bound.",
                   http.counters.displaced);
  families.counter("heartbeatd_http_timeouts_total", "HTTP connections that took too long to ask or to read.",
                   http.counters.timed_out);
}

void add_process(Families& families, const Context& context) {
  const ProcessUsage usage = context.usage();
  families.counter("process_cpu_seconds_total", "Processor time, user and system.", usage.processor_seconds);
  families.gauge("process_resident_memory_bytes", "Resident memory.", usage.memory_bytes);
  families.gauge("process_open_fds", "Descriptors that are open.", usage.descriptors_used);
  families.gauge("process_max_fds", "Descriptors that may be open.", usage.descriptors_limit);
  families.gauge("process_start_time_seconds", "Start of the process, since 1970.",
                 in_seconds(context.boot.started.time_since_epoch()));
  families.begin("heartbeatd_build_info", MetricType::Gauge, "Which heartbeatd this is; the value is 1.");
  families.measure({{"version", HEARTBEAT_VERSION}}, 1);
}

}  // namespace

std::string metrics_text(const Context& context, const Usage& http) {
  Families families;
  add_clients(families, context);
  add_doors(families, context.doors());
  add_changes(families, context);
  add_times(families, context);
  add_settings(families, context);
  add_http(families, http);
  add_process(families, context);
  return families.text();
}

}  // namespace heartbeat::http
