#include "daemon/control/list_answer.h"

#include <utility>

#include "common/json_frame.h"
#include "daemon/report/client_json.h"

namespace heartbeat {

void append_client(std::string& out, const Client& client, const ReportContext& context) {
  append_json_frame(out, [&](JsonWriter& json) {
    json.add("type", "client");
    add_client(json, client, context);
  });
}

ListAnswer::ListAnswer(ControlContext& context, ClientsRequest request)
    : context_(context),
      sorted_(request.sort.has_value()),
      list_(context.monitor, std::move(request), context.actions.now()) {
  if (sorted_) ++context_.sorted_lists;
}

ListAnswer::~ListAnswer() {
  if (sorted_) --context_.sorted_lists;
}

Answer::State ListAnswer::go_on(std::string& slice, Steps& steps) {
  const ReportContext report = context_.report();
  while (may_go_on(slice, steps) && !list_.done()) {
    if (const Client* const client = list_.next(report, steps)) append_client(slice, *client, report);
  }
  if (!list_.done()) return State::Unfinished;

  append_json_frame(slice, [&](JsonWriter& json) {
    json.add("type", "done");
    json.add("count", list_.count());
    if (const auto next = list_.rest(context_.boot.id)) json.add("next", to_string(*next));
  });
  return State::Done;
}

}  // namespace heartbeat
