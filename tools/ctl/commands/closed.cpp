// heartbeatctl closed
#include <array>
#include <cstdio>
#include <deque>
#include <utility>

#include "common/glob.h"
#include "tools/ctl/client_table.h"
#include "tools/ctl/commands/all.h"
#include "tools/ctl/exit_code.h"
#include "tools/ctl/journal_files.h"
#include "tools/ctl/parameters.h"
#include "tools/ctl/time_text.h"

namespace heartbeat::ctl::commands {
namespace {

Table closed_table() {
  return Table{{
      {"NAME", 0, kNameLeast},
      {"CLOSED", 1},
      {"REASON", 2},
      {"BY", 3},
      {"BEATS", 6, 0, Align::Right},
      {"CONNECTED FOR", 5, 0, Align::Right},
      {"LEAST", 7, 0, Align::Right},
      {"PEER", 4, kNameLeast},
      {"DETAIL", 8, kNameLeast},
  }};
}

Line closed_cells(const Object& client) {
  const Object close = client.object("close");
  const std::string at = local_time(close.text("at"));
  const auto connected = client.millis("connected_ms");
  const std::string_view by = close.text("by");
  return {
      {std::string{client.text("name")}, Tone::Strong},
      {at.substr(0, at.find('.'))},
      {std::string{close.text("reason")}, by == "client" ? Tone::Plain : Tone::Warning},
      {std::string{by}},
      {client.written("heartbeats")},
      {connected ? span_text(*connected) : std::string{}},
      {margin_text(client, "margin_least")},
      {std::string{client.text("peer")}},
      {std::string{close.text("detail")}},
  };
}

// The same of a close in the event journal, which has no margin.
Line closed_cells_of_event(const Object& event) {
  const std::string at = local_time(event.text("at"));
  const auto connected = event.millis("connected_ms");
  const std::string_view by = event.text("by");
  return {
      {std::string{event.text("client")}, Tone::Strong},
      {at.substr(0, at.find('.'))},
      {std::string{event.text("reason")}, by == "client" ? Tone::Plain : Tone::Warning},
      {std::string{by}},
      {event.written("heartbeats")},
      {connected ? span_text(*connected) : std::string{}},
      {},
      {std::string{event.text("peer")}},
      {std::string{event.text("detail")}},
  };
}

constexpr std::array<std::string_view, 3> kParties{"client", "daemon", "operator"};

// For the shell to offer; the daemon knows what is a reason.
constexpr std::array<std::string_view, 19> kReasons{
    "silent",     "away",      "goodbye",     "peer_closed",   "reset",  "bad_frame", "bad_heartbeat",
    "superseded", "kicked",    "never_spoke", "frame_timeout", "limit",  "shutdown",  "unauthorized",
    "given_up",   "timed_out", "crash",       "absent",        "drained"};

class ClosedCommand final : public Command {
 public:
  void declare(Parameters& parameters) override {
    parameters.duration("--since", "Closed at most this long ago", since_);
    parameters.hinted_text("--reason", "REASON", "Closed for this reason: silent, peer_closed, kicked …",
                           kReasons, reason_);
    parameters.glob("--match", "Only those with such a name or address", match_);
    parameters.text("--group", "GROUP", "Only those of this group; default: those of none", group_);
    parameters.choice("--by", "client|daemon|operator", "From the event journal: closed by this side",
                      kParties, by_);
    parameters.flag("--missing", "Those that were connected when the daemon last ended and are not back",
                    missing_);
    declare_journal(parameters, journal_);
    parameters.count("--limit", "At most this many, and no more than 10000 [10000]", limit_);
  }

  [[nodiscard]] std::string contradiction(const Options& /*options*/) const override {
    if (missing_ && (!by_.empty() || !journal_.empty())) {
      return "--missing: the daemon knows these, and the event journal does not";
    }
    if (!limit_ || *limit_ <= limits::kListMax) return {};
    return "--limit: at most " + std::to_string(limits::kListMax) + " are listed";
  }

  Outcome run(Session& session, const Output& output) override {
    if (!by_.empty() || !journal_.empty()) return run_on_journal(output);
    Request request{"closed"};
    request.with("limit", limit_.value_or(limits::kListMax));
    if (missing_) request.flagged("missing");
    if (!since_.empty()) request.with("since", since_);
    if (!reason_.empty()) request.with("reason", reason_);
    if (!match_.empty()) request.with("match", match_);
    if (!group_.empty()) request.with("group", group_);

    Table table = closed_table();
    std::uint64_t listed = 0;
    const auto done = session.ask(request, [&](const Reply& reply) {
      ++listed;
      if (!output.json()) table.add(closed_cells(reply.object()));
    });
    if (!done) return tl::unexpected(done.error());

    const auto matching = static_cast<std::uint64_t>(done->object().number("matching").value_or(0));
    if (listed == 0) {
      const bool is_filtered = !since_.empty() || !reason_.empty() || !match_.empty() || !group_.empty();
      if (is_filtered) return tl::unexpected(Failure{kNo, {"no closed client matches"}});
      if (!output.json()) {
        std::fputs(missing_ ? "heartbeatctl: no client is missing\n"
                            : "heartbeatctl: no closed client is remembered\n",
                   stderr);
      }
      return {};
    }
    if (!output.json()) output.print(table.take(output.width()));
    report_limit(listed, matching);
    return {};
  }

 private:
  [[nodiscard]] bool matches(const Object& event, Millis since, const Glob& glob) const {
    if (event.text("event") != "close") return false;
    if (parse_instant(event.text("at")).value_or(Millis{0}) < since) return false;
    if (!reason_.empty() && event.text("reason") != reason_) return false;
    if (!by_.empty() && event.text("by") != by_) return false;
    const std::string_view group = event.text("group");
    if (!group_.empty() && (group.empty() ? "default" : group) != group_) return false;
    return glob.matches(event.text("client")) || glob.matches(event.text("peer"));
  }

  // What the daemon does not remember any more, and what no daemon needs to be asked.
  [[nodiscard]] Outcome run_on_journal(const Output& output) const {
    const auto glob = Glob::compile(match_.empty() ? "*" : match_);
    if (!glob) return tl::unexpected(Failure{kUsage, {"--match: " + glob.error()}});
    const Millis since = instant_before_now(since_);
    const std::uint64_t limit = limit_.value_or(limits::kListMax);
    std::deque<Reply> closes;  // the last ones, the oldest first
    std::uint64_t matching = 0;
    auto read = read_journal(journal_, [&](Reply line, std::uint64_t) {
      if (line.type() != "event" || !matches(line.object(), since, *glob)) return;
      ++matching;
      closes.push_back(std::move(line));
      if (closes.size() > limit) closes.pop_front();
    });
    if (!read) return read;
    if (closes.empty()) return tl::unexpected(Failure{kNo, {"no closed client matches"}});
    Table table = closed_table();
    for (std::size_t earlier = closes.size(); earlier > 0; --earlier) {
      const Reply& close = closes[earlier - 1];
      if (output.json()) {
        output.print(close);
      } else {
        table.add(closed_cells_of_event(close.object()));
      }
    }
    if (!output.json()) output.print(table.take(output.width()));
    report_limit(closes.size(), matching);
    return {};
  }

  static void report_limit(std::uint64_t listed, std::uint64_t matching) {
    if (matching <= listed) return;
    std::fprintf(stderr, "heartbeatctl: these are the last %llu of %llu\n",
                 static_cast<unsigned long long>(listed), static_cast<unsigned long long>(matching));
  }

  std::string since_;
  std::string by_;
  std::string journal_;
  std::string reason_;
  std::string match_;
  std::string group_;
  bool missing_ = false;
  std::optional<std::uint64_t> limit_;
};

}  // namespace

Made make_closed() {
  return std::make_unique<ClosedCommand>();
}

}  // namespace heartbeat::ctl::commands
