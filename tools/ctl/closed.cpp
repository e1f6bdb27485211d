// heartbeatctl closed
#include <cstdio>
#include <limits>

#include "tools/ctl/client_table.h"
#include "tools/ctl/commands.h"
#include "tools/ctl/exit_code.h"
#include "tools/ctl/time_text.h"

namespace heartbeat::ctl {
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

}  // namespace

Outcome run(const ClosedCommand& command, Session& session, const Output& output) {
  Request request{"closed"};
  request.with("limit", command.limit.value_or(limits::kListMax));
  if (!command.since.empty()) request.with("since", command.since);
  if (!command.reason.empty()) request.with("reason", command.reason);
  if (!command.match.empty()) request.with("match", command.match);

  Table table = closed_table();
  std::uint64_t listed = 0;
  const auto done = session.ask(request, [&](const Reply& reply) {
    ++listed;
    if (!output.json()) table.add(closed_cells(reply.object()));
  });
  if (!done) return tl::unexpected(done.error());

  const auto matching = static_cast<std::uint64_t>(done->object().number("matching").value_or(0));
  if (listed == 0) {
    const bool is_filtered = !command.since.empty() || !command.reason.empty() || !command.match.empty();
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

}  // namespace heartbeat::ctl
