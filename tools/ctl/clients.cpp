// heartbeatctl clients
#include <algorithm>
#include <cstdio>
#include <limits>

#include "tools/ctl/client_table.h"
#include "tools/ctl/commands.h"
#include "tools/ctl/exit_code.h"

namespace heartbeat::ctl {
namespace {

// A sorted list has no further pages, so it is asked for in one.
Request page_request(const ClientsCommand& command, std::uint64_t left, const std::string& cursor) {
  const std::size_t page = command.sort.empty() ? limits::kListDefault : limits::kListMax;
  Request request{"clients"};
  request.with("limit", std::min<std::uint64_t>(left, page));
  if (!command.status.empty()) request.with("status", command.status);
  if (!command.match.empty()) request.with("match", command.match);
  if (!command.sort.empty()) request.with("sort", command.sort);
  if (!cursor.empty()) request.with("cursor", cursor);
  return request;
}

}  // namespace

Outcome run(const ClientsCommand& command, Session& session, const Output& output) {
  std::optional<Reply> status;  // a table shows counters beside their bounds
  if (!output.json()) {
    auto answer = session.ask_for_one(Request{"status"});
    if (!answer) return tl::unexpected(answer.error());
    status = std::move(*answer);
  }
  const Object rule = status ? status->object().object("rule") : Object{};

  const std::uint64_t wanted = command.limit.value_or(std::numeric_limits<std::uint64_t>::max());
  std::uint64_t listed = 0;
  Table table = client_table();
  std::string cursor;
  do {
    const auto done = session.ask(page_request(command, wanted - listed, cursor), [&](const Reply& reply) {
      ++listed;
      if (!output.json()) table.add(client_cells(reply.object(), rule));
    });
    if (!done) return tl::unexpected(done.error());
    if (!output.json() && listed != 0) output.print(table.take(output.width()));

    const std::string next = done->object().written("next");
    if (!next.empty() && next == cursor) {
      return tl::unexpected(Failure{kNotADaemon, {"the daemon's list does not go on after " + cursor}});
    }
    cursor = next;
  } while (!cursor.empty() && listed < wanted);

  if (listed == 0) {
    const bool is_filtered = !command.status.empty() || !command.match.empty();
    if (is_filtered) return tl::unexpected(Failure{kNo, {"no client matches"}});
    // An empty fleet is an answer, and no failure.
    if (!output.json()) std::fputs("heartbeatctl: no client is connected\n", stderr);
  }
  if (!command.sort.empty() && !command.limit && listed >= limits::kListMax) {
    std::fprintf(stderr, "heartbeatctl: these are the first %llu; a sorted list has no more\n",
                 static_cast<unsigned long long>(listed));
  }
  return {};
}

}  // namespace heartbeat::ctl
