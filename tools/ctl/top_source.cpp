#include "tools/ctl/top_source.h"

#include <utility>

namespace heartbeat::ctl {
namespace {

using Kind = ConnectionError::Kind;

Request clients_request(const TopQuery& query) {
  Request request{"clients"};
  request.with("sort", query.sort).with("limit", query.limit);
  if (!query.match.empty()) request.with("match", query.match);
  if (!query.group.empty()) request.with("group", query.group);
  if (!query.status.empty()) request.with("status", query.status);
  return request;
}

std::vector<Request> requests_for(const TopQuery& query) {
  std::vector<Request> requests{Request{"status"}, clients_request(query)};
  if (!query.story.empty()) requests.push_back(Request{"why"}.with("client", query.story));
  return requests;
}

}  // namespace

TopSource::TopSource(Session& session) : session_(session) {}

bool TopSource::step(Deadline now, const TopQuery& query) {
  const Changed changed = advance(now, query);
  if (changed) return *changed;
  answers_.trouble = session_.failure(changed.error()).lines.front();
  connection_.reset();
  awaited_ = 0;
  due_ = now + limits::kTopRefresh;
  return true;
}

TopSource::Changed TopSource::advance(Deadline now, const TopQuery& query) {
  if (awaited_ != 0) return read(now);
  const bool asked_otherwise = connection_ && !(asked_ == query);
  if (now < due_ && !asked_otherwise) return false;
  return ask(now, query);
}

TopSource::Changed TopSource::ask(Deadline now, const TopQuery& query) {
  if (!connection_) {
    auto connection = session_.connect(now);
    if (!connection) return tl::unexpected(connection.error());
    connection_ = std::move(*connection);
  }
  // Three small requests at the most: they always fit into the socket.
  const std::vector<Request> requests = requests_for(query);
  for (const Request& request : requests) {
    if (const auto sent = connection_->send(request.body(), now); !sent) return tl::unexpected(sent.error());
  }
  asked_ = query;
  awaited_ = static_cast<int>(requests.size());
  coming_ = {};
  answer_by_ = session_.answer_deadline();
  return read(now);
}

TopSource::Changed TopSource::read(Deadline now) {
  while (awaited_ != 0) {
    auto reply = receive_reply(*connection_, now);
    if (reply) {
      take(std::move(*reply));
    } else if (reply.error().kind == Kind::TooSlow && now < answer_by_) {
      due_ = answer_by_;
      return false;
    } else {
      return tl::unexpected(reply.error());
    }
  }
  answers_ = std::exchange(coming_, {});
  due_ = now + limits::kTopRefresh;
  return true;
}

void TopSource::take(Reply reply) {
  const std::string_view type = reply.type();
  if (type == "error") coming_.trouble = refusal(reply).lines.front();
  if (type == "error" || type == "done") --awaited_;
  if (type == "client") {
    coming_.clients.push_back(std::move(reply));
  } else if (type == "status") {
    coming_.status = std::move(reply);
  } else if (type == "story") {
    coming_.story = std::move(reply);
  }
}

}  // namespace heartbeat::ctl
