#include "common/json_writer.h"
#include "tools/bench/results.h"
#include "tools/bench/server_kind.h"

namespace heartbeat::bench {
namespace {

void add_spread(JsonWriter& json, std::string_view key, const Spread& spread) {
  json.begin_object(key);
  json.add("median", spread.median);
  json.add("least", spread.least);
  json.add("most", spread.most);
  json.add("count", std::uint64_t{spread.count});
  json.end_object();
}

void add_machine(JsonWriter& json, const Machine& machine) {
  json.begin_object("machine");
  json.add("processor", std::string_view{machine.processor});
  json.add("cores", std::int64_t{machine.cores});
  json.add("kernel", std::string_view{machine.kernel});
  json.add("system", std::string_view{machine.system});
  json.add("compiler", std::string_view{machine.compiler});
  json.add("build", std::string_view{machine.build});
  json.add("libuv", std::string_view{machine.libuv});
  json.add("clocksource", std::string_view{machine.clocksource});
  json.end_object();
}

void add_metric(JsonWriter& json, const std::string& metric, const Results& results) {
  json.begin_object(metric);
  if (const Metric* const known = metric_called(metric)) {
    json.add("title", known->title);
    json.add("unit", known->unit);
  }
  json.begin_object("servers");
  for (const std::string& server : results.servers_of(metric)) {
    add_spread(json, server, *results.of(metric, server));
  }
  json.end_object();
  json.begin_object("to_reference");
  for (const std::string& server : results.servers_of(metric)) {
    if (const auto ratio = results.ratio_to_reference(metric, server)) add_spread(json, server, *ratio);
  }
  json.end_object();
  json.end_object();
}

}  // namespace

std::string as_json(const Setup& setup, const Results& results) {
  std::string out;
  JsonWriter json{out};
  json.begin_object();
  json.add("version", std::string_view{setup.version});
  add_machine(json, setup.machine);
  json.add("rounds", std::uint64_t{setup.rounds});
  json.add("seconds", setup.seconds);
  json.add("reference", to_string(kReference));
  json.begin_object("metrics");
  for (const std::string& metric : results.metrics()) add_metric(json, metric, results);
  json.end_object();
  json.begin_array("samples");
  for (const Sample& sample : results.samples()) {
    json.begin_object();
    json.add("metric", std::string_view{sample.metric});
    json.add("server", std::string_view{sample.server});
    json.add("round", std::uint64_t{sample.round});
    json.add("value", sample.value);
    json.end_object();
  }
  json.end_array();
  json.begin_array("notes");
  for (const std::string& note : results.notes()) json.value(std::string_view{note});
  json.end_array();
  json.end_object();
  return out + '\n';
}

}  // namespace heartbeat::bench
