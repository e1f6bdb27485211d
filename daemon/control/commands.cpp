#include "daemon/control/commands.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>
#include <variant>
#include <vector>

#include <spdlog/spdlog.h>

#include "common/json_frame.h"
#include "common/text.h"
#include "daemon/control/list_answer.h"
#include "daemon/control/request.h"
#include "daemon/control/watch_answer.h"
#include "daemon/report/story_json.h"

namespace heartbeat {
namespace {

using AnswerPtr = std::unique_ptr<Answer>;

// An answer that is short enough to be made in one piece, when its turn comes.
class OneAnswer final : public Answer {
 public:
  using Make = std::function<void(std::string& out)>;
  explicit OneAnswer(Make make) : make_(std::move(make)) {}

  State go_on(std::string& slice, Steps& steps) override {
    steps.spend(limits::kStepsPerOnce);
    make_(slice);
    return State::Done;
  }

 private:
  Make make_;
};

AnswerPtr at_once(OneAnswer::Make make) {
  return std::make_unique<OneAnswer>(std::move(make));
}

AnswerPtr error(std::string_view code, std::string message) {
  return at_once([code = std::string{code}, message = std::move(message)](std::string& out) {
    append_error(out, code, message);
  });
}

void append_done(std::string& out) {
  append_json_frame(out, [](JsonWriter& json) { json.add("type", "done"); });
}

// One line for each thing that was changed: `operator command=kick uid=1000 pid=4711 client=pump-7`.
void log_change(std::string_view command, Operator who, const std::string& what) {
  spdlog::info("operator command={} uid={} pid={}{}", command, who.uid, who.pid, what);
}

class KickAnswer final : public Answer {
 public:
  KickAnswer(ControlContext& context, Operator who, KickRequest request)
      : context_(context), who_(who), request_(std::move(request)) {}

  State go_on(std::string& slice, Steps& steps) override {
    for (; may_go_on(slice, steps) && next_ < request_.clients.size(); ++next_) {
      const std::string& name = request_.clients[next_];
      steps.spend(limits::kStepsPerKick);
      const bool kicked = context_.actions.kick(name, request_.message);
      if (kicked) {
        ++count_;
        log_change("kick", who_, " client=" + log_value(name));
      }
      append_json_frame(slice, [&](JsonWriter& json) {
        json.add("type", kicked ? "kicked" : "not_found");
        json.add("client", name);
      });
    }
    if (next_ < request_.clients.size()) return State::Unfinished;
    append_json_frame(slice, [&](JsonWriter& json) {
      json.add("type", "done");
      json.add("count", count_);
    });
    return State::Done;
  }

 private:
  ControlContext& context_;
  Operator who_;
  KickRequest request_;
  std::size_t next_ = 0;
  std::size_t count_ = 0;
};

// What each request becomes.
class Commands {
 public:
  Commands(ControlContext& context, Operator who) : context_(context), who_(who) {}

  AnswerPtr operator()(StatusRequest) const {
    return at_once([&context = context_](std::string& out) {
      append_json_frame(out, [&](JsonWriter& json) {
        json.add("type", "status");
        context.actions.add_status(json);
      });
      append_done(out);
    });
  }

  AnswerPtr operator()(ClientsRequest request) const {
    if (request.cursor && request.cursor->boot != context_.boot.id) {
      return error("bad_request", "'cursor' is of another run of the daemon: begin the list again");
    }
    if (request.sort && context_.sorted_lists == limits::kSortedListsMax) {
      return error("busy", std::to_string(limits::kSortedListsMax) +
                               " sorted lists are being made already: ask again in a moment");
    }
    return std::make_unique<ListAnswer>(context_, std::move(request));
  }

  AnswerPtr operator()(WhyRequest request) const {
    return at_once([&context = context_, name = std::move(request.client)](std::string& out) {
      append_story(out, name, context);
    });
  }

  AnswerPtr operator()(WatchRequest request) const {
    const auto& since = request.feed.since;
    if (since && is_ahead(*since, context_.feed, context_.boot.id))
      return error("bad_request", "'since' is beyond the last event");
    return std::make_unique<WatchAnswer>(context_, std::move(request));
  }

  AnswerPtr operator()(KickRequest request) const {
    return std::make_unique<KickAnswer>(context_, who_, std::move(request));
  }

  AnswerPtr operator()(BrakeRequest request) const {
    return at_once([&context = context_, who = who_, how = request.how](std::string& out) {
      const auto count = context.actions.end_brake(how);
      if (!count) return append_error(out, "no_brake", "the brake on mass closing does not hold");
      log_change("brake", who,
                 " action=" + std::string{how == BrakeEnd::Confirmed ? "confirm" : "release"} +
                     " clients=" + std::to_string(*count));
      append_json_frame(out, [&](JsonWriter& json) {
        json.add("type", "done");
        json.add("count", *count);
      });
    });
  }

  AnswerPtr operator()(const LogLevelRequest& request) const {
    return at_once([&context = context_, who = who_, level = request.level](std::string& out) {
      set_log_level(out, level, who, context);
    });
  }

  AnswerPtr operator()(SettingsRequest) const {
    return at_once([&context = context_](std::string& out) {
      for (const SettingInForce& setting : context.actions.settings()) {
        append_json_frame(out, [&](JsonWriter& json) {
          json.add("type", "setting");
          json.add("name", setting.name);
          json.add("value", setting.value);
          json.add("origin", setting.origin);
        });
      }
      append_done(out);
    });
  }

  AnswerPtr operator()(ReloadRequest) const {
    return at_once([&context = context_, who = who_](std::string& out) { reload(out, who, context); });
  }

 private:
  static void append_story(std::string& out, const std::string& name, const ControlContext& context) {
    const Monitor& monitor = context.monitor;
    const ReportContext report = context.report();
    const auto append = [&](const auto& client) {
      append_json_frame(out, [&](JsonWriter& json) {
        json.add("type", "story");
        add_story(json, client, monitor.stalls(), report);
      });
      append_done(out);
    };
    if (const auto slot = monitor.clients().slot_named(name)) return append(*monitor.clients().at(*slot));
    if (const ClosedClient* const closed = monitor.closed_clients().find(name)) return append(*closed);
    append_error(out, "no_such_client",
                 "no client " + log_value(name) + " is connected, or among the last that were closed");
  }

  static void set_log_level(std::string& out, const std::string& level, Operator who,
                            const ControlContext& context) {
    const auto former = spdlog::get_level();
    const auto from = context.actions.set_log_level(level);
    if (!from) return append_error(out, "bad_request", "'level': " + from.error());
    // At the more talkative of the two levels: who makes the log quiet is told of, too.
    const auto present = spdlog::get_level();
    spdlog::set_level(std::min(former, present));
    log_change("log_level", who, " from=" + *from + " to=" + level);
    spdlog::set_level(present);
    append_json_frame(out, [&](JsonWriter& json) {
      json.add("type", "done");
      json.add("from", *from);
      json.add("to", level);
    });
  }

  static void reload(std::string& out, Operator who, const ControlContext& context) {
    const ReloadResult result = context.actions.reload();
    if (!result.errors.empty()) {
      append_json_frame(out, [&](JsonWriter& json) {
        json.add("type", "error");
        json.add("code", "config_invalid");
        json.add("message", "the configuration was refused, and nothing has changed");
        json.begin_array("errors");
        for (const std::string& sentence : result.errors) json.value(sentence);
        json.end_array();
      });
      return;
    }
    log_change("reload", who, " changed=" + std::to_string(result.changed.size()));
    append_json_frame(out, [&](JsonWriter& json) {
      json.add("type", "done");
      json.begin_array("changed");
      for (const ReloadResult::Change& change : result.changed) {
        json.begin_object();
        json.add("name", change.name);
        json.add("from", change.before);
        json.add("to", change.after);
        json.end_object();
      }
      json.end_array();
      json.begin_array("needs_restart");
      for (const ReloadResult::Change& change : result.needs_restart) json.value(change.name);
      json.end_array();
    });
  }

  ControlContext& context_;
  Operator who_;
};

}  // namespace

AnswerPtr answer_to(std::string_view request, Operator who, ControlContext& context) {
  auto parsed = parse_request(request);
  if (!parsed) return error("bad_request", std::move(parsed.error()));
  return std::visit(Commands{context, who}, std::move(*parsed));
}

AnswerPtr answer_to_no_frame(std::int32_t length) {
  return error("bad_request", "this is not a frame: its length would be " + std::to_string(length) +
                                  ", and 1 to " + std::to_string(limits::kControlFrameMax) +
                                  " are allowed; see docs/control.md");
}

void append_error(std::string& out, std::string_view code, std::string_view message) {
  append_json_frame(out, [&](JsonWriter& json) {
    json.add("type", "error");
    json.add("code", code);
    json.add("message", message);
  });
}

}  // namespace heartbeat
