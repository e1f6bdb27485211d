#include "daemon/report/figures.h"

#include <array>

namespace heartbeat {
namespace {

using Kind = Figure::Kind;

constexpr std::string_view kNowhere{};  // `status` or /metrics does not show it

// A counter that the core gains does not compile here until it is named, as a reminder of its row below.  The
// three arrays are not rows: `status` and /metrics walk their enumerations.
[[maybe_unused]] void name_every_counter(const Counters& counters) {
  [[maybe_unused]] const auto& [connected, refused, refusals, heartbeats, joins, strikes, leaves, returns,
                                takeovers, probes, limited, stalls, stalled, worst_stall, suspensions,
                                suspended, closes, bad_input] = counters;
}

// The table's getters: a member of the core's counters; anything else of the figures.
template <auto Member>
FigureValue counter(const Figures& figures) {
  return FigureValue{figures.monitor.counters().*Member};
}
// std::size_t and std::uint64_t are two types on some systems.
FigureValue number(std::uint64_t value) {
  return value;
}
HttpFigures http_of(const Figures& figures) {
  return figures.http.value_or(HttpFigures{});
}

constexpr std::array kFigures{
    Figure{.group = "clients",
           .member = "alive",
           .metric = "heartbeatd_clients",
           .kind = Kind::Gauge,
           .help = "Connected clients by status.",
           .label_name = "status",
           .label_value = "alive",
           .value = [](const Figures& f) { return number(f.monitor.status_counts().alive); }},
    Figure{.group = "clients",
           .member = "leave",
           .metric = "heartbeatd_clients",
           .kind = Kind::Gauge,
           .help = "",
           .label_name = "status",
           .label_value = "leave",
           .value = [](const Figures& f) { return number(f.monitor.status_counts().leave); }},
    Figure{.group = "clients",
           .member = "max",
           .metric = "heartbeatd_clients_limit",
           .kind = Kind::Gauge,
           .help = "Clients that may be connected at once.",
           .value = [](const Figures& f) { return number(f.monitor.settings().clients_max); }},
    Figure{.group = "",
           .member = "remembered",
           .metric = "heartbeatd_remembered_clients",
           .kind = Kind::Gauge,
           .help = "Closed clients that can still be explained.",
           .value = [](const Figures& f) { return number(f.monitor.closed_clients().size()); }},
    Figure{.group = "totals",
           .member = "connected",
           .metric = "heartbeatd_connections_total",
           .kind = Kind::Counter,
           .help = "Connections that were accepted.",
           .value = counter<&Counters::connected>},
    // /metrics shows the same by cause.
    Figure{.group = "totals",
           .member = "refused",
           .metric = kNowhere,
           .kind = Kind::Counter,
           .help = "",
           .value = counter<&Counters::refused>},
    Figure{.group = "totals",
           .member = "joins",
           .metric = "heartbeatd_joins_total",
           .kind = Kind::Counter,
           .help = "Clients heard for the first time on a connection.",
           .value = counter<&Counters::joins>},
    Figure{.group = "totals",
           .member = "strikes",
           .metric = "heartbeatd_strikes_total",
           .kind = Kind::Counter,
           .help = "Times that a client was silent for a threshold of ticks.",
           .value = counter<&Counters::strikes>},
    // /metrics shows leaves and returns as heartbeatd_transitions_total.
    Figure{.group = "totals",
           .member = "leaves",
           .metric = kNowhere,
           .kind = Kind::Counter,
           .help = "",
           .value = counter<&Counters::leaves>},
    Figure{.group = "totals",
           .member = "returns",
           .metric = kNowhere,
           .kind = Kind::Counter,
           .help = "",
           .value = counter<&Counters::returns>},
    Figure{.group = "totals",
           .member = "takeovers",
           .metric = "heartbeatd_takeovers_total",
           .kind = Kind::Counter,
           .help = "Connections that took over another one's id.",
           .value = counter<&Counters::takeovers>},
    Figure{.group = "totals",
           .member = "probes",
           .metric = "heartbeatd_probes_total",
           .kind = Kind::Counter,
           .help = "Connections that ended without having brought a byte.",
           .value = counter<&Counters::probes>},
    Figure{.group = "totals",
           .member = "limited",
           .metric = "heartbeatd_limited_total",
           .kind = Kind::Counter,
           .help = "Connections that beat faster than max_rate and are read slower since.",
           .value = counter<&Counters::limited>},
    Figure{.group = "heartbeats",
           .member = "total",
           .metric = "heartbeatd_heartbeats_total",
           .kind = Kind::Counter,
           .help = "Heartbeats heard.",
           .value = counter<&Counters::heartbeats>},

    Figure{.group = "accepting",
           .member = "paused",
           .metric = "heartbeatd_accept_paused",
           .kind = Kind::Gauge,
           .help = "1 while connections wait to be accepted.",
           .value = [](const Figures& f) { return FigureValue{f.accepting.paused}; }},
    Figure{.group = "accepting",
           .member = "pauses",
           .metric = "heartbeatd_accept_pauses_total",
           .kind = Kind::Counter,
           .help = "Times that listening paused: for accept_rate, or because no connection could be accepted.",
           .value = [](const Figures& f) { return FigureValue{f.accepting.pauses}; }},
    Figure{.group = "accepting",
           .member = "paused_ms",
           .metric = "heartbeatd_accept_pause_seconds_total",
           .kind = Kind::Counter,
           .help = "Time that connections waited to be accepted, in pauses that are over.",
           .value = [](const Figures& f) { return FigureValue{f.accepting.length}; }},
    // A setting: `status` shows it beside what it causes.
    Figure{.group = "accepting",
           .member = "rate",
           .metric = kNowhere,
           .kind = Kind::Gauge,
           .help = "",
           .value = [](const Figures& f) { return number(f.accepting.rate); }},

    Figure{.group = "stalls",
           .member = "count",
           .metric = "heartbeatd_stalls_total",
           .kind = Kind::Counter,
           .help = "Times that the daemon itself was not listening.",
           .value = counter<&Counters::stalls>},
    Figure{.group = "stalls",
           .member = "total_ms",
           .metric = "heartbeatd_stall_seconds_total",
           .kind = Kind::Counter,
           .help = "Time that the daemon itself was not listening, which no client is charged for.",
           .value = counter<&Counters::stalled>},
    Figure{.group = "stalls",
           .member = "worst_ms",
           .metric = "heartbeatd_stall_worst_seconds",
           .kind = Kind::Gauge,
           .help = "The longest time that the daemon itself was not listening.",
           .value = counter<&Counters::worst_stall>},
    Figure{.group = "suspensions",
           .member = "count",
           .metric = "heartbeatd_suspends_total",
           .kind = Kind::Counter,
           .help = "Times that the whole machine was suspended.",
           .value = counter<&Counters::suspensions>},
    Figure{.group = "suspensions",
           .member = "total_ms",
           .metric = "heartbeatd_suspend_seconds_total",
           .kind = Kind::Counter,
           .help = "Time that the whole machine was suspended.",
           .value = counter<&Counters::suspended>},
    // `status` says it in a word, `holding`.
    Figure{.group = "brake",
           .member = kNowhere,
           .metric = "heartbeatd_brake_holding",
           .kind = Kind::Gauge,
           .help = "1 while closing for silence pauses (the brake on mass closing).",
           .value = [](const Figures& f) { return FigureValue{f.monitor.brake().holds()}; }},
    Figure{.group = "brake",
           .member = "count",
           .metric = "heartbeatd_brakes_total",
           .kind = Kind::Counter,
           .help = "Times that the brake on mass closing took hold.",
           .value = [](const Figures& f) { return number(f.monitor.brake().times_held()); }},

    // The pauses that let the loop find many heartbeats at once; /metrics shows what they cost as lateness.
    Figure{.group = "pauses",
           .member = "longest_ms",
           .metric = kNowhere,
           .kind = Kind::Gauge,
           .help = "",
           .value = [](const Figures& f) { return FigureValue{f.pauses.longest}; }},
    Figure{.group = "pauses",
           .member = "count",
           .metric = kNowhere,
           .kind = Kind::Counter,
           .help = "",
           .value = [](const Figures& f) { return FigureValue{f.pauses.count}; }},
    Figure{.group = "pauses",
           .member = "total_ms",
           .metric = kNowhere,
           .kind = Kind::Counter,
           .help = "",
           .value = [](const Figures& f) { return FigureValue{f.pauses.length}; }},

    Figure{.group = "http",
           .member = "connections",
           .metric = "heartbeatd_http_connections",
           .kind = Kind::Gauge,
           .help = "HTTP connections that are open.",
           .value = [](const Figures& f) { return number(http_of(f).connections); }},
    Figure{.group = "http",
           .member = "followers",
           .metric = "heartbeatd_http_followers",
           .kind = Kind::Gauge,
           .help = "Followers of /api/events.",
           .value = [](const Figures& f) { return number(http_of(f).followers); }},
    Figure{.group = "http",
           .member = "refused",
           .metric = "heartbeatd_http_refused_total",
           .kind = Kind::Counter,
           .help = "HTTP connections turned away at the bound.",
           .value = [](const Figures& f) { return FigureValue{http_of(f).refused}; }},
    Figure{.group = "http",
           .member = "displaced",
           .metric = "heartbeatd_http_displaced_total",
           .kind = Kind::Counter,
           .help = "HTTP connections that asked for nothing and were closed for a new one at the bound.",
           .value = [](const Figures& f) { return FigureValue{http_of(f).displaced}; }},
    Figure{.group = "http",
           .member = "timed_out",
           .metric = "heartbeatd_http_timeouts_total",
           .kind = Kind::Counter,
           .help = "HTTP connections that took too long to ask or to read.",
           .value = [](const Figures& f) { return FigureValue{http_of(f).timed_out}; }},

    // Prometheus' own names for what every process has.
    Figure{.group = "",
           .member = kNowhere,
           .metric = "process_cpu_seconds_total",
           .kind = Kind::Counter,
           .help = "Processor time, user and system.",
           .value = [](const Figures& f) { return FigureValue{f.usage.processor_seconds}; }},
    Figure{.group = "",
           .member = "memory_bytes",
           .metric = "process_resident_memory_bytes",
           .kind = Kind::Gauge,
           .help = "Resident memory.",
           .value = [](const Figures& f) { return FigureValue{f.usage.memory_bytes}; }},
    Figure{.group = "descriptors",
           .member = "used",
           .metric = "process_open_fds",
           .kind = Kind::Gauge,
           .help = "Descriptors that are open.",
           .value = [](const Figures& f) { return number(f.usage.descriptors_used); }},
    Figure{.group = "descriptors",
           .member = "limit",
           .metric = "process_max_fds",
           .kind = Kind::Gauge,
           .help = "Descriptors that may be open.",
           .value = [](const Figures& f) { return number(f.usage.descriptors_limit); }},
    // `status` has the instant as text.
    Figure{.group = "",
           .member = kNowhere,
           .metric = "process_start_time_seconds",
           .kind = Kind::Gauge,
           .help = "Start of the process, since 1970.",
           .value =
               [](const Figures& f) {
                 return FigureValue{std::chrono::floor<Millis>(f.boot.started.time_since_epoch())};
               }},
};

// Bucket ends: ends of the histogram's own, finer buckets, so that each counts exactly.  Those of gaps lie
// just above the intervals that people choose.  All are short in the text, too (8.191 would be written as
// 8.191000000000001).
constexpr std::array<std::int64_t, 13> kLatenessEnds{0,   1,   3,   7,    15,   31,   63,
                                                     127, 255, 511, 1023, 2047, 65535};
constexpr std::array<std::int64_t, 14> kGapEnds{63,    127,   255,   511,   1023,   2047,   5119,
                                                10239, 20479, 30719, 61439, 122879, 311295, 1048575};

constexpr std::array kLatenessFigures{
    LatenessFigure{.member = "loop_lateness_ms",
                   .metric = "heartbeatd_loop_lateness_seconds",
                   .help = "How late the event loop came to something that was due.",
                   .bucket_ends = kLatenessEnds,
                   .value = [](const Figures& f) -> const Histogram& { return f.loop_lateness; }},
    LatenessFigure{.member = "verdict_lateness_ms",
                   .metric = "heartbeatd_verdict_lateness_seconds",
                   .help = "How long after its instant a verdict was given.",
                   .bucket_ends = kLatenessEnds,
                   .value = [](const Figures& f) -> const Histogram& { return f.monitor.verdict_lateness(); }},
    LatenessFigure{.member = kNowhere,
                   .metric = "heartbeatd_heartbeat_gap_seconds",
                   .help = "Time between two heartbeats of one connection.",
                   .bucket_ends = kGapEnds,
                   .value = [](const Figures& f) -> const Histogram& { return f.monitor.heartbeat_gaps(); }},
};

}  // namespace

std::span<const Figure> all_figures() {
  return kFigures;
}

std::span<const LatenessFigure> all_lateness_figures() {
  return kLatenessFigures;
}

}  // namespace heartbeat
