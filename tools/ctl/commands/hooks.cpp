// heartbeatctl hooks
//
// Asks no daemon: heartbeat-notify is a program of its own, and writes each second how its hooks are doing.
#include <cerrno>
#include <cstring>

#include "common/events/segments.h"
#include "tools/ctl/commands/all.h"
#include "tools/ctl/exit_code.h"
#include "tools/ctl/journal_files.h"
#include "tools/ctl/parameters.h"
#include "tools/ctl/table.h"
#include "tools/ctl/time_text.h"

namespace heartbeat::ctl::commands {
namespace {

constexpr const char* kStatusFile = "/run/heartbeat-notify/status.json";
constexpr std::uint64_t kStatusFileMax = std::uint64_t{1} << 20U;
// The notifier writes at least each ten seconds.
constexpr Millis kStatusLate{30'000};

Tone tone_of_hook(std::string_view state) {
  if (state == "well") return Tone::Good;
  return state == "off" ? Tone::Bad : Tone::Warning;
}

class HooksCommand final : public Command {
 public:
  void declare(Parameters& parameters) override {
    parameters.text("--file", "FILE", "Where the notifier writes it [/run/heartbeat-notify/status.json]",
                    file_);
  }

  // 1 where a hook is failing or off, or no notifier runs.
  Outcome run(Session& /*session*/, const Output& output) override {
    const std::string path = file_.empty() ? kStatusFile : file_;
    const auto text = events::read_file(path, kStatusFileMax);
    if (!text && text.error() == ENOENT) {
      return tl::unexpected(Failure{kNo, {"no heartbeat-notify runs here: there is no " + path}});
    }
    if (!text) {
      return tl::unexpected(Failure{text.error() == EACCES ? kDenied : kCannotWrite,
                                    {path + " cannot be read: " + std::strerror(text.error())}});
    }
    const auto reply = Reply::parse(*text);
    if (!reply || reply->type() != "hooks") {
      return tl::unexpected(Failure{kNotADaemon, {path + " is none of heartbeat-notify's"}});
    }
    return show(*reply, output);
  }

 private:
  static Outcome show(const Reply& reply, const Output& output) {
    const Object status = reply.object();
    Table table{{{"HOOK", 0},
                 {"KIND", 5},
                 {"STATE", 1},
                 {"LAG", 2, 0, Align::Right},
                 {"OLDEST", 3, 0, Align::Right},
                 {"FAILURES", 6, 0, Align::Right},
                 {"LOST", 7, 0, Align::Right},
                 {"LAST ANSWER", 4, 12}}};
    bool is_well = true;
    for (const Object& hook : status.objects("hooks")) {
      const std::string state{hook.text("state")};
      const Millis lag = hook.millis("lag_ms").value_or(Millis{0});
      is_well = is_well && state == "well";
      table.add({{std::string{hook.text("name")}},
                 {std::string{hook.text("kind")}},
                 {state, tone_of_hook(state)},
                 {hook.written("lag_events")},
                 {lag > Millis{0} ? span_text(lag) : std::string{}},
                 {hook.written("failures")},
                 {hook.written("lost")},
                 {std::string{hook.text("last_answer")}}});
    }
    if (output.json()) {
      output.print(reply);
    } else {
      output.print(table.take(output.width()));
    }
    const Millis at = parse_instant(status.text("at")).value_or(Millis{0});
    if (wall_clock_now() - at > kStatusLate) {
      return tl::unexpected(Failure{kNo,
                                    {"heartbeat-notify has written nothing since " +
                                     local_time(status.text("at")) + ": is it running?"}});
    }
    if (!is_well) return tl::unexpected(Failure{kNo, {"not every hook delivers"}});
    return {};
  }

  std::string file_;
};

}  // namespace

Made make_hooks() {
  return std::make_unique<HooksCommand>();
}

}  // namespace heartbeat::ctl::commands
