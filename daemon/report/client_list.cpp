#include "daemon/report/client_list.h"

#include <iterator>
#include <utility>

#include "common/limits.h"
#include "daemon/report/standing.h"

namespace heartbeat {
namespace {

MonoTime started_at(const std::optional<ListCursor>& cursor, MonoTime now) {
  return cursor ? MonoTime{Millis{cursor->started_millis}} : now;
}

}  // namespace

ClientList::ClientList(const Monitor& monitor, ClientListRequest request, MonoTime now)
    : monitor_(monitor),
      walk_(monitor, std::move(request.filter), started_at(request.cursor, now),
            request.cursor ? request.cursor->slot : 0),
      sort_(request.sort),
      limit_(request.limit) {}

const Client* ClientList::next(const ReportContext& report, Steps& steps) {
  const Client* const client = sort_ ? next_sorted(report, steps) : next_unsorted(report, steps);
  if (client != nullptr) ++count_;
  return client;
}

bool ClientList::done() const {
  return sort_ ? walk_.at_end() && best_.empty() : walk_.at_end() || count_ == limit_;
}

std::optional<ListCursor> ClientList::rest(const std::string& boot) const {
  if (sort_ || walk_.at_end()) return {};
  return ListCursor{
      .boot = boot, .slot = walk_.slot(), .started_millis = walk_.started().since_origin().count()};
}

const Client* ClientList::next_unsorted(const ReportContext& report, Steps& steps) {
  if (done()) return nullptr;
  const Client* const client = walk_.next(report, steps);
  if (client != nullptr) steps.spend(limits::kStepsPerObject);
  return client;
}

const Client* ClientList::next_sorted(const ReportContext& report, Steps& steps) {
  while (steps.left() && !walk_.at_end()) {
    const Client* const client = walk_.next(report, steps);
    if (client == nullptr) continue;
    keep(place_of(*client, walk_.conn_of_last(), report));
    steps.spend(limits::kStepsPerRank);
  }
  if (!walk_.at_end() || !steps.left() || best_.empty()) return nullptr;
  const ConnId conn = best_.begin()->conn;
  best_.erase(best_.begin());
  steps.spend(limits::kStepsPerObject);
  return monitor_.clients().find(conn);
}

ClientList::Place ClientList::place_of(const Client& client, ConnId conn, const ReportContext& report) const {
  const std::int64_t last_heard = client.last_heard.since_origin().count();
  switch (sort_.value_or(SortBy::Name)) {
    case SortBy::Name: return {0, 0, name_of(client), conn};
    case SortBy::Silence: return {last_heard, 0, {}, conn};
    case SortBy::Margin:
      return {-std::int64_t{standing_of(client, report).towards_leave}, last_heard, {}, conn};
    case SortBy::Connected: return {client.connected_at.since_origin().count(), 0, {}, conn};
  }
  return {};
}

void ClientList::keep(Place place) {
  if (best_.size() == limit_) {
    const auto last = std::prev(best_.end());
    if (*last < place) return;
    best_.erase(last);
  }
  best_.insert(std::move(place));
}

}  // namespace heartbeat
