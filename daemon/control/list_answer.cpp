#include "daemon/control/list_answer.h"

#include <iterator>
#include <utility>

#include "common/json_frame.h"
#include "daemon/report/client_json.h"
#include "daemon/report/standing.h"

namespace heartbeat {
namespace {

MonoTime started_at(const ControlContext& context, const ClientsRequest& request) {
  return request.cursor ? MonoTime{Millis{request.cursor->started_millis}} : context.actions.now();
}

ClientFilter filter_of(ClientsRequest& request) {
  return {.status = request.status, .match = std::move(request.match)};
}

}  // namespace

void append_client(std::string& out, const Client& client, const ReportContext& context) {
  append_json_frame(out, [&](JsonWriter& json) {
    json.add("type", "client");
    add_client(json, client, context);
  });
}

ListAnswer::ListAnswer(const ControlContext& context, ClientsRequest request)
    : context_(context),
      walk_(context.monitor, filter_of(request), started_at(context, request),
            request.cursor ? request.cursor->slot : 0),
      limit_(request.limit) {}

Answer::State ListAnswer::go_on(std::string& slice, Steps& steps) {
  const ReportContext report = context_.report();
  while (may_go_on(slice, steps) && !walk_.at_end() && count_ < limit_) {
    const Client* const client = walk_.next(report, steps);
    if (client == nullptr) continue;
    append_client(slice, *client, report);
    steps.spend(limits::kStepsPerObject);
    ++count_;
  }
  if (!walk_.at_end() && count_ < limit_) return State::Unfinished;

  append_json_frame(slice, [&](JsonWriter& json) {
    json.add("type", "done");
    json.add("count", count_);
    if (walk_.at_end()) return;
    const ListCursor next{.boot = context_.boot.id,
                          .slot = walk_.slot(),
                          .started_millis = walk_.started().since_origin().count()};
    json.add("next", to_string(next));
  });
  return State::Done;
}

SortedListAnswer::SortedListAnswer(ControlContext& context, ClientsRequest request)
    : context_(context),
      walk_(context.monitor, filter_of(request), context.actions.now()),
      sort_(request.sort.value_or(SortBy::Name)),
      limit_(request.limit) {
  ++context_.sorted_lists;
}

Answer::State SortedListAnswer::go_on(std::string& slice, Steps& steps) {
  const ReportContext report = context_.report();
  while (steps.left() && !walk_.at_end()) {
    const Client* const client = walk_.next(report, steps);
    if (client == nullptr) continue;
    keep(place_of(*client, walk_.conn_of_last(), report));
    steps.spend(limits::kStepsPerRank);
  }
  if (!walk_.at_end()) return State::Unfinished;

  while (may_go_on(slice, steps) && !best_.empty()) {
    const ConnId conn = best_.begin()->conn;
    best_.erase(best_.begin());
    steps.spend(limits::kStepsPerObject);
    const Client* const client = context_.monitor.clients().find(conn);
    if (client == nullptr) continue;  // it left meanwhile
    append_client(slice, *client, report);
    ++count_;
  }
  if (!best_.empty()) return State::Unfinished;

  append_json_frame(slice, [&](JsonWriter& json) {
    json.add("type", "done");
    json.add("count", count_);
  });
  return State::Done;
}

SortedListAnswer::Place SortedListAnswer::place_of(const Client& client, ConnId conn,
                                                   const ReportContext& report) const {
  const std::int64_t last_heard = client.last_heard.since_origin().count();
  switch (sort_) {
    case SortBy::Name: return {0, 0, name_of(client), conn};
    case SortBy::Silence: return {last_heard, 0, {}, conn};
    case SortBy::Margin:
      return {-std::int64_t{standing_of(client, report).towards_leave}, last_heard, {}, conn};
    case SortBy::Connected: return {client.connected_at.since_origin().count(), 0, {}, conn};
  }
  return {};
}

void SortedListAnswer::keep(Place place) {
  if (best_.size() == limit_) {
    const auto last = std::prev(best_.end());
    if (*last < place) return;
    best_.erase(last);
  }
  best_.insert(std::move(place));
}

}  // namespace heartbeat
