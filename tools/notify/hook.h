// One hook: takes events from the journal behind its own cursor, and delivers them in order, one batch at a
// time.
//
// A batch that is not delivered is tried again, with the same id and the same bytes, also by the next
// process: it is on disk before the first attempt.  The queue is the journal itself, so that memory is one
// batch, and with `after` what waits for its time.  An Alertmanager's batch is not kept: it says what fires
// now, and is made anew from the journal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/uv/loop.h"
#include "common/uv/watchers.h"
#include "tools/client/backoff.h"
#include "tools/follower/cursor_file.h"
#include "tools/follower/follower.h"
#include "tools/notify/alerts_json.h"
#include "tools/notify/attempt.h"
#include "tools/notify/body_json.h"
#include "tools/notify/command_runner.h"
#include "tools/notify/config.h"
#include "tools/notify/flapping.h"
#include "tools/notify/hold_quiet.h"
#include "tools/notify/hook_state.h"
#include "tools/notify/http_client.h"
#include "tools/notify/lasting.h"
#include "tools/notify/status.h"

namespace heartbeat::notify {

class Hook {
 public:
  struct Place {
    std::string state_directory;
    std::string host;
    std::vector<std::string> keys{};  // each of them signs; none: nothing is signed
  };

  Hook(uv::Loop& loop, const Config& config, HookConfig hook, Place place, HttpClient& http,
       std::uint32_t seed);

  // Reads the hook's state, and begins.  The error is a sentence.
  [[nodiscard]] tl::expected<void, std::string> begin();

  // In the place of begin(): one event that is marked as a test, and no more.
  void test(OnAttemptEnd on_end);

  [[nodiscard]] const std::string& name() const { return hook_.name; }
  // `newest`: the number of the journal's last event.
  [[nodiscard]] HookStatus status(std::uint64_t newest) const;
  // Whether the last attempt succeeded, or there was none yet.
  [[nodiscard]] bool is_well() const { return !is_off_ && state_.failing_since_ms == 0; }

 private:
  void poll();
  void collect();
  [[nodiscard]] std::optional<Lasting::Entry> next_wanted();
  [[nodiscard]] std::optional<Lasting::Entry> next_due();
  [[nodiscard]] bool passes(Lasting::Entry& entry);
  void take(Lasting::Entry entry);
  void give_up(const JournalCursor& from, const JournalCursor& to, std::uint64_t count);
  [[nodiscard]] bool is_wanted(const EventFacts& facts) const;
  [[nodiscard]] bool is_quiet_for_hold(const EventFacts& facts);
  [[nodiscard]] bool is_too_old(const std::string& at) const;
  [[nodiscard]] bool is_ready() const;
  void seal();
  void seal_calm(const Flapping::Client& client);
  void attempt();
  [[nodiscard]] std::string webhook_id(const JournalCursor& first) const;
  [[nodiscard]] std::string body_of(const std::vector<Record>& records);
  void send(const std::string& body, const std::string& id, OnAttemptEnd on_end);
  void sign(HttpClient::Request& request, const std::string& id) const;
  void ended(const AttemptResult& result);
  void delivered();
  void failed(const AttemptResult& result);
  void abandon();
  void send_alerts_again();
  void clear_batch();
  [[nodiscard]] bool save();
  [[nodiscard]] Millis until_due() const;
  [[nodiscard]] bool has_events() const { return !records_.empty() || digest_.count() > 0; }
  [[nodiscard]] std::size_t events_max() const;

  uv::Loop& loop_;
  HookConfig hook_;
  Place place_;
  HttpClient& http_;
  CommandRunner runner_;
  client::Backoff backoff_;
  CursorFile file_;
  CursorFile alerts_file_;
  HookState state_;
  AlertBook alerts_;
  std::optional<Follower> follower_;
  Follower::Options follower_options_;
  Lasting lasting_;
  HoldQuiet hold_quiet_;
  Flapping flapping_;
  std::optional<Lasting::Entry> held_;  // did not fit into the batch

  // The batch that is collected; state_.batch is one that is complete.
  std::vector<Record> records_;
  std::size_t bytes_ = 0;  // of them
  Digest digest_;
  JournalCursor batch_first_{};
  std::string batch_at_{};     // when its first event was; empty for a loss
  JournalCursor batch_end_{};  // behind everything that has been looked at
  MonoTime batch_since_{};
  JournalCursor saved_cursor_{};
  bool is_unsaved_ = false;  // more than the cursor
  HookStatus status_{};      // what is counted
  bool is_full_ = false;
  bool is_attempting_ = false;
  bool is_off_ = false;
  MonoTime next_try_{};
  MonoTime next_save_{};
  MonoTime next_alerts_{};
  uv::Owned<uv::Timer> timer_;
};

}  // namespace heartbeat::notify
