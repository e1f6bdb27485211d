#include "tools/ctl/client_table.h"

#include <cmath>
#include <optional>

#include "tools/ctl/time_text.h"

namespace heartbeat::ctl {
namespace {

// A margin below this is shown as a warning, and below the next as bad.
constexpr double kMarginWarning = 0.67;
constexpr double kMarginBad = 0.34;

Tone tone_of_margin(std::optional<double> margin) {
  if (!margin || *margin >= kMarginWarning) return Tone::Plain;
  return *margin < kMarginBad ? Tone::Bad : Tone::Warning;
}

std::string span_of(const Object& client, const char* member) {
  const auto span = client.millis(member);
  return span ? span_text(*span) : std::string{};
}

std::string second_of(std::string_view instant) {
  const std::string text = local_time(instant);
  return text.substr(0, text.find('.'));
}

}  // namespace

Table client_table(std::string_view sorted_by) {
  const auto title = [&](const char* text, std::string_view sort, const char* mark) {
    return sort == sorted_by ? std::string{text} + mark : std::string{text};
  };
  return Table{{
      {title("NAME", "name", "↑"), 0, kNameLeast},
      {"STATUS", 1},
      {"SILENCE", 2, 0, Align::Right},
      {"STRIKES", 3, 0, Align::Right},
      {title("MARGIN", "margin", "↑"), 4, 0, Align::Right},
      {"LEAST", 7, 0, Align::Right},
      {title("HEARD", "silence", "↓"), 5, 0, Align::Right},
      {"PEER", 6, kAddressLeast},
      {title("CONNECTED", "connected", "↑"), 8},
      {"STEADY", 9, 0, Align::Right},
      {"INTERVAL", 10, 0, Align::Right},
      {"BEATS", 12, 0, Align::Right},
      {"CLAIMS", 11, kAddressLeast},
      {"PID", 13, 0, Align::Right},
  }};
}

Line client_cells(const Object& client, const Object& fleet_rule) {
  const Object rule = rule_of(client, fleet_rule);
  const std::string_view status = client.text("status");
  return {
      {std::string{client.text("name")}, Tone::Strong},
      {client.object("hold").text("until").empty() ? std::string{status} : std::string{status} + ", hold",
       tone_of_status(status)},
      {counter_text(client, "silence", rule, "threshold")},
      {counter_text(client, "strikes", rule, "cursor")},
      {margin_text(client, "margin"), tone_of_margin(client.real("margin"))},
      {margin_text(client, "margin_least"), tone_of_margin(client.real("margin_least"))},
      {span_of(client, "silent_ms")},
      {std::string{client.text("peer")}},
      {second_of(client.text("connected"))},
      {counter_text(client, "steady", rule, "recover")},
      {span_of(client, "interval_ms")},
      {client.written("heartbeats")},
      {std::string{client.text("ip")}},
      {client.written("pid")},
  };
}

Object rule_of(const Object& client, const Object& fleet_rule) {
  Object own = client.object("rule");
  return own.written("tick_ms").empty() ? fleet_rule : own;
}

std::string counter_text(const Object& client, const char* counter, const Object& rule, const char* bound) {
  std::string text = client.written(counter);
  const std::string out_of = rule.written(bound);
  if (!text.empty() && !out_of.empty()) text += '/' + out_of;
  return text;
}

std::string margin_text(const Object& client, const char* member) {
  const auto margin = client.real(member);
  if (!margin || !(*margin >= 0) || *margin > 1) return {};
  // The daemon has rounded it down to whole percents; only the binary fraction is rounded away.
  return std::to_string(std::lround(*margin * 100)) + '%';
}

Tone tone_of_status(std::string_view status) {
  if (status == "alive") return Tone::Good;
  if (status == "leave") return Tone::Warning;
  return Tone::Bad;
}

}  // namespace heartbeat::ctl
