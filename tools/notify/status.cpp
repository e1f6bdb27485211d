#include "tools/notify/status.h"

#include <array>
#include <cstdio>

#include "common/json_writer.h"

namespace heartbeat::notify {
namespace {

struct Metric {
  const char* name;
  const char* type;
  const char* help;
  double (*value)(const HookStatus& hook);
};

constexpr std::array kMetrics{
    Metric{"heartbeat_notify_hook_lag_events", "gauge", "Events in the journal behind the hook's place.",
           [](const HookStatus& hook) { return static_cast<double>(hook.lag_events); }},
    Metric{"heartbeat_notify_hook_lag_seconds", "gauge",
           "Age of the oldest event that waits for its delivery; 0 where none does.",
           [](const HookStatus& hook) { return static_cast<double>(hook.lag.count()) / 1000; }},
    Metric{"heartbeat_notify_hook_up", "gauge", "1 while the last attempt succeeded and the hook is not off.",
           [](const HookStatus& hook) { return hook.state == HookStatus::State::Well ? 1.0 : 0.0; }},
    Metric{"heartbeat_notify_hook_deliveries_total", "counter", "Batches that were delivered.",
           [](const HookStatus& hook) { return static_cast<double>(hook.delivered); }},
    Metric{"heartbeat_notify_hook_failures_total", "counter", "Attempts that failed.",
           [](const HookStatus& hook) { return static_cast<double>(hook.failures); }},
    Metric{"heartbeat_notify_hook_lost_events_total", "counter", "Events that were given up.",
           [](const HookStatus& hook) { return static_cast<double>(hook.lost); }}};

}  // namespace

std::string_view to_string(HookStatus::State state) {
  switch (state) {
    case HookStatus::State::Well: return "well";
    case HookStatus::State::Failing: return "failing";
    case HookStatus::State::Off: return "off";
  }
  return "";
}

std::string status_json(const std::vector<HookStatus>& hooks, WallTime now) {
  std::string object;
  JsonWriter json{object};
  json.begin_object();
  json.add("type", "hooks");
  json.add("at", format_instant(now));
  json.begin_array("hooks");
  for (const HookStatus& hook : hooks) {
    json.begin_object();
    json.add("name", hook.name);
    json.add("kind", hook.kind);
    json.add("state", to_string(hook.state));
    json.add("lag_events", hook.lag_events);
    json.add("lag_ms", hook.lag.count());
    if (!hook.last_answer.empty()) {
      json.add("last_answer", hook.last_answer);
      json.add("last_at", format_instant(hook.last_at));
    }
    json.add("delivered", hook.delivered);
    json.add("failures", hook.failures);
    json.add("lost", hook.lost);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return object;
}

std::string metrics_text(const std::vector<HookStatus>& hooks) {
  std::string text;
  for (const Metric& metric : kMetrics) {
    text.append("# HELP ").append(metric.name).append(" ").append(metric.help).append("\n");
    text.append("# TYPE ").append(metric.name).append(" ").append(metric.type).append("\n");
    for (const HookStatus& hook : hooks) {
      std::array<char, 32> value{};
      std::snprintf(value.data(), value.size(), "%.15g", metric.value(hook));
      // A hook's name needs no escape: it is of a-z, 0-9, - and _.
      text.append(metric.name).append("{hook=\"").append(hook.name).append("\"} ");
      text.append(value.data()).append("\n");
    }
  }
  return text;
}

}  // namespace heartbeat::notify
