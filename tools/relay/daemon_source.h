// What a daemon has and what changes there, for a publisher: a list of all its clients, and the events since.
//
// The list comes by the control socket, the events by the follower: from the event journal, or where that
// cannot be read from the feed of the control socket.  The list is not made at one instant, so the events
// since it began follow it, and only then it is whole.  It is read anew when the daemon was started anew, or
// events were missed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/mono_time.h"
#include "common/uv/loop.h"
#include "common/uv/watchers.h"
#include "tools/ctl/json_reply.h"
#include "tools/follower/follower.h"
#include "tools/relay/control_session.h"
#include "tools/relay/publisher.h"

namespace heartbeat::relay {

// The client of a frame of type `client`, and the event of a line of type `event`; nothing where it is of no
// concern to a fleet: a connection without a heartbeat, a strike.
[[nodiscard]] std::optional<ListedClient> listed_client(const ctl::Object& client);
[[nodiscard]] std::optional<DaemonEvent> daemon_event(const std::string& line);

class DaemonSource {
 public:
  static constexpr Millis kRetry{500};   // of a daemon that is away
  static constexpr Millis kRelist{100};  // of a list that was overtaken

  struct Callbacks {
    std::function<void(bool is_new_run)> on_list;
    std::function<void(const ListedClient&)> on_client;
    std::function<void()> on_whole;
    std::function<void(const DaemonEvent&)> on_event;
    std::function<void(const ctl::Object& status)> on_status;  // the answer to ask_status()
    std::function<void(const std::string& why)> on_away;       // once, until it answers again
  };

  DaemonSource(uv::Loop& loop, const std::string& control, std::string journal, Callbacks callbacks);

  // Asks the daemon how it is.  Without an answer there is no call: it hangs, or is gone.
  void ask_status();
  void give(const DaemonOrder& order);

 private:
  void begin();
  void take_status(const ctl::Object& status);
  void list(const ctl::Object& status);
  void take_listed(const ctl::Object& object) const;
  void follow();
  void end_list();
  void read_events();
  void retry(const std::string& why);

  uv::Loop& loop_;
  std::string journal_;
  Callbacks callbacks_;
  std::string control_path_;
  ControlSession control_;
  ControlSession lister_;
  std::unique_ptr<Follower> follower_;
  uv::Owned<uv::Timer> again_;  // begin() once more
  uv::Owned<uv::Timer> more_;   // reads on in another turn
  std::string boot_;            // of the run that was listed, or is
  bool is_listing_ = false;
  bool is_whole_ = false;
  bool is_away_ = false;
  JournalCursor listed_from_{};  // the last event before the list began
  // The list is whole when the follower has this event, or has all that the journal will have of it: the
  // journal may leave out strikes, the last event among them.
  std::optional<std::uint64_t> whole_at_;
  bool has_journal_ = false;
  bool is_written_ = false;  // what had happened then stands in the files
};

}  // namespace heartbeat::relay
