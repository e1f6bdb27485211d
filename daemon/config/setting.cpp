#include "daemon/config/setting.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <type_traits>
#include <utility>

#include "common/duration.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/nearest_word.h"
#include "common/text.h"
#include "daemon/config/overlap.h"

namespace heartbeat {
namespace {

using Type = Setting::Type;

constexpr std::array<std::string_view, 3> kLogTargets{"auto", "stderr", "journal"};

constexpr std::array<std::string_view, 2> kNoYes{"no", "yes"};

constexpr std::int64_t kGroupNameMax = 32;  // bytes, as groupadd allows

constexpr std::array<std::string_view, 3> kSyncs{"no", "second", "each"};

constexpr std::array kSettings{
    Setting{.key = "listen",
            .type = Type::Addresses,
            .min = 0,
            .max = limits::kListenersMax,
            .unit = "addresses",
            .choices = {},
            .while_running = true,
            .meaning = "Accept clients here; port 0 takes a free one",
            .member = [](Config& config) -> Member { return &config.listen; }},
    Setting{.key = "listener",
            .type = Type::Listeners,
            .min = 0,
            .max = limits::kListenersMax,
            .unit = "listeners",
            .choices = {},
            .while_running = true,
            .meaning = "Accept clients here as well, each address with options of its own; best given as "
                       "[[listener]] tables",
            .member = [](Config& config) -> Member { return &config.listeners; }},
    Setting{.key = "proxy_from",
            .type = Type::Networks,
            .min = 0,
            .max = limits::kNetworksMax,
            .unit = "networks",
            .choices = {},
            .while_running = true,
            .meaning = "Require a PROXY protocol header of connections from these addresses, and take the "
                       "client's address from it; refuse one from any other",
            .member = [](Config& config) -> Member { return &config.proxy_from; }},
    Setting{.key = "require",
            .type = Type::Choice,
            .min = 0,
            .max = 0,
            .unit = {},
            .choices = kRequirements,
            .while_running = true,
            .meaning =
                "What a client must prove: certificate is that a proxy verified a certificate, whose name "
                "is the only id that the client may use; token is a token of the file tokens, in its first "
                "heartbeat",
            .member = [](Config& config) -> Member { return &config.require; }},
    Setting{.key = "tokens",
            .type = Type::Path,
            .min = 0,
            .max = limits::kPathMax,
            .unit = "bytes",
            .choices = {},
            .while_running = true,
            .meaning =
                "The file of tokens, whose lines heartbeatctl token writes; when empty, there are none, "
                "and a token that a client gives is ignored",
            .member = [](Config& config) -> Member { return &config.tokens; }},
    Setting{.key = "token_in_clear",
            .type = Type::Choice,
            .min = 0,
            .max = 0,
            .unit = {},
            .choices = kNoYes,
            .while_running = true,
            .meaning = "Whether a listener that other machines can reach may require tokens without "
                       "encryption, so that the network can read them",
            .member = [](Config& config) -> Member { return &config.token_in_clear; }},
    Setting{.key = "tick",
            .type = Type::Duration,
            .min = limits::kTickMin.count(),
            .max = limits::kTickMax.count(),
            .unit = {},
            .choices = {},
            .while_running = true,
            .meaning = "Cut each client's time into ticks of this length; best its heartbeat interval",
            .member = [](Config& config) -> Member { return &config.settings.rule.tick; }},
    Setting{.key = "threshold",
            .type = Type::Count,
            .min = 1,
            .max = limits::kRuleCountMax,
            .unit = "ticks",
            .choices = {},
            .while_running = true,
            .meaning = "Silent ticks that make a strike",
            .member = [](Config& config) -> Member { return &config.settings.rule.threshold; }},
    Setting{.key = "cursor",
            .type = Type::Count,
            .min = 1,
            .max = limits::kRuleCountMax,
            .unit = "strikes",
            .choices = {},
            .while_running = true,
            .meaning = "Strikes that make a leave",
            .member = [](Config& config) -> Member { return &config.settings.rule.cursor; }},
    Setting{.key = "recover",
            .type = Type::Count,
            .min = 1,
            .max = limits::kRuleCountMax,
            .unit = "ticks",
            .choices = {},
            .while_running = true,
            .meaning = "Heard ticks that clear the strikes, or end a leave",
            .member = [](Config& config) -> Member { return &config.settings.rule.recover; }},
    Setting{.key = "leave_timeout",
            .type = Type::Duration,
            .min = limits::kTickMin.count(),
            .max = limits::kLeaveTimeoutMax.count(),
            .unit = {},
            .choices = {},
            .while_running = true,
            .meaning = "Kick a client that was in leave for this long; at least one tick",
            .member = [](Config& config) -> Member { return &config.settings.rule.leave_timeout; }},
    Setting{.key = "group",
            .type = Type::Groups,
            .min = 0,
            .max = limits::kGroupsMax,
            .unit = "groups",
            .choices = {},
            .while_running = true,
            .meaning = "Judge these clients by settings of their own; best given as [[group]] tables",
            .member = [](Config& config) -> Member { return &config.groups; }},
    Setting{.key = "brake_share",
            .type = Type::Count,
            .min = 0,
            .max = limits::kBrakeShareMax,
            .unit = "percent",
            .choices = {},
            .while_running = true,
            .meaning = "Pause closing where more than this share of all clients would be closed for silence "
                       "at one time; 0 for never",
            .member = [](Config& config) -> Member { return &config.settings.brake.share_percent; }},
    Setting{.key = "brake_clients",
            .type = Type::Count,
            .min = 1,
            .max = limits::kClientsMax,
            .unit = "clients",
            .choices = {},
            .while_running = true,
            .meaning = "The brake on mass closing takes no fewer silent clients than this for a mass",
            .member = [](Config& config) -> Member { return &config.settings.brake.clients_min; }},
    Setting{.key = "brake_window",
            .type = Type::Duration,
            .min = limits::kTickMin.count(),
            .max = limits::kBrakeWindowMax.count(),
            .unit = {},
            .choices = {},
            .while_running = true,
            .meaning = "Closes within this time are at one time; two ticks at least, and one leave_timeout "
                       "at most",
            .member = [](Config& config) -> Member { return &config.settings.brake.window; }},
    Setting{.key = "brake_pause",
            .type = Type::Duration,
            .min = limits::kTickMin.count(),
            .max = limits::kBrakePauseMax.count(),
            .unit = {},
            .choices = {},
            .while_running = true,
            .meaning = "How long closing pauses then; one leave_timeout at most",
            .member = [](Config& config) -> Member { return &config.settings.brake.pause; }},
    Setting{.key = "max_clients",
            .type = Type::Count,
            .min = 1,
            .max = limits::kClientsMax,
            .unit = "clients",
            .choices = {},
            .while_running = true,
            .meaning = "Clients at once; lowered to what the descriptor limit allows",
            .member = [](Config& config) -> Member { return &config.settings.clients_max; }},
    Setting{
        .key = "max_clients_per_ip",
        .type = Type::Count,
        .min = 0,
        .max = limits::kClientsMax,
        .unit = "clients",
        .choices = {},
        .while_running = true,
        .meaning = "Clients at once from one IPv4 address, or one IPv6 network of 64 bits; 0 for no limit",
        .member = [](Config& config) -> Member { return &config.settings.bounds.max_clients_per_ip; }},
    Setting{.key = "hello_timeout",
            .type = Type::Duration,
            .min = 0,
            .max = limits::kPeerTimeoutMax.count(),
            .unit = {},
            .choices = {},
            .while_running = true,
            .meaning =
                "Close a connection whose first heartbeat is not there after this long, and never before "
                "three ticks; 0s for no limit",
            .member = [](Config& config) -> Member { return &config.settings.bounds.hello_timeout; }},
    Setting{.key = "frame_timeout",
            .type = Type::Duration,
            .min = 0,
            .max = limits::kPeerTimeoutMax.count(),
            .unit = {},
            .choices = {},
            .while_running = true,
            .meaning = "Close a connection that leaves a frame unfinished for this long; 0s for no limit",
            .member = [](Config& config) -> Member { return &config.settings.bounds.frame_timeout; }},
    Setting{.key = "max_rate",
            .type = Type::Count,
            .min = 0,
            .max = limits::kBeatRateMax,
            .unit = "heartbeats",
            .choices = {},
            .while_running = true,
            .meaning =
                "Heartbeats a second that are read from one client, in the mean of ten seconds; more wait "
                "unread; 0 for no limit",
            .member = [](Config& config) -> Member { return &config.settings.bounds.max_rate; }},
    Setting{.key = "interval_min",
            .type = Type::Duration,
            .min = limits::kTickMin.count(),
            .max = limits::kTickMax.count(),
            .unit = {},
            .choices = {},
            .while_running = true,
            .meaning = "Where a client declares its heartbeat interval: the shortest tick that it gets",
            .member = [](Config& config) -> Member { return &config.settings.bounds.interval_min; }},
    Setting{.key = "interval_max",
            .type = Type::Duration,
            .min = 0,
            .max = limits::kTickMax.count(),
            .unit = {},
            .choices = {},
            .while_running = true,
            .meaning = "The longest tick that a client gets for the interval that it declares; 0s to ignore "
                       "what it declares",
            .member = [](Config& config) -> Member { return &config.settings.bounds.interval_max; }},
    Setting{.key = "quiet_max",
            .type = Type::Duration,
            .min = 0,
            .max = limits::kQuietMax.count(),
            .unit = {},
            .choices = {},
            .while_running = true,
            .meaning = "The longest silence that a client may announce and is not judged for; 0s to ignore "
                       "what it announces",
            .member = [](Config& config) -> Member { return &config.settings.bounds.quiet_max; }},
    Setting{.key = "tcp_keepalive",
            .type = Type::Duration,
            .min = 0,
            .max = limits::kPeerTimeoutMax.count(),
            .unit = {},
            .choices = {},
            .while_running = true,
            .meaning =
                "Let the kernel probe a peer that sent no packet for this long, and end the connection after "
                "as long again without an answer; 0s for never",
            .member = [](Config& config) -> Member { return &config.tcp.keepalive; }},
    Setting{.key = "tcp_user_timeout",
            .type = Type::Duration,
            .min = 0,
            .max = limits::kPeerTimeoutMax.count(),
            .unit = {},
            .choices = {},
            .while_running = true,
            .meaning =
                "Let the kernel end a connection whose peer has acknowledged nothing for this long although "
                "something was sent; 0s for the system's own time",
            .member = [](Config& config) -> Member { return &config.tcp.user_timeout; }},
    Setting{.key = "accept_rate",
            .type = Type::Count,
            .min = 0,
            .max = limits::kAcceptRateMax,
            .unit = "connections",
            .choices = {},
            .while_running = true,
            .meaning =
                "Connections a second that are accepted, after two seconds' worth at once; more wait to be "
                "accepted; 0 for no limit",
            .member = [](Config& config) -> Member { return &config.accept_rate; }},
    Setting{.key = "remember",
            .type = Type::Count,
            .min = 0,
            .max = limits::kRememberMax,
            .unit = "clients",
            .choices = {},
            .while_running = true,
            .meaning = "Closed clients that are remembered, the last ones closed",
            .member = [](Config& config) -> Member { return &config.settings.remember; }},
    Setting{.key = "roster",
            .type = Type::Path,
            .min = 0,
            .max = limits::kPathMax,
            .unit = "bytes",
            .choices = {},
            .while_running = true,
            .meaning =
                "The file of the ids that are expected, one a line; clients of it that are not connected "
                "are reported as missing; when empty, none is expected",
            .member = [](Config& config) -> Member { return &config.roster; }},
    Setting{.key = "backlog",
            .type = Type::Count,
            .min = 1,
            .max = limits::kBacklogMax,
            .unit = "connections",
            .choices = {},
            .while_running = true,
            .meaning = "Connections that may wait to be accepted; the kernel lowers it to net.core.somaxconn",
            .member = [](Config& config) -> Member { return &config.backlog; }},
    Setting{.key = "keep_over_crash",
            .type = Type::Choice,
            .min = 0,
            .max = 0,
            .unit = {},
            .choices = kNoYes,
            .while_running = false,
            .meaning =
                "Whether the service manager keeps the clients' connections and the daemon's state all "
                "the time, so that a crash drops no client; costs memory, and a copy of each heartbeat",
            .member = [](Config& config) -> Member { return &config.keep_over_crash; }},
    Setting{.key = "pause_max",
            .type = Type::Duration,
            .min = 0,
            .max = limits::kPauseMax.count(),
            .unit = {},
            .choices = {},
            .while_running = true,
            .meaning =
                "Rest so long between two turns of the loop, and a 200th of a tick, at the most, to take "
                "heartbeats together; 0ms for not at all",
            .member = [](Config& config) -> Member { return &config.pause_max; }},
    Setting{.key = "control",
            .type = Type::Path,
            .min = 0,
            .max = limits::kSocketPathMax,
            .unit = "bytes",
            .choices = {},
            .while_running = false,
            .meaning = "The control socket; when empty, $RUNTIME_DIRECTORY/control.sock, else "
                       "$XDG_RUNTIME_DIR/heartbeatd/control.sock, else /run/heartbeatd/control.sock",
            .member = [](Config& config) -> Member { return &config.control; }},
    Setting{.key = "control_readers",
            .type = Type::Path,
            .min = 0,
            .max = kGroupNameMax,
            .unit = "bytes",
            .choices = {},
            .while_running = false,
            .meaning =
                "The group whose members may see by the control socket and change nothing; when empty, "
                "whoever can connect may do everything",
            .member = [](Config& config) -> Member { return &config.control_readers; }},
    Setting{.key = "http.listen",
            .type = Type::Address,
            .min = 0,
            .max = 0,
            .unit = {},
            .choices = {},
            .while_running = false,
            .meaning = "Serve the status page, metrics and the API here; when empty, nowhere",
            .member = [](Config& config) -> Member { return &config.http_listen; }},
    Setting{.key = "http.allow_remote",
            .type = Type::Choice,
            .min = 0,
            .max = 0,
            .unit = {},
            .choices = kNoYes,
            .while_running = false,
            .meaning = "Whether http.listen may be an address that other machines can reach without both "
                       "http.tokens and "
                       "http.tls_certificate",
            .member = [](Config& config) -> Member { return &config.http_allow_remote; }},
    Setting{.key = "http.tokens",
            .type = Type::Path,
            .min = 0,
            .max = limits::kPathMax,
            .unit = "bytes",
            .choices = {},
            .while_running = true,
            .meaning = "The file of tokens of which each request must have one, but those for /healthz and "
                       "/readyz; when empty, requests need none",
            .member = [](Config& config) -> Member { return &config.http_tokens; }},
    Setting{.key = "http.tls_certificate",
            .type = Type::Path,
            .min = 0,
            .max = limits::kPathMax,
            .unit = "bytes",
            .choices = {},
            .while_running = false,
            .meaning = "Serve HTTPS, with the certificates in this file; when empty, HTTP is plain",
            .member = [](Config& config) -> Member { return &config.http_tls_certificate; }},
    Setting{.key = "http.tls_key",
            .type = Type::Path,
            .min = 0,
            .max = limits::kPathMax,
            .unit = "bytes",
            .choices = {},
            .while_running = false,
            .meaning = "The key of http.tls_certificate; when empty, it is in the same file",
            .member = [](Config& config) -> Member { return &config.http_tls_key; }},
    Setting{
        .key = "events.directory",
        .type = Type::Path,
        .min = 0,
        .max = limits::kDirectoryPathMax,
        .unit = "bytes",
        .choices = {},
        .while_running = false,
        .meaning =
            "Write the event journal here; when empty, to $STATE_DIRECTORY/events, and without that nowhere",
        .member = [](Config& config) -> Member { return &config.events_directory; }},
    Setting{.key = "events.keep",
            .type = Type::Duration,
            .min = limits::kJournalKeepMin.count(),
            .max = limits::kJournalKeepMax.count(),
            .unit = {},
            .choices = {},
            .while_running = true,
            .meaning = "Remove segments of the event journal that were last written to longer ago",
            .member = [](Config& config) -> Member { return &config.events_keep; }},
    Setting{.key = "events.max",
            .type = Type::Count,
            .min = 32,
            .max = limits::kJournalMebibytesMax,
            .unit = "MiB",
            .choices = {},
            .while_running = true,
            .meaning = "Remove the oldest segments of the event journal where all together are larger",
            .member = [](Config& config) -> Member { return &config.events_max; }},
    Setting{.key = "events.sync",
            .type = Type::Choice,
            .min = 0,
            .max = 0,
            .unit = {},
            .choices = kSyncs,
            .while_running = true,
            .meaning = "When the disk must hold what was written to the event journal: once a second, after "
                       "each write, or "
                       "when the system likes",
            .member = [](Config& config) -> Member { return &config.events_sync; }},
    Setting{.key = "events.strikes",
            .type = Type::Choice,
            .min = 0,
            .max = 0,
            .unit = {},
            .choices = kNoYes,
            .while_running = true,
            .meaning = "Whether the event journal has strikes, too",
            .member = [](Config& config) -> Member { return &config.events_strikes; }},
    Setting{.key = "log_level",
            .type = Type::Choice,
            .min = 0,
            .max = 0,
            .unit = {},
            .choices = kLogLevels,
            .while_running = true,
            .meaning = "The least that is logged",
            .member = [](Config& config) -> Member { return &config.log_level; }},
    Setting{.key = "log_target",
            .type = Type::Choice,
            .min = 0,
            .max = 0,
            .unit = {},
            .choices = kLogTargets,
            .while_running = false,
            .meaning = "Where the log goes; auto is the journal under systemd, else standard error",
            .member = [](Config& config) -> Member { return &config.log_target; }},
    Setting{.key = "log_rate",
            .type = Type::Count,
            .min = 0,
            .max = limits::kLogRateMax,
            .unit = "records",
            .choices = {},
            .while_running = true,
            .meaning = "Records a second of one kind of event; more are summed up in one; 0 for no limit",
            .member = [](Config& config) -> Member { return &config.log_rate; }},
};

std::string joined(std::span<const std::string_view> words, std::string_view last_separator) {
  std::string text;
  for (std::size_t at = 0; at < words.size(); ++at) {
    if (at > 0) text += at + 1 == words.size() ? last_separator : ", ";
    text += words[at];
  }
  return text;
}

std::string in_quotes(std::string_view text) {
  return "'" + escaped(text) + "'";
}

std::string out_of_range(const Setting& setting, std::string_view text) {
  const std::string_view kind = setting.type == Type::Count ? "a whole number " : "";
  return in_quotes(text) + " is not " + std::string{kind} + "from " + range_of(setting);
}

tl::expected<Value, std::string> parse_count(const Setting& setting, const std::string& text) {
  std::int64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  if (error == std::errc{} && rest == end) return Value{count};
  return tl::unexpected(out_of_range(setting, text));
}

std::vector<Fault> faults_of_number(const Setting& setting, std::int64_t number) {
  if (number >= setting.min && number <= setting.max) return {};
  return {{0, out_of_range(setting, plain_text(setting, number))}};
}

std::vector<Fault> faults_of_choice(const Setting& setting, const std::string& text) {
  if (std::find(setting.choices.begin(), setting.choices.end(), text) != setting.choices.end()) return {};
  return {{0, in_quotes(text) + " is not one of " + range_of(setting)}};
}

std::vector<Fault> faults_of_path(const Setting& setting, const std::string& path) {
  if (!is_printable(path)) return {{0, "must be printable text, not " + in_quotes(path)}};
  if (std::cmp_less_equal(path.size(), setting.max)) return {};
  return {{0, "must be " + range_of(setting) + ", not " + std::to_string(path.size())}};
}

std::vector<Fault> faults_of_address(const std::string& text) {
  if (text.empty()) return {};
  const auto where = parse_host_port(text);
  if (!where) return {{0, where.error()}};
  if (!is_printable(where->host)) return {{0, "must be printable text, not " + in_quotes(text)}};
  return {};
}

// Of the addresses themselves and of those in listeners: `parse` makes a HostPort of a text.
template <class Parse>
std::vector<Fault> faults_of_addresses(const Setting& setting, const std::vector<std::string>& texts,
                                       Parse parse) {
  std::vector<Fault> faults;
  std::vector<HostPort> seen;
  for (std::size_t at = 0; at < texts.size(); ++at) {
    if (std::cmp_equal(at, setting.max)) {
      faults.push_back({at, std::to_string(texts.size()) + " " + std::string{setting.unit} +
                                " are given, and not more than " + std::to_string(setting.max) + " " +
                                std::string{setting.unit} + " are allowed"});
      break;
    }
    const tl::expected<HostPort, std::string> where = parse(texts[at]);
    if (!where) {
      faults.push_back({at, where.error()});
    } else if (!is_printable(where->host)) {
      faults.push_back({at, "must be printable text, not " + in_quotes(texts[at])});
    } else {
      const auto other = std::find_if(seen.begin(), seen.end(),
                                      [&](const HostPort& earlier) { return overlap(earlier, *where); });
      if (other != seen.end()) {
        const bool is_same = *other == *where;
        faults.push_back(
            {at, in_quotes(texts[at]) + (is_same ? " is given twice"
                                                 : " cannot be listened on beside '" + to_string(*other) +
                                                       "', which has it already")});
      }
      seen.push_back(*where);
    }
  }
  return faults;
}

std::vector<Fault> faults_of_groups(const Setting& setting, const std::vector<std::string>& texts) {
  std::vector<Fault> faults;
  std::set<std::string> seen;
  for (std::size_t at = 0; at < texts.size(); ++at) {
    if (std::cmp_equal(at, setting.max)) {
      faults.push_back({at, std::to_string(texts.size()) + " groups are given, and not more than " +
                                std::to_string(setting.max) + " groups are allowed"});
      break;
    }
    const auto group = parse_group(texts[at]);
    if (!group) {
      faults.push_back({at, group.error()});
    } else if (!seen.insert(group->name).second) {
      faults.push_back({at, "there are two groups of the name " + in_quotes(group->name)});
    }
  }
  return faults;
}

std::vector<Fault> faults_of_networks(const Setting& setting, const std::vector<std::string>& texts) {
  std::vector<Fault> faults;
  std::set<std::string> seen;
  for (std::size_t at = 0; at < texts.size(); ++at) {
    if (std::cmp_equal(at, setting.max)) {
      faults.push_back({at, std::to_string(texts.size()) + " networks are given, and not more than " +
                                std::to_string(setting.max) + " networks are allowed"});
      break;
    }
    const auto network = parse_network(texts[at]);
    if (!network) {
      faults.push_back({at, network.error()});
    } else if (!seen.insert(to_string(*network)).second) {
      faults.push_back({at, in_quotes(texts[at]) + " is given twice"});
    }
  }
  return faults;
}

// The elements of a list without faults.
template <class T, class Parse>
std::vector<T> parsed(const std::vector<std::string>& texts, Parse parse) {
  std::vector<T> all;
  all.reserve(texts.size());
  for (const std::string& text : texts) all.push_back(*parse(text));
  return all;
}

template <class T>
std::vector<std::string> texts_of(const std::vector<T>& all) {
  std::vector<std::string> texts;
  texts.reserve(all.size());
  for (const T& one : all) texts.push_back(to_string(one));
  return texts;
}

}  // namespace

std::span<const Setting> all_settings() {
  return kSettings;
}

std::optional<std::size_t> find_setting(std::string_view key) {
  for (std::size_t row = 0; row < kSettings.size(); ++row) {
    if (kSettings.at(row).key == key) return row;
  }
  return {};
}

std::optional<std::string_view> nearest_key(std::string_view written) {
  std::vector<std::string_view> keys;
  keys.reserve(kSettings.size());
  for (const Setting& setting : kSettings) keys.push_back(setting.key);
  return nearest_word(written, keys);
}

bool is_list(const Setting& setting) {
  switch (setting.type) {
    case Type::Addresses:
    case Type::Listeners:
    case Type::Groups:
    case Type::Networks: return true;
    case Type::Count:
    case Type::Duration:
    case Type::Choice:
    case Type::Path:
    case Type::Address: break;
  }
  return false;
}

std::string flag_of(const Setting& setting) {
  std::string flag = "--" + std::string{setting.key};
  std::replace_if(
      flag.begin(), flag.end(), [](char c) { return c == '_' || c == '.'; }, '-');
  return flag;
}

std::string range_of(const Setting& setting) {
  switch (setting.type) {
    case Type::Duration:
      return format_duration(Millis{setting.min}) + " to " + format_duration(Millis{setting.max});
    case Type::Choice: return joined(setting.choices, " or ");
    case Type::Path: return "at most " + std::to_string(setting.max) + " " + std::string{setting.unit};
    case Type::Address: return "one address";
    case Type::Count:
    case Type::Addresses:
    case Type::Listeners:
    case Type::Groups:
    case Type::Networks: break;
  }
  return std::to_string(setting.min) + " to " + std::to_string(setting.max) + " " + std::string{setting.unit};
}

tl::expected<Value, std::string> parse_value(const Setting& setting, const std::vector<std::string>& texts) {
  switch (setting.type) {
    case Type::Count: return parse_count(setting, texts.back());
    case Type::Duration:
      return parse_duration(texts.back()).map([](Millis duration) -> Value { return duration.count(); });
    case Type::Choice:
    case Type::Address:
    case Type::Path: return texts.back();
    case Type::Addresses:
    case Type::Listeners:
    case Type::Groups:
    case Type::Networks: break;
  }
  return texts;
}

std::vector<Fault> faults_of(const Setting& setting, const Value& value) {
  switch (setting.type) {
    case Type::Count:
    case Type::Duration: return faults_of_number(setting, std::get<std::int64_t>(value));
    case Type::Choice: return faults_of_choice(setting, std::get<std::string>(value));
    case Type::Path: return faults_of_path(setting, std::get<std::string>(value));
    case Type::Address: return faults_of_address(std::get<std::string>(value));
    case Type::Networks: return faults_of_networks(setting, std::get<std::vector<std::string>>(value));
    case Type::Groups: return faults_of_groups(setting, std::get<std::vector<std::string>>(value));
    case Type::Listeners:
      return faults_of_addresses(
          setting, std::get<std::vector<std::string>>(value), [](const std::string& text) {
            return parse_listener(text).map([](const Listener& listener) { return listener.address; });
          });
    case Type::Addresses: break;
  }
  return faults_of_addresses(setting, std::get<std::vector<std::string>>(value), parse_host_port);
}

void set(Config& config, const Setting& setting, const Value& value) {
  const auto assign = [&](auto* member) {
    using T = std::remove_pointer_t<decltype(member)>;
    if constexpr (std::is_same_v<T, std::string>) {
      *member = std::get<std::string>(value);
    } else if constexpr (std::is_same_v<T, std::vector<HostPort>>) {
      *member = parsed<HostPort>(std::get<std::vector<std::string>>(value), parse_host_port);
    } else if constexpr (std::is_same_v<T, std::vector<Network>>) {
      *member = parsed<Network>(std::get<std::vector<std::string>>(value), parse_network);
    } else if constexpr (std::is_same_v<T, std::vector<Listener>>) {
      *member = parsed<Listener>(std::get<std::vector<std::string>>(value), parse_listener);
    } else if constexpr (std::is_same_v<T, std::vector<GroupSettings>>) {
      *member = parsed<GroupSettings>(std::get<std::vector<std::string>>(value), parse_group);
    } else if constexpr (std::is_same_v<T, Millis>) {
      *member = Millis{std::get<std::int64_t>(value)};
    } else {
      *member = static_cast<T>(std::get<std::int64_t>(value));
    }
  };
  std::visit(assign, setting.member(config));
}

Value get(Config config, const Setting& setting) {
  const auto read = [](const auto* member) -> Value {
    using T = std::remove_cvref_t<decltype(*member)>;
    if constexpr (std::is_same_v<T, std::string>) {
      return *member;
    } else if constexpr (std::is_same_v<T, std::vector<HostPort>> ||
                         std::is_same_v<T, std::vector<Network>> ||
                         std::is_same_v<T, std::vector<Listener>> ||
                         std::is_same_v<T, std::vector<GroupSettings>>) {
      return texts_of(*member);
    } else if constexpr (std::is_same_v<T, Millis>) {
      return member->count();
    } else {
      return static_cast<std::int64_t>(*member);
    }
  };
  return std::visit(read, setting.member(config));
}

Value default_of(const Setting& setting) {
  static const Config defaults;
  return get(defaults, setting);
}

std::string plain_text(const Setting& setting, const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return setting.type == Type::Duration ? format_duration(Millis{*number}) : std::to_string(*number);
  }
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  const auto& texts = std::get<std::vector<std::string>>(value);
  return joined(std::vector<std::string_view>{texts.begin(), texts.end()}, ", ");
}

std::string toml_text(const Setting& setting, const Value& value) {
  if (setting.type == Type::Count) return plain_text(setting, value);
  if (!is_list(setting)) return toml_string(plain_text(setting, value));
  std::string list;
  for (const std::string& text : std::get<std::vector<std::string>>(value)) {
    list += (list.empty() ? "" : ", ") + (setting.type == Type::Listeners ? toml_table(*parse_listener(text))
                                          : setting.type == Type::Groups  ? toml_table(*parse_group(text))
                                                                          : toml_string(text));
  }
  return "[" + list + "]";
}

}  // namespace heartbeat
