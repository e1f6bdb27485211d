// heartbeatctl history
#include <cstdio>

#include "tools/ctl/commands/all.h"
#include "tools/ctl/event_text.h"
#include "tools/ctl/exit_code.h"
#include "tools/ctl/journal_files.h"
#include "tools/ctl/parameters.h"
#include "tools/ctl/time_text.h"

namespace heartbeat::ctl::commands {
namespace {

class HistoryCommand final : public Command {
 public:
  void declare(Parameters& parameters) override {
    parameters.client_operand("CLIENT", "Its name: its id, or the address that it was seen at", client_);
    parameters.duration("--since", "What happened at most this long ago [all]", since_);
    parameters.flag("--csv", "Print comma-separated values", csv_);
    declare_journal(parameters, journal_);
  }

  [[nodiscard]] std::string contradiction(const Options& options) const override {
    return csv_ && options.json ? "--csv: not with --json" : std::string{};
  }

  // Events of the client, and the ends and starts of daemons between them.
  Outcome run(Session& /*session*/, const Output& output) override {
    const Millis since = instant_before_now(since_);
    std::uint64_t count = 0;
    if (csv_) print_csv({"at", "event", "from", "to", "reason", "by", "connected_ms", "heartbeats", "peer"});
    auto read = read_journal(journal_, [&](const Reply& line, std::uint64_t lost_before) {
      const Object object = line.object();
      const auto at = parse_instant(object.text("at"));
      if (!at || *at < since) return;
      if (lost_before > 0 && !csv_ && !output.json()) {
        output.print({{{"-- " + std::to_string(lost_before) + " events are missing --", Tone::Bad}}});
      }
      const std::string_view type = line.type();
      const bool is_of_client =
          type == "event" && (object.text("client") == client_ || object.text("previous") == client_);
      if (is_of_client) {
        ++count;
        show(line, output);
      } else if ((type == "start" || type == "end" || type == "lost") && count > 0) {
        if (!csv_ && !output.json()) output.print({note_of(object)});
      }
    });
    if (!read) return read;
    if (count == 0) return tl::unexpected(Failure{kNo, {"the event journal has no such client"}});
    return {};
  }

 private:
  void show(const Reply& line, const Output& output) const {
    if (output.json()) return output.print(line);
    const Object object = line.object();
    if (!csv_) return output.print({event_line(object)});
    print_csv(
        {std::string{object.text("at")}, std::string{object.text("event")}, std::string{object.text("from")},
         std::string{object.text("to")}, std::string{object.text("reason")}, std::string{object.text("by")},
         object.written("connected_ms"), object.written("heartbeats"), std::string{object.text("peer")}});
  }

  static void print_csv(const std::vector<std::string>& cells) {
    const std::string line = csv_line(cells);
    std::fwrite(line.data(), 1, line.size(), stdout);
  }

  static Line note_of(const Object& object) {
    const std::string_view type = object.text("type");
    if (type == "lost") return lost_line(object);
    const std::string what = type == "start" ? "the daemon started" : "the daemon ended";
    return {{"-- " + what + " at " + local_time(object.text("at")) + " --", Tone::Faint}};
  }

  std::string client_;
  std::string since_;
  std::string journal_;
  bool csv_ = false;
};

}  // namespace

Made make_history() {
  return std::make_unique<HistoryCommand>();
}

}  // namespace heartbeat::ctl::commands
