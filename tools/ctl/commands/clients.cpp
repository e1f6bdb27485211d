// heartbeatctl clients
#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>

#include "tools/ctl/client_table.h"
#include "tools/ctl/commands/all.h"
#include "tools/ctl/exit_code.h"
#include "tools/ctl/parameters.h"

namespace heartbeat::ctl::commands {
namespace {

constexpr std::array<std::string_view, 2> kStatuses{"alive", "leave"};

class ClientsCommand final : public Command {
 public:
  void declare(Parameters& parameters) override {
    parameters.choice("--status", "alive|leave", "Only those that are alive, or in leave", kStatuses,
                      status_);
    parameters.glob("--match", "Only those with such a name", match_);
    parameters.text("--group", "GROUP", "Only those of this group; default: those of none", group_);
    parameters.choice("--sort", "silence|margin|connected|name",
                      "The most worrying first (silence, margin), the oldest (connected), or by name",
                      kClientOrders, sort_);
    parameters.count("--limit", "At most this many; with --sort no more than 10000 [all]", limit_);
  }

  [[nodiscard]] std::string contradiction(const Options& /*options*/) const override {
    if (sort_.empty() || !limit_ || *limit_ <= limits::kListMax) return {};
    return "--limit: with --sort at most " + std::to_string(limits::kListMax) + " are listed";
  }

  Outcome run(Session& session, const Output& output) override {
    std::optional<Reply> status;  // a table shows counters beside their bounds
    if (!output.json()) {
      auto answer = session.ask_for_one(Request{"status"});
      if (!answer) return tl::unexpected(answer.error());
      status = std::move(*answer);
    }
    const Object rule = status ? status->object().object("rule") : Object{};

    const std::uint64_t wanted = limit_.value_or(std::numeric_limits<std::uint64_t>::max());
    std::uint64_t listed = 0;
    Table table = client_table();
    std::string cursor;
    do {
      const auto done = session.ask(page_request(wanted - listed, cursor), [&](const Reply& reply) {
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
      const bool is_filtered = !status_.empty() || !match_.empty() || !group_.empty();
      if (is_filtered) return tl::unexpected(Failure{kNo, {"no client matches"}});
      // An empty fleet is an answer, and no failure.
      if (!output.json()) std::fputs("heartbeatctl: no client is connected\n", stderr);
    }
    if (!sort_.empty() && !limit_ && listed >= limits::kListMax) {
      std::fprintf(stderr, "heartbeatctl: these are the first %llu; a sorted list has no more\n",
                   static_cast<unsigned long long>(listed));
    }
    return {};
  }

 private:
  // A sorted list has no further pages, so it is asked for in one.
  [[nodiscard]] Request page_request(std::uint64_t left, const std::string& cursor) const {
    const std::size_t page = sort_.empty() ? limits::kListDefault : limits::kListMax;
    Request request{"clients"};
    request.with("limit", std::min<std::uint64_t>(left, page));
    if (!status_.empty()) request.with("status", status_);
    if (!match_.empty()) request.with("match", match_);
    if (!group_.empty()) request.with("group", group_);
    if (!sort_.empty()) request.with("sort", sort_);
    if (!cursor.empty()) request.with("cursor", cursor);
    return request;
  }

  std::string status_;
  std::string match_;
  std::string group_;
  std::string sort_;
  std::optional<std::uint64_t> limit_;
};

}  // namespace

Made make_clients() {
  return std::make_unique<ClientsCommand>();
}

}  // namespace heartbeat::ctl::commands
