// Answers that are made a piece at a time, and the short ones in one piece: JSON and server-sent events.
// Knows no socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/http/route.h"
#include "daemon/report/answer.h"
#include "daemon/report/client_list.h"
#include "daemon/report/feed_reader.h"
#include "daemon/report/operator_desk.h"

namespace heartbeat::http {

[[nodiscard]] std::string status_text(const OperatorDesk& desk);
// What `/readyz` says where clients are taken; the brake on mass closing changes nothing about that, and is
// named.
[[nodiscard]] std::string readiness_text(const OperatorDesk& desk);
// Nothing where no such client is connected or remembered.
[[nodiscard]] std::optional<std::string> story_text(const OperatorDesk& desk, const std::string& name);
[[nodiscard]] std::string error_text(const Refusal& refusal);

// `{"clients":[…],"next":"…"}`
class ClientsReply final : public Answer {
 public:
  ClientsReply(const OperatorDesk& desk, ClientListRequest request)
      : desk_(desk), list_(desk.monitor(), std::move(request), desk.now()) {}

  State go_on(std::string& slice, Steps& steps) override;

 private:
  const OperatorDesk& desk_;
  ClientList list_;
  bool begun_ = false;
};

// `{"closed":[…],"matching":N,"remembered":N,"missing":N}`
class ClosedReply final : public Answer {
 public:
  ClosedReply(const OperatorDesk& desk, ClosedListRequest request)
      : desk_(desk), is_of_missing_(request.missing), list_(desk.monitor(), std::move(request)) {}

  State go_on(std::string& slice, Steps& steps) override;

 private:
  const OperatorDesk& desk_;
  bool is_of_missing_;
  ClosedList list_;
  bool begun_ = false;
};

// `{"step_ms":1000,"samples":[…]}`: the seconds that had ended when it was asked for.
class HistoryReply final : public Answer {
 public:
  explicit HistoryReply(const OperatorDesk& desk)
      : desk_(desk), next_(desk.timeline().oldest()), end_(desk.timeline().next()) {}

  State go_on(std::string& slice, Steps& steps) override;

 private:
  const OperatorDesk& desk_;
  std::uint64_t next_;
  std::uint64_t end_;
  bool begun_ = false;
  bool follows_another_ = false;
};

// Server-sent events: the feed and, once a second, a sample of the timeline.
//
// It keeps no queue: see FeedReader.  Of the samples that a follower missed it gets the last.
class EventsReply final : public Answer {
 public:
  // `request.feed.since` is not ahead of the feed, see is_ahead().
  EventsReply(const OperatorDesk& desk, EventsRequest request);

  State go_on(std::string& slice, Steps& steps) override;
  [[nodiscard]] bool is_endless() const override { return true; }

 private:
  void append_hello(std::string& out) const;
  static void append_loss(std::string& out, const FeedReader::Loss& loss);
  void append_sample(std::string& out);
  void append_event(std::string& out, const Event& event) const;

  const OperatorDesk& desk_;
  FeedReader reader_;
  std::uint64_t next_sample_;  // the second to send next
  bool begun_ = false;
};

}  // namespace heartbeat::http
