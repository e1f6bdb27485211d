// heartbeatctl watch
//
// It always knows the cursor that it would resume after: the one given, else where the feed stood when it
// began, then that of the last event it printed.  So what happens while the daemon is out of reach is either
// printed when it is back, or reported as lost.
#include <algorithm>
#include <array>
#include <cstdio>

#include <poll.h>

#include "common/events/event_names.h"
#include "common/events/journal_reader.h"
#include "common/glob.h"
#include "tools/ctl/commands/all.h"
#include "tools/ctl/event_text.h"
#include "tools/ctl/exit_code.h"
#include "tools/ctl/journal_files.h"
#include "tools/ctl/parameters.h"
#include "tools/ctl/text_width.h"

namespace heartbeat::ctl::commands {
namespace {

using Kind = ConnectionError::Kind;

// How long a refusal of the request may take, until the request counts as accepted.
constexpr Millis kRefusalWait{100};

bool is_of_group(const Object& event, std::string_view group) {
  if (event.text("client").empty()) return false;
  const std::string_view own = event.text("group");
  return (own.empty() ? "default" : own) == group;
}

struct Wanted {
  std::string since;
  std::string match;
  std::string group;
  std::vector<std::string> events;
  bool snapshot = false;
  bool once = false;  // end when the daemon goes away
  std::string journal;
};

class Watch {
 public:
  Watch(const Wanted& wanted, Session& session, const Output& output)
      : wanted_(wanted), session_(session), output_(output), cursor_(wanted.since) {}

  // Until the daemon ends it for good, or a connection breaks that was the only one wanted.
  Outcome run() {
    if (auto read = read_journal_files(); !read) return read;
    for (;;) {
      const auto error = follow();
      if (!error) return tl::unexpected(error.error());
      const bool may_come_back = error->kind != Kind::Garbage && error->kind != Kind::Denied;
      if (!begun_ || wanted_.once || !may_come_back) return tl::unexpected(session_.failure(*error));
      tell_away(*error);
      poll(nullptr, 0, static_cast<int>(limits::kControlRetry.count()));
    }
  }

 private:
  // The event journal reaches back further than the daemon's feed.  Where it cannot be read, or does not know
  // the cursor, the feed says what is lost.
  Outcome read_journal_files() {
    const auto since = parse_cursor(cursor_);
    if (!since) return {};
    JournalReader reader{journal_directory(wanted_.journal)};
    if (!reader.behind(*since).value_or(false)) return {};
    const auto glob = Glob::compile(wanted_.match.empty() ? "*" : wanted_.match);
    for (;;) {
      const auto line = reader.next();
      if (!line || !*line) return {};
      const auto reply = Reply::parse(**line);
      if (!reply) continue;
      const Object object = reply->object();
      const bool is_event = reply->type() == "event";
      if (is_event) cursor_ = object.text("cursor");
      if (!is_event && reply->type() != "lost") continue;
      const bool is_wanted = wanted_.events.empty() ||
                             std::find(wanted_.events.begin(), wanted_.events.end(), object.text("event")) !=
                                 wanted_.events.end();
      if (is_event && !(is_wanted && glob && glob->matches(object.text("client")))) continue;
      if (is_event && !wanted_.group.empty() && !is_of_group(object, wanted_.group)) continue;
      if (auto told = tell(*reply); !told) return told;
    }
  }

  // One connection, from the request to its end: why it ended, or the failure that ends the command.
  tl::expected<ConnectionError, Failure> follow() {
    auto connection = session_.connect(session_.answer_deadline());
    if (!connection) return connection.error();
    if (!begun_) {
      if (const auto found = find_beginning(*connection); !found) return found.error();
    }
    if (const auto sent = connection->send(request().body(), session_.answer_deadline()); !sent) {
      return sent.error();
    }
    if (away_)
      std::fprintf(stderr, "heartbeatctl: the daemon is back; resuming after %s\n", shown(cursor_).c_str());
    away_ = false;
    // A daemon that refuses the request says so at once; one that has nothing to tell says nothing.
    auto reply = receive_reply(*connection, begun_ ? Deadline::max() : in(kRefusalWait));
    const bool is_silent = !reply && reply.error().kind == Kind::TooSlow;
    if (!begun_ && !output_.json() && (is_silent || (reply && reply->type() != "error"))) {
      std::fputs("heartbeatctl: following; each event is a line from here on (Ctrl-C ends)\n", stderr);
    }
    begun_ = true;
    if (is_silent) reply = receive_reply(*connection, Deadline::max());
    for (;; reply = receive_reply(*connection, Deadline::max())) {
      if (!reply) return reply.error();
      if (auto told = tell(*reply); !told) return tl::unexpected(told.error());
    }
  }

  // Where the feed stands now: the cursor of its newest event, and the daemon's time.
  tl::expected<void, ConnectionError> find_beginning(Connection& connection) {
    const Deadline deadline = session_.answer_deadline();
    if (auto sent = connection.send(Request{"status"}.body(), deadline); !sent) return sent;
    for (;;) {
      const auto reply = receive_reply(connection, deadline);
      if (!reply) return tl::unexpected(reply.error());
      if (reply->type() == "done" || reply->type() == "error") return {};
      const Object status = reply->object();
      const auto next = status.object("feed").number("next");
      if (next && cursor_.empty()) {
        cursor_ = std::string{status.text("boot")} + ':' + std::to_string(*next - 1);
      }
      now_ = status.text("now");
    }
  }

  [[nodiscard]] Request request() const {
    Request request{"watch"};
    if (!cursor_.empty()) request.with("since", cursor_);
    if (wanted_.snapshot && !snapshot_told_) request.flagged("snapshot");
    if (!wanted_.match.empty()) request.with("match", wanted_.match);
    if (!wanted_.group.empty()) request.with("group", wanted_.group);
    if (!wanted_.events.empty()) request.with("events", wanted_.events);
    return request;
  }

  Outcome tell(const Reply& reply) {
    if (output_.json()) {
      output_.print(reply);
    } else {
      print(reply);
    }
    if (!Output::good()) return tl::unexpected(Failure{kCannotWrite, {}});

    const std::string_view type = reply.type();
    if (type == "error") return tl::unexpected(refusal(reply));
    if (type == "done") return tl::unexpected(Failure{kNo, {"the daemon ended the feed"}});
    if (type == "snapshot_end") snapshot_told_ = true;
    if (type == "event") cursor_ = reply.object().text("cursor");
    return {};
  }

  void print(const Reply& reply) const {
    const Object object = reply.object();
    const std::string_view type = reply.type();
    if (type == "event") output_.print({event_line(object)});
    if (type == "client") output_.print({snapshot_line(object, now_)});
    if (type == "snapshot_end") {
      output_.print({{{"-- end of the snapshot: " + object.written("count") + " clients --", Tone::Faint}}});
    }
    if (type == "lost") output_.print({lost_line(object)});
  }

  void tell_away(const ConnectionError& error) {
    if (!away_) {
      std::fprintf(stderr, "heartbeatctl: the daemon went away (%s); trying until it is back\n",
                   error.text.c_str());
    }
    away_ = true;
  }

  const Wanted& wanted_;
  Session& session_;
  const Output& output_;
  std::string cursor_;
  std::string now_;             // of the daemon, when it was first asked
  bool begun_ = false;          // the daemon was there once
  bool away_ = false;           // said so
  bool snapshot_told_ = false;  // whole
};

class WatchCommand final : public Command {
 public:
  void declare(Parameters& parameters) override {
    parameters.text("--since", "CURSOR", "Begin after the event that carried this cursor", wanted_.since);
    parameters.glob("--client", "Only of clients with such a name", wanted_.match);
    parameters.text("--group", "GROUP", "Only of clients of this group; default: of none", wanted_.group);
    parameters.choices("--event", "EVENT", "Only these, with commas or repeated: leave,close …",
                       events::kEventNames, wanted_.events);
    parameters.flag("--snapshot", "Begin with every client as it is now", wanted_.snapshot);
    declare_journal(parameters, wanted_.journal);
    parameters.flag("--once", "End when the daemon goes away, instead of resuming", wanted_.once);
  }

  Outcome run(Session& session, const Output& output) override {
    return Watch{wanted_, session, output}.run();
  }

 private:
  Wanted wanted_;
};

}  // namespace

Made make_watch() {
  return std::make_unique<WatchCommand>();
}

}  // namespace heartbeat::ctl::commands
