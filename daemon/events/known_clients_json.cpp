#include "daemon/events/known_clients_json.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include <rapidjson/document.h>

#include "common/events/journal_reader.h"
#include "common/events/line.h"
#include "common/events/segments.h"
#include "common/json_writer.h"
#include "common/limits.h"
#include "daemon/core/reason.h"

namespace heartbeat {
namespace {

using KnownByName = std::map<std::string, KnownClient, std::less<>>;

std::string_view text_of(const rapidjson::Document& line, const char* member) {
  const auto found = line.FindMember(member);
  if (found == line.MemberEnd() || !found->value.IsString()) return {};
  return {found->value.GetString(), found->value.GetStringLength()};
}

// The kinds that say something of it; most lines need not be parsed.
constexpr std::array<std::string_view, 7> kKinds{"joined", "named", "takeover", "leave",
                                                 "return", "close", "absent"};

bool concerns_connection(std::string_view event) {
  return std::find(kKinds.begin(), kKinds.end(), event) != kKinds.end();
}

void come(KnownByName& known, std::string_view name, std::string_view peer) {
  if (name == peer || known.size() >= limits::kClientsMax) return;  // by its address
  const auto [at, is_new] = known.try_emplace(std::string{name});
  if (is_new) at->second.name = name;
  at->second.peer = peer;
}

void go(KnownByName& known, std::string_view name, std::string_view reason) {
  // Another connection has the id, or the daemon ended: the client had not gone.
  if (reason == to_string(Reason::Superseded) || reason == to_string(Reason::Shutdown)) return;
  if (const auto at = known.find(name); at != known.end()) known.erase(at);
}

void apply(KnownByName& known, std::string_view line) {
  const std::string_view event = events::text_in(line, "event");
  if (!concerns_connection(event)) return;
  rapidjson::Document members;
  members.Parse(line.data(), line.size());
  if (members.HasParseError() || !members.IsObject()) return;
  const std::string_view name = text_of(members, "client");
  const std::string_view reason = text_of(members, "reason");
  if (event == "close" || event == "absent") return go(known, name, reason);
  if (event != "leave" && event != "return") return come(known, name, text_of(members, "peer"));
  const auto at = known.find(name);
  if (at == known.end()) return;
  at->second.status = event == "leave" ? Status::Leave : Status::Alive;
  at->second.away = event == "leave" && reason == to_string(Reason::Declared);
}

// The list's clients; returns where the journal goes on behind it, or nothing where there is no list.
std::optional<JournalCursor> read_list(const std::string& directory, KnownByName& known) {
  const auto file = events::read_file(directory + '/' + kKnownClientsName, limits::kKnownClientsFileMax);
  if (!file) return {};
  std::optional<JournalCursor> begun;
  std::string_view rest{*file};
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    rapidjson::Document members;
    if (!events::is_true_line(line) || members.Parse(line.data(), line.size()).HasParseError()) continue;
    if (text_of(members, "type") == "list") {
      begun =
          JournalCursor{std::string{text_of(members, "boot")}, events::number_in(line, "seq").value_or(0)};
    } else if (known.size() < limits::kClientsMax) {
      const std::string name{text_of(members, "client")};
      known[name] = {.name = name,
                     .peer = std::string{text_of(members, "peer")},
                     .status = text_of(members, "status") == "leave" ? Status::Leave : Status::Alive,
                     .away = members.HasMember("away"),
                     .group = std::string{text_of(members, "group")}};
    }
  }
  return begun;
}

}  // namespace

tl::expected<KnownClients, int> read_known_clients(const std::string& directory) {
  KnownByName known;
  const auto begun = read_list(directory, known);
  JournalReader journal{directory};
  if (begun) {
    const auto found = journal.behind(*begun);
    if (!found) return tl::unexpected(found.error());
  } else if (const auto oldest = journal.to_oldest(); !oldest) {
    return tl::unexpected(oldest.error());
  }
  KnownClients result;
  for (;;) {
    const auto line = journal.next();
    if (!line) return tl::unexpected(line.error());
    if (!*line) break;
    if (const auto at = parse_instant(events::text_in(**line, "at"))) result.ended = *at;
    apply(known, **line);
  }
  result.clients.reserve(known.size());
  for (auto& [name, client] : known) result.clients.push_back(std::move(client));
  return result;
}

void append_list_begin(std::string& out, std::string_view boot, std::uint64_t seq, WallTime now) {
  const std::size_t begin = out.size();
  JsonWriter json{out};
  json.begin_object();
  json.add("type", "list");
  json.add("boot", boot);
  json.add("seq", seq);
  json.add("at", format_instant(now));
  json.end_object();
  events::seal_line(out, begin);
}

void append_known_client(std::string& out, const KnownClient& client) {
  const std::size_t begin = out.size();
  JsonWriter json{out};
  json.begin_object();
  json.add("type", "client");
  json.add("client", client.name);
  json.add("peer", client.peer);
  json.add("status", to_string(client.status));
  if (client.away) json.add("away", true);
  if (!client.group.empty()) json.add("group", client.group);
  json.end_object();
  events::seal_line(out, begin);
}

}  // namespace heartbeat
