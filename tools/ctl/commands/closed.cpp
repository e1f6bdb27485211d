// heartbeatctl closed
#include <array>
#include <cstdio>
#include <limits>

#include "tools/ctl/client_table.h"
#include "tools/ctl/commands/all.h"
#include "tools/ctl/exit_code.h"
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

// For the shell to offer; the daemon knows what is a reason.
constexpr std::array<std::string_view, 14> kReasons{
    "silent",     "away",   "goodbye",     "peer_closed",   "reset", "bad_frame", "bad_heartbeat",
    "superseded", "kicked", "never_spoke", "frame_timeout", "limit", "shutdown",  "unauthorized"};

class ClosedCommand final : public Command {
 public:
  void declare(Parameters& parameters) override {
    parameters.duration("--since", "Closed at most this long ago", since_);
    parameters.hinted_text("--reason", "REASON", "Closed for this reason: silent, peer_closed, kicked …",
                           kReasons, reason_);
    parameters.glob("--match", "Only those with such a name or address", match_);
    parameters.count("--limit", "At most this many, and no more than 10000 [10000]", limit_);
  }

  [[nodiscard]] std::string contradiction(const Options& /*options*/) const override {
    if (!limit_ || *limit_ <= limits::kListMax) return {};
    return "--limit: at most " + std::to_string(limits::kListMax) + " are listed";
  }

  Outcome run(Session& session, const Output& output) override {
    Request request{"closed"};
    request.with("limit", limit_.value_or(limits::kListMax));
    if (!since_.empty()) request.with("since", since_);
    if (!reason_.empty()) request.with("reason", reason_);
    if (!match_.empty()) request.with("match", match_);

    Table table = closed_table();
    std::uint64_t listed = 0;
    const auto done = session.ask(request, [&](const Reply& reply) {
      ++listed;
      if (!output.json()) table.add(closed_cells(reply.object()));
    });
    if (!done) return tl::unexpected(done.error());

    const auto matching = static_cast<std::uint64_t>(done->object().number("matching").value_or(0));
    if (listed == 0) {
      const bool is_filtered = !since_.empty() || !reason_.empty() || !match_.empty();
      if (is_filtered) return tl::unexpected(Failure{kNo, {"no closed client matches"}});
      if (!output.json()) std::fputs("heartbeatctl: no closed client is remembered\n", stderr);
      return {};
    }
    if (!output.json()) output.print(table.take(output.width()));
    if (matching > listed) {
      std::fprintf(stderr, "heartbeatctl: these are the last %llu of %llu\n",
                   static_cast<unsigned long long>(listed), static_cast<unsigned long long>(matching));
    }
    return {};
  }

 private:
  std::string since_;
  std::string reason_;
  std::string match_;
  std::optional<std::uint64_t> limit_;
};

}  // namespace

Made make_closed() {
  return std::make_unique<ClosedCommand>();
}

}  // namespace heartbeat::ctl::commands
