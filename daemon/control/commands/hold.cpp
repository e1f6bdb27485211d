// hold and release: clients that are worked on are not closed for silence meanwhile, see daemon/core/holds.h.
#include <string>

#include "common/duration.h"
#include "common/glob.h"
#include "common/json_frame.h"
#include "common/limits.h"
#include "common/text.h"
#include "daemon/control/commands/all.h"
#include "daemon/control/one_answer.h"

namespace heartbeat::commands {
namespace {

struct HoldRequest {
  std::string match;
  std::string why;
  Millis length{0};
};

void make_hold(std::string& out, OperatorDesk& desk, Operator who, const HoldRequest& request) {
  const Monitor::HoldOrder order{
      .pattern = request.match, .why = request.why, .length = request.length, .uid = who.uid};
  if (!desk.hold(order)) {
    return append_error(
        out, "too_many",
        std::to_string(limits::kHoldsMax) + " holds last already; release one of them, see status");
  }
  log_change("hold", who,
             " match=" + log_value(request.match) + " for=" + format_duration(request.length) +
                 " why=" + log_value(request.why));
  append_json_frame(out, [&](JsonWriter& json) {
    json.add("type", "done");
    json.add("until", desk.report().instant(desk.now() + request.length));
  });
}

void make_release(std::string& out, OperatorDesk& desk, Operator who, const std::string& match) {
  if (!desk.release(match, who.uid)) {
    return append_error(out, "no_hold",
                        "no hold of '" + escaped(match) + "' lasts; status lists those that do");
  }
  log_change("release", who, " match=" + log_value(match));
  append_done(out);
}

std::string read_match(Members& request) {
  std::string match = request.required_text("match");
  if (match.empty()) return match;
  if (const auto glob = Glob::compile(match); !glob) request.refuse("match", glob.error(), ": ");
  if (!is_printable(match)) request.refuse("match", "is not printable text");
  return match;
}

}  // namespace

Reading read_hold(Members& request) {
  HoldRequest hold{.match = read_match(request), .why = request.required_text("why")};
  if (hold.why.size() > limits::kHoldWhyMax || !is_printable(hold.why)) {
    request.refuse("why",
                   "must be at most " + std::to_string(limits::kHoldWhyMax) + " bytes of printable text");
  }
  const auto length = request.number("for_ms", limits::kHoldMin.count(), limits::kHoldMax.count(), 0);
  if (length == 0) request.refuse("for_ms", "is required: a hold ends by itself");
  hold.length = Millis{static_cast<std::int64_t>(length)};
  return request.made(Order{[hold = std::move(hold)](Operator who, ControlContext& context) {
    return answer_after_judging(context.desk, [&desk = context.desk, who, hold](std::string& out) {
      make_hold(out, desk, who, hold);
    });
  }});
}

Reading read_release(Members& request) {
  std::string match = read_match(request);
  return request.made(Order{[match = std::move(match)](Operator who, ControlContext& context) {
    return answer_after_judging(context.desk, [&desk = context.desk, who, match](std::string& out) {
      make_release(out, desk, who, match);
    });
  }});
}

}  // namespace heartbeat::commands
