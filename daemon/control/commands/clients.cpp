// clients: a frame for each client of a list, and one with their number and where the rest of the list
// begins.
#include <utility>

#include "common/glob.h"
#include "common/json_frame.h"
#include "daemon/control/client_frame.h"
#include "daemon/control/commands/all.h"
#include "daemon/control/one_answer.h"
#include "daemon/report/client_list.h"

namespace heartbeat::commands {
namespace {

class ListAnswer final : public Answer {
 public:
  ListAnswer(ControlContext& context, ClientListRequest request)
      : context_(context),
        sorted_(request.sort.has_value()),
        list_(context.desk.monitor(), std::move(request), context.desk.now()) {
    if (sorted_) ++context_.sorted_lists;
  }
  ~ListAnswer() override {
    if (sorted_) --context_.sorted_lists;
  }
  ListAnswer(const ListAnswer&) = delete;
  ListAnswer& operator=(const ListAnswer&) = delete;
  ListAnswer(ListAnswer&&) = delete;
  ListAnswer& operator=(ListAnswer&&) = delete;

  State go_on(std::string& slice, Steps& steps) override {
    const ReportContext report = context_.desk.report();
    while (may_go_on(slice, steps) && !list_.done()) {
      if (const Client* const client = list_.next(report, steps)) append_client(slice, *client, report);
    }
    if (!list_.done()) return State::Unfinished;

    append_json_frame(slice, [&](JsonWriter& json) {
      json.add("type", "done");
      json.add("count", list_.count());
      if (const auto next = list_.rest(context_.desk.boot().id)) json.add("next", to_string(*next));
    });
    return State::Done;
  }

 private:
  ControlContext& context_;
  bool sorted_;
  ClientList list_;
};

std::unique_ptr<Answer> begin(ControlContext& context, ClientListRequest list) {
  if (list.cursor && list.cursor->boot != context.desk.boot().id) {
    return error_answer("bad_request", "'cursor' is of another run of the daemon: begin the list again");
  }
  if (list.sort && context.sorted_lists == limits::kSortedListsMax) {
    return error_answer("busy", std::to_string(limits::kSortedListsMax) +
                                    " sorted lists are being made already: ask again in a moment");
  }
  return std::make_unique<ListAnswer>(context, std::move(list));
}

}  // namespace

Reading read_clients(Members& request) {
  ClientListRequest list;
  list.filter.status = request.converted<Status>("status", parse_connected_status);
  list.filter.match =
      request.converted<Glob>("match", [](const std::string& text) { return Glob::compile(text); });
  list.filter.group = request.text("group");
  list.sort = request.converted<SortBy>("sort", parse_sort);
  list.limit = request.number("limit", 1, limits::kListMax, limits::kListDefault);
  list.cursor = request.converted<ListCursor>("cursor", parse_list_cursor);
  if (list.sort && list.cursor) request.refuse("cursor", "goes on with a list that is not sorted");
  return request.made(Order{[list](Operator, ControlContext& context) { return begin(context, list); }});
}

}  // namespace heartbeat::commands
