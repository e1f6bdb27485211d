// closed: a frame for each closed client that is remembered, the one closed last first, and one with their
// numbers.
#include <utility>

#include "common/duration.h"
#include "common/json_frame.h"
#include "daemon/control/commands/all.h"
#include "daemon/report/client_json.h"
#include "daemon/report/closed_list.h"
#include "daemon/report/query.h"

namespace heartbeat::commands {
namespace {

class ClosedAnswer final : public Answer {
 public:
  ClosedAnswer(const OperatorDesk& desk, ClosedListRequest request)
      : desk_(desk), is_of_missing_(request.missing), list_(desk.monitor(), std::move(request)) {}

  State go_on(std::string& slice, Steps& steps) override {
    const ReportContext report = desk_.report();
    while (may_go_on(slice, steps) && !list_.done()) {
      const ClosedClient* const client = list_.next(report.now, steps);
      if (client == nullptr) continue;
      append_json_frame(slice, [&](JsonWriter& json) {
        json.add("type", is_of_missing_ ? "missing" : "closed");
        add_client(json, *client, report);
        add_close(json, *client, report);
      });
    }
    if (!list_.done()) return State::Unfinished;

    append_json_frame(slice, [&](JsonWriter& json) {
      json.add("type", "done");
      json.add("count", list_.count());
      json.add("matching", list_.matching());
      json.add("remembered", desk_.monitor().closed_clients().size());
      json.add("missing", desk_.monitor().missing().size());
    });
    return State::Done;
  }

 private:
  const OperatorDesk& desk_;
  bool is_of_missing_;
  ClosedList list_;
};

}  // namespace

Reading read_closed(Members& request) {
  ClosedListRequest list;
  list.filter.within =
      request.converted<Millis>("since", [](const std::string& text) { return parse_duration(text); });
  list.filter.reason = request.converted<Reason>("reason", parse_close_reason);
  list.filter.match =
      request.converted<Glob>("match", [](const std::string& text) { return Glob::compile(text); });
  list.filter.group = request.text("group");
  list.missing = request.flag("missing");
  list.limit = request.number("limit", 1, limits::kListMax, limits::kListDefault);
  return request.made(Order{[list](Operator, ControlContext& context) -> std::unique_ptr<Answer> {
    return std::make_unique<ClosedAnswer>(context.desk, list);
  }});
}

}  // namespace heartbeat::commands
