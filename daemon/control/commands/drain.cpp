// drain: the clients connect elsewhere, so many a second, and new ones are refused; see daemon/core/drain.h.
#include <string>

#include "common/duration.h"
#include "common/json_frame.h"
#include "common/limits.h"
#include "daemon/control/commands/all.h"
#include "daemon/control/one_answer.h"

namespace heartbeat::commands {
namespace {

void begin_drain(std::string& out, OperatorDesk& desk, Operator who, DrainOrder order) {
  order.uid = who.uid;
  desk.drain(order);
  log_change("drain", who,
             " rate=" + std::to_string(order.rate) + " retry_after=" + format_duration(order.retry_after));
  append_json_frame(out, [&](JsonWriter& json) {
    json.add("type", "done");
    json.add("rate", order.rate);
    json.add("count", desk.monitor().clients().size());
  });
}

void end_drain(std::string& out, OperatorDesk& desk, Operator who) {
  const auto drained = desk.end_drain(who.uid);
  if (!drained) return append_error(out, "no_drain", "the daemon does not drain");
  log_change("drain", who, " stop=true drained=" + std::to_string(*drained));
  append_json_frame(out, [&](JsonWriter& json) {
    json.add("type", "done");
    json.add("count", *drained);
  });
}

}  // namespace

Reading read_drain(Members& request) {
  const bool stop = request.flag("stop");
  const DrainOrder defaults;
  const auto rate = request.number("rate", 1, limits::kDrainRateMax, defaults.rate);
  const auto retry_after =
      request.number("retry_after_ms", 0, static_cast<std::size_t>(limits::kDrainRetryAfterMax.count()),
                     static_cast<std::size_t>(defaults.retry_after.count()));
  const DrainOrder order{.rate = static_cast<unsigned>(rate),
                         .retry_after = Millis{static_cast<std::int64_t>(retry_after)}};
  return request.made(Order{[stop, order](Operator who, ControlContext& context) {
    return one_answer([&desk = context.desk, who, stop, order](std::string& out) {
      stop ? end_drain(out, desk, who) : begin_drain(out, desk, who, order);
    });
  }});
}

}  // namespace heartbeat::commands
