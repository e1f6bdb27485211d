// What was measured: samples by metric, server and round; and what they come to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/bench/machine.h"

namespace heartbeat::bench {

// A figure of the table.
struct Metric {
  enum class Target : std::uint8_t { None, RatioAtMost, RatioAtLeast, AtMost, AtLeast };

  std::string_view key;
  std::string_view title;
  std::string_view unit;
  int digits = 0;  // behind the point
  Target target = Target::None;
  double bound = 0;  // of the daemon's figure, or of its ratio to the reference's in the same round
};

struct Sample {
  std::string metric;  // a Metric's key, or that of a curve: `by_rate/1500`
  std::string server;
  unsigned round;
  double value;
};

struct Spread {
  double median;
  double least;
  double most;
  std::size_t count;
};

// Of values that are not empty; of an even number of them the median is the mean of the middle two.
[[nodiscard]] Spread spread_of(std::vector<double> values);

class Results {
 public:
  void add(std::string metric, std::string_view server, unsigned round, double value) {
    samples_.push_back({std::move(metric), std::string{server}, round, value});
  }
  // A line that belongs beside the figures: what was lowered, and what was noticed.
  void note(std::string line) { notes_.push_back(std::move(line)); }

  [[nodiscard]] const std::vector<Sample>& samples() const { return samples_; }
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

  // Over the rounds; nothing where there is no sample.
  [[nodiscard]] std::optional<Spread> of(std::string_view metric, std::string_view server) const;
  // Of the ratios to the reference (server_kind.h), each within its own round.
  [[nodiscard]] std::optional<Spread> ratio_to_reference(std::string_view metric,
                                                         std::string_view server) const;

  // Those with a sample, in the order of their first one.
  [[nodiscard]] std::vector<std::string> metrics() const;
  [[nodiscard]] std::vector<std::string> servers_of(std::string_view metric) const;

 private:
  std::vector<Sample> samples_;
  std::vector<std::string> notes_;
};

// What was measured with.
struct Setup {
  Machine machine;
  std::string version;
  unsigned rounds = 0;
  double seconds = 0;
};

// The metric of that key; null for one of a curve.
[[nodiscard]] const Metric* metric_called(std::string_view key);

[[nodiscard]] std::string as_markdown(const Setup& setup, const Results& results);
[[nodiscard]] std::string as_json(const Setup& setup, const Results& results);

}  // namespace heartbeat::bench
