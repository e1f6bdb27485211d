#include "daemon/http/metrics.h"

#include <array>
#include <chrono>
#include <initializer_list>
#include <sstream>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
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

// A length of time in seconds, anything else as it is.
double as_metric(const FigureValue& value) {
  if (const auto* const length = std::get_if<Millis>(&value)) return in_seconds(*length);
  return std::visit(
      [](const auto& number) {
        if constexpr (std::is_arithmetic_v<std::decay_t<decltype(number)>>)
          return static_cast<double>(number);
        return 0.0;
      },
      value);
}

class Families {
 public:
  void begin(std::string_view name, MetricType type, std::string_view help) {
    MetricFamily& family = all_.emplace_back();
    family.name = name;
    family.help = help;
    family.type = type;
  }

  // Of the family begun last.
  void count(Labels labels, std::uint64_t value) { add(labels).counter.value = static_cast<double>(value); }
  void measure(Labels labels, double value) { add(labels).gauge.value = value; }

  void histogram(const LatenessFigure& figure, const Histogram& of) {
    begin(figure.metric, MetricType::Histogram, figure.help);
    ClientMetric::Histogram& shown = add({}).histogram;
    for (const std::int64_t end : figure.bucket_ends) {
      shown.bucket.push_back({of.count_up_to(Millis{end}), in_seconds(Millis{end})});
    }
    shown.sample_count = of.count();
    shown.sample_sum = in_seconds(of.sum());
  }

  void margins(std::string_view name, std::string_view help, const MarginHistogram& of) {
    begin(name, MetricType::Histogram, help);
    ClientMetric::Histogram& shown = add({}).histogram;
    constexpr std::size_t kAll = MarginHistogram::kTenths;
    for (std::size_t tenths = 0; tenths <= kAll; ++tenths) {
      shown.bucket.push_back({of.count_up_to(tenths), static_cast<double>(tenths) / kAll});
    }
    shown.sample_count = of.count_up_to(kAll);
    shown.sample_sum = of.sum();
  }

  // One row of the table of figures.
  void figure(const Figure& row, const FigureValue& value) {
    const bool counts = row.kind == Figure::Kind::Counter;
    if (all_.empty() || all_.back().name != row.metric) {
      begin(row.metric, counts ? MetricType::Counter : MetricType::Gauge, row.help);
    }
    ClientMetric& metric = add({});
    if (!row.label_name.empty()) {
      metric.label.push_back({std::string{row.label_name}, std::string{row.label_value}});
    }
    (counts ? metric.counter.value : metric.gauge.value) = as_metric(value);
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

// Where there are groups, the connected clients have a series for each of them in the place of one for all.
constexpr std::string_view kClients = "heartbeatd_clients";

void add_clients_of_groups(Families& families, const Monitor& monitor) {
  families.begin(kClients, MetricType::Gauge, "Connected clients by status and group.");
  const auto add = [&](std::string_view group) {
    const StatusCounts counts = monitor.status_counts(group);
    families.measure({{"status", "alive"}, {"group", group}}, static_cast<double>(counts.alive));
    families.measure({{"status", "leave"}, {"group", group}}, static_cast<double>(counts.leave));
  };
  for (const Group& group : monitor.settings().groups.all()) add(group.name);
  add(kDefaultGroup);
}

void add_roster(Families& families, const RosterFigures& roster) {
  families.begin("heartbeatd_roster_clients", MetricType::Gauge,
                 "Clients of the roster: all that are expected, and those of them that are not connected.");
  families.measure({{"state", "expected"}}, static_cast<double>(roster.expected));
  families.measure({{"state", "missing"}}, static_cast<double>(roster.missing));
}

constexpr std::array kStatuses{Status::Alive, Status::Leave, Status::Close};
constexpr std::array kParties{Party::Client, Party::Daemon, Party::Operator};

// A series stands at 0 from the start where it is usual, so that its first increase is seen as one; an
// unusual one is added when it occurs.
void add_changes(Families& families, const Figures& figures) {
  families.begin("heartbeatd_transitions_total", MetricType::Counter,
                 "Clients that went from one status to another, and why.");
  for (const Status from : kStatuses) {
    for (const Status to : kStatuses) {
      for (const ReasonFacts& facts : kReasons) {
        const std::uint64_t count = figures.tally.transitions(from, to, facts.reason);
        if (count == 0 && !contains(facts.usual, transition(from, to))) continue;
        families.count({{"from", to_string(from)}, {"to", to_string(to)}, {"reason", facts.word}}, count);
      }
    }
  }
  families.begin("heartbeatd_closes_total", MetricType::Counter,
                 "Connections that were closed, by reason and by the party that began it.");
  for (const ReasonFacts& facts : kReasons) {
    for (const Party by : kParties) {
      const std::uint64_t count = figures.tally.closes(facts.reason, by);
      if (count == 0 && facts.by != by) continue;
      families.count({{"reason", facts.word}, {"by", to_string(by)}}, count);
    }
  }
  families.begin("heartbeatd_bad_input_total", MetricType::Counter,
                 "Connections that were closed for what they sent.");
  for (std::size_t kind = 0; kind < kBadInputCount; ++kind) {
    families.count({{"kind", to_string(static_cast<BadInput>(kind))}},
                   figures.monitor.counters().bad_input.at(kind));
  }
}

void add_refusals(Families& families, const Counters& counters) {
  families.begin("heartbeatd_refused_total", MetricType::Counter,
                 "Connections that were turned away before they were clients, and why.");
  for (std::size_t cause = 0; cause < kRefusalCount; ++cause) {
    families.count({{"cause", to_string(static_cast<heartbeat::Refusal>(cause))}},
                   counters.refusals.at(cause));
  }
}

void add_responses(Families& families, const HttpFigures& http) {
  families.begin("heartbeatd_http_responses_total", MetricType::Counter, "HTTP responses by status.");
  for (const auto& [code, count] : http.responses) {
    families.count({{"code", std::to_string(code)}}, count);
  }
}

void add_certificates(Families& families, const std::map<std::string, WallTime>& certificates) {
  families.begin(
      "heartbeatd_certificate_expires_timestamp_seconds", MetricType::Gauge,
      "When a file of TLS runs out: a certificate, an authority or a list of revoked certificates.");
  for (const auto& [file, expires] : certificates) {
    families.measure(
        {{"file", file}},
        static_cast<double>(
            std::chrono::duration_cast<std::chrono::seconds>(expires.time_since_epoch()).count()));
  }
}

}  // namespace

std::string metrics_text(const Figures& figures) {
  Families families;
  const bool has_groups = !figures.monitor.settings().groups.all().empty();
  if (has_groups) add_clients_of_groups(families, figures.monitor);
  if (figures.roster) add_roster(families, *figures.roster);
  for (const Figure& figure : all_figures()) {
    if (figure.metric.empty() || (has_groups && figure.metric == kClients)) continue;
    families.figure(figure, figure.value(figures));
  }
  for (const LatenessFigure& figure : all_lateness_figures()) {
    families.histogram(figure, figure.value(figures));
  }
  families.margins("heartbeatd_margin_ratio",
                   "Margin at each heartbeat, the room until leave: 1 is a clean record, 0 a leave.",
                   figures.monitor.margins());
  add_refusals(families, figures.monitor.counters());
  add_changes(families, figures);
  if (!figures.certificates.empty()) add_certificates(families, figures.certificates);
  if (figures.http) add_responses(families, *figures.http);
  families.begin("heartbeatd_build_info", MetricType::Gauge, "Which heartbeatd this is; the value is 1.");
  families.measure({{"version", HEARTBEAT_VERSION}}, 1);
  return families.text();
}

}  // namespace heartbeat::http
