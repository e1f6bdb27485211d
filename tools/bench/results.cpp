#include "tools/bench/results.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "tools/bench/server_kind.h"

namespace heartbeat::bench {
namespace {

using Target = Metric::Target;

constexpr std::array kMetrics{
    Metric{"rate", "CPU per heartbeat, 50 000/s over 10 000 clients", "ns", 0, Target::RatioAtMost, 1.15},
    Metric{"rate_sum", "the same, with the sender's writes", "ns", 0, Target::RatioAtMost, 1.05},
    Metric{"batch", "CPU per heartbeat, 16 in a write", "ns", 0, Target::RatioAtMost, 1.5},
    Metric{"slow", "CPU per heartbeat, 1500/s over 15 000 clients", "ns", 0, Target::RatioAtMost, 1.15},
    Metric{"slow_sum", "the same, with the sender's writes", "ns", 0, Target::RatioAtMost, 1.05},
    Metric{"churn_cpu", "connect, beat, close: CPU", "µs", 2, Target::RatioAtMost, 1.15},
    Metric{"churn_rate", "connect, beat, close: rate", "/s", 0, Target::RatioAtLeast, 0.95},
    Metric{"accept", "accept alone: CPU", "µs", 2, Target::RatioAtMost, 1.2},
    Metric{"memory_rss", "memory of an idle client (RSS)", "B", 0, Target::AtMost, 420},
    Metric{"memory_pss", "memory of an idle client (PSS)", "B", 0, Target::None, 0},
    Metric{"memory_before", "RSS before a burst of clients", "KiB", 0, Target::None, 0},
    Metric{"memory_held", "RSS with the burst", "KiB", 0, Target::None, 0},
    Metric{"memory_after", "RSS after the burst went away", "KiB", 0, Target::None, 0},
    Metric{"memory_back", "RSS after the burst to before it", "×", 3, Target::AtMost, 1.1},
    Metric{"idle", "CPU with all clients idle", "ms/s", 2, Target::AtMost, 1},
    Metric{"lateness", "verdicts' lateness, p99", "ms", 0, Target::None, 0},
    Metric{"lateness_max", "verdicts' lateness, worst", "ms", 0, Target::None, 0},
    Metric{"lateness_listing", "verdicts' lateness while all clients are listed, p99", "ms", 0, Target::None,
           0},
    Metric{"lateness_listing_max", "verdicts' lateness while all clients are listed, worst", "ms", 0,
           Target::None, 0},
};

std::string format(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

std::string format(const Spread& spread, int digits) {
  std::string text = format(spread.median, digits);
  if (spread.count > 1) text += " (" + format(spread.least, digits) + "–" + format(spread.most, digits) + ")";
  return text;
}

std::string wanted(const Metric& metric) {
  const int digits = metric.bound == static_cast<int>(metric.bound) ? 0 : 2;
  const std::string bound = format(metric.bound, digits);
  switch (metric.target) {
    case Target::None: break;
    case Target::RatioAtMost: return "≤ " + bound + "×";
    case Target::RatioAtLeast: return "≥ " + bound + "×";
    case Target::AtMost: return "≤ " + bound;
    case Target::AtLeast: return "≥ " + bound;
  }
  return {};
}

bool has_ratio(const Metric& metric) {
  return !metric.key.starts_with("memory") && metric.key != "idle";
}

// What one server came to, and how that relates to the reference, where that says something.
std::string cell(const Metric& metric, const std::string& server, const Results& results) {
  const auto spread = results.of(metric.key, server);
  if (!spread) return {};
  const auto ratio = results.ratio_to_reference(metric.key, server);
  const bool shown = ratio && has_ratio(metric) && server != to_string(kReference);
  return format(*spread, metric.digits) + (shown ? ": " + format(ratio->median, 2) + "×" : "");
}

// The servers that are always there, and peers behind them.
std::vector<std::string> columns(const Results& results) {
  std::vector<std::string> servers;
  for (std::size_t kind = 0; kind < kServerCount; ++kind) {
    servers.emplace_back(to_string(static_cast<ServerKind>(kind)));
  }
  for (const Sample& sample : results.samples()) {
    const bool is_known = std::find(servers.begin(), servers.end(), sample.server) != servers.end();
    if (metric_called(sample.metric) != nullptr && !is_known) servers.push_back(sample.server);
  }
  return servers;
}

void append_metrics(std::string& out, const Results& results) {
  const std::vector<std::string> servers = columns(results);
  out.append("| median (least–most): to ").append(to_string(kReference)).append(" |");
  for (const std::string& server : servers) out += ' ' + server + " |";
  out += " wanted |\n|---|";
  for (std::size_t column = 0; column <= servers.size(); ++column) out += "---|";
  out += '\n';
  for (const Metric& metric : kMetrics) {
    if (results.servers_of(metric.key).empty()) continue;
    out.append("| ").append(metric.title).append(", ").append(metric.unit).append(" |");
    for (const std::string& server : servers) out += ' ' + cell(metric, server, results) + " |";
    out += ' ' + wanted(metric) + " |\n";
  }
}

// A curve's samples are called CURVE/POINT.
std::string curve_of(std::string_view metric) {
  return std::string{metric.substr(0, metric.find('/'))};
}

void append_curves(std::string& out, const Results& results) {
  std::string curve;
  for (const std::string& metric : results.metrics()) {
    if (metric.find('/') == std::string::npos) continue;
    if (curve_of(metric) != curve) {
      curve = curve_of(metric);
      out += "\n| " + curve + " |";
      for (const std::string& server : results.servers_of(metric)) out += ' ' + server + " |";
      out += "\n|---|";
      for (std::size_t server = 0; server < results.servers_of(metric).size(); ++server) out += "---|";
      out += '\n';
    }
    out += "| " + metric.substr(curve.size() + 1) + " |";
    for (const std::string& server : results.servers_of(metric)) {
      out += ' ' + format(*results.of(metric, server), 1) + " |";
    }
    out += '\n';
  }
}

}  // namespace

Spread spread_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back(), values.size()};
}

std::optional<Spread> Results::of(std::string_view metric, std::string_view server) const {
  std::vector<double> values;
  for (const Sample& sample : samples_) {
    if (sample.metric == metric && sample.server == server) values.push_back(sample.value);
  }
  if (values.empty()) return {};
  return spread_of(std::move(values));
}

std::optional<Spread> Results::ratio_to_reference(std::string_view metric, std::string_view server) const {
  std::vector<double> ratios;
  for (const Sample& reference : samples_) {
    if (reference.metric != metric || reference.server != to_string(kReference) || reference.value == 0)
      continue;
    for (const Sample& sample : samples_) {
      const bool is_pair =
          sample.metric == metric && sample.server == server && sample.round == reference.round;
      if (is_pair) ratios.push_back(sample.value / reference.value);
    }
  }
  if (ratios.empty()) return {};
  return spread_of(std::move(ratios));
}

std::vector<std::string> Results::metrics() const {
  std::vector<std::string> found;
  for (const Sample& sample : samples_) {
    if (std::find(found.begin(), found.end(), sample.metric) == found.end()) found.push_back(sample.metric);
  }
  // The points of a curve together, in the order of their first ones.
  std::stable_sort(found.begin(), found.end(), [](const std::string& a, const std::string& b) {
    return metric_called(a) == nullptr && metric_called(b) == nullptr && curve_of(a) < curve_of(b);
  });
  return found;
}

std::vector<std::string> Results::servers_of(std::string_view metric) const {
  std::vector<std::string> found;
  for (const Sample& sample : samples_) {
    if (sample.metric != metric) continue;
    if (std::find(found.begin(), found.end(), sample.server) == found.end()) found.push_back(sample.server);
  }
  return found;
}

const Metric* metric_called(std::string_view key) {
  const auto* const found =
      std::find_if(kMetrics.begin(), kMetrics.end(), [&](const Metric& metric) { return metric.key == key; });
  return found == kMetrics.end() ? nullptr : &*found;
}

std::string as_markdown(const Setup& setup, const Results& results) {
  const Machine& machine = setup.machine;
  std::string out = machine.processor + ", " + std::to_string(machine.cores) + " cores; " + machine.kernel +
                    "; " + machine.system + "; libuv " + machine.libuv + "; " + machine.compiler + ", " +
                    machine.build + "; heartbeatd " + setup.version + "\n\n";
  const auto measured = results.metrics();
  const auto is_in_table = [](const std::string& metric) { return metric_called(metric) != nullptr; };
  if (std::any_of(measured.begin(), measured.end(), is_in_table)) append_metrics(out, results);
  append_curves(out, results);
  if (!results.notes().empty()) out += '\n';
  for (const std::string& note : results.notes()) out += "- " + note + '\n';
  return out;
}

}  // namespace heartbeat::bench
