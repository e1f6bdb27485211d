// Keeps the answers that `top` shows fresh, without ever waiting for the daemon: each step does what can be
// done at once.  A daemon that goes away is looked for until it is back.
#pragma once

#include <optional>
#include <vector>

#include "tools/ctl/session.h"
#include "tools/ctl/top_view.h"

namespace heartbeat::ctl {

class TopSource {
 public:
  explicit TopSource(Session& session);

  // Connects, asks or reads, whatever is due.  A query that differs from the last one is asked at once.
  // Returns whether the answers have changed.
  bool step(Deadline now, const TopQuery& query);

  [[nodiscard]] const TopAnswers& answers() const { return answers_; }

  // When to step again at the latest, and what to poll for reading meanwhile (-1: nothing).
  [[nodiscard]] Deadline next_step() const { return due_; }
  [[nodiscard]] int descriptor() const { return connection_ ? connection_->descriptor() : -1; }

 private:
  using Changed = tl::expected<bool, ConnectionError>;

  Changed advance(Deadline now, const TopQuery& query);
  Changed ask(Deadline now, const TopQuery& query);
  Changed read(Deadline now);
  void take(Reply reply);

  Session& session_;
  TopAnswers answers_;
  TopAnswers coming_;
  std::optional<Connection> connection_;
  TopQuery asked_{};    // last, on this connection
  int awaited_ = 0;     // answers to it that are not whole yet
  Deadline answer_by_;  // while any is awaited
  Deadline due_;        // to connect, to ask anew or to give up
};

}  // namespace heartbeat::ctl
