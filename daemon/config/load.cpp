#include "daemon/config/load.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include <grp.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "common/duration.h"
#include "common/limits.h"
#include "common/text.h"
#include "common/tls/openssl.h"
#include "daemon/config/has_http.h"
#include "daemon/config/overlap.h"
#include "daemon/systemd/libsystemd.h"

namespace heartbeat {
namespace {

bool exists(const std::string& path) {
  struct stat about {};
  return stat(path.c_str(), &about) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

// Finds mistakes in settings that are each right by themselves.  `loaded` has every value that is.
class TogetherCheck {
 public:
  TogetherCheck(const LoadedConfig& loaded, std::vector<Mistake>& mistakes)
      : loaded_(loaded), mistakes_(mistakes) {}

  void check() {
    check_tick_against_leave_timeout();
    check_groups();
    check_intervals();
    check_listeners();
    check_tokens();
    check_control_path();
    check_log_target();
    check_http_is_built();
    check_http_guard();
    check_http_listen();
    check_http_is_apart();
  }

 private:
  // Whichever was given last is to blame, the longer one at a draw.
  void check_tick_against_leave_timeout() {
    const Rule& rule = loaded_.config.settings.rule;
    if (rule.tick <= rule.leave_timeout || is_mistaken("tick") || is_mistaken("leave_timeout")) return;
    const Origin& tick = origin_of("tick");
    const Origin& leave_timeout = origin_of("leave_timeout");
    const std::string tick_text = format_duration(rule.tick);
    const std::string leave_timeout_text = format_duration(rule.leave_timeout);
    if (tick.kind >= leave_timeout.kind) {
      mistakes_.push_back({tick, "tick",
                           tick_text + " is longer than leave_timeout, which is " + leave_timeout_text +
                               " (" + leave_timeout.text + ")"});
    } else {
      mistakes_.push_back(
          {leave_timeout, "leave_timeout",
           leave_timeout_text + " is shorter than tick, which is " + tick_text + " (" + tick.text + ")"});
    }
  }

  // A group has the tick or the leave_timeout of the configuration where it has none of its own.
  void check_groups() {
    if (is_mistaken("group") || is_mistaken("tick") || is_mistaken("leave_timeout")) return;
    for (const Group& group : loaded_.config.settings.groups.all()) {
      const Rule& rule = group.rule;
      if (rule.tick <= rule.leave_timeout) continue;
      mistakes_.push_back({origin_of("group"), "group",
                           "'" + group.name + "': its tick, " + format_duration(rule.tick) +
                               ", is longer than its leave_timeout, which is " +
                               format_duration(rule.leave_timeout)});
    }
  }

  // What a client may declare must be a tick of its rule.
  void check_intervals() {
    for (const char* const key : {"interval_min", "interval_max", "leave_timeout", "group"}) {
      if (is_mistaken(key)) return;
    }
    const Settings& settings = loaded_.config.settings;
    check_interval("interval_max", {}, settings.bounds, settings.rule);
    for (const Group& group : settings.groups.all()) {
      check_interval("group", "'" + group.name + "': its interval_max, ", group.bounds, group.rule);
    }
  }

  void check_interval(const char* key, const std::string& of, const Bounds& bounds, const Rule& rule) {
    if (bounds.interval_max == Millis{0}) return;
    const std::string sentence = of + format_duration(bounds.interval_max);
    if (bounds.interval_max < bounds.interval_min) {
      mistakes_.push_back(
          {origin_of(key), key,
           sentence + ", is shorter than interval_min, which is " + format_duration(bounds.interval_min)});
    } else if (bounds.interval_max > rule.leave_timeout) {
      mistakes_.push_back(
          {origin_of(key), key,
           sentence + ", is longer than leave_timeout, which is " + format_duration(rule.leave_timeout)});
    }
  }

  void check_listeners() {
    const Config& config = loaded_.config;
    if (is_mistaken("listen") || is_mistaken("listener")) return;
    if (all_listeners(config).empty()) {
      mistakes_.push_back({origin_of("listen"), "listen",
                           "is empty, and there is no [[listener]]: clients need an address to connect to"});
    }
    for (const Listener& listener : all_listeners(config)) {
      const bool verifies =
          !listener.proxy_from->empty() || (listener.tls && !listener.tls->client_ca.empty());
      if (*listener.require != "certificate" || verifies || is_mistaken("require") ||
          is_mistaken("proxy_from")) {
        continue;
      }
      const std::string key = config.require == "certificate" ? "require" : "listener";
      mistakes_.push_back({origin_of(key), key,
                           "'certificate': no client of '" + escaped(to_string(listener.address)) +
                               "' can have one, as tls_client_ca or a proxy of proxy_from must verify it and "
                               "there is neither"});
      break;
    }
    for (const Listener& listener : config.listeners) {
      const auto other =
          std::find_if(config.listen.begin(), config.listen.end(),
                       [&](const HostPort& address) { return overlap(address, listener.address); });
      if (other == config.listen.end()) continue;
      mistakes_.push_back({origin_of("listener"), "listener",
                           "'" + escaped(to_string(listener.address)) + "' cannot be listened on beside '" +
                               escaped(to_string(*other)) + "' of listen (" + origin_of("listen").text +
                               ")"});
    }
  }

  // A name is looked up only when the daemon starts: of names only localhost counts as loopback.
  void check_tokens() {
    const Config& config = loaded_.config;
    if (is_mistaken("tokens") || is_mistaken("require") || is_mistaken("listener") || is_mistaken("listen"))
      return;
    if (!config.tokens.empty() && !tls::is_built()) {
      mistakes_.push_back({origin_of("tokens"), "tokens",
                           "'" + escaped(config.tokens) + "': this heartbeatd was built without OpenSSL"});
      return;
    }
    for (const Listener& listener : all_listeners(config)) {
      if (*listener.require != "token") continue;
      const std::string key = config.require == "token" ? "require" : "listener";
      const std::string where = "'token': '" + escaped(to_string(listener.address)) + "' ";
      if (config.tokens.empty()) {
        mistakes_.push_back(
            {origin_of(key), key, where + "requires tokens, and there is no file of them (tokens)"});
        return;
      }
      if (listener.tls || config.token_in_clear == "yes" || is_mistaken("token_in_clear")) continue;
      const auto endpoint = parse_endpoint(to_string(listener.address));
      if (listener.address.host == "localhost" || (endpoint && is_loopback(*endpoint))) continue;
      mistakes_.push_back({origin_of(key), key,
                           where +
                               "can be reached by other machines, and the network could read the tokens: "
                               "take TLS or a loopback address, or allow it with token_in_clear = \"yes\""});
      return;
    }
  }

  // One that was given has been measured already; this is about the one that the environment makes.
  void check_control_path() {
    if (!loaded_.config.control.empty() || is_mistaken("control")) return;
    const std::string path = default_control_path();
    if (path.size() <= limits::kSocketPathMax) return;
    mistakes_.push_back({origin_of("control"), "control",
                         "the default, " + escaped(path) + ", has " + std::to_string(path.size()) +
                             " bytes and must have at most " + std::to_string(limits::kSocketPathMax) +
                             ": give a shorter one"});
  }

  void check_log_target() {
    if (loaded_.config.log_target != "journal" || libsystemd::has_journal()) return;
    mistakes_.push_back({origin_of("log_target"), "log_target",
                         "'journal': this heartbeatd was built " + libsystemd::version()});
  }

  void check_http_is_built() {
    const std::string& listen = loaded_.config.http_listen;
    if (listen.empty() || has_http() || is_mistaken("http.listen")) return;
    mistakes_.push_back({origin_of("http.listen"), "http.listen",
                         "'" + escaped(listen) + "': this heartbeatd was built without HTTP"});
  }

  void check_http_guard() {
    const Config& config = loaded_.config;
    if (!config.http_tls_key.empty() && config.http_tls_certificate.empty()) {
      mistakes_.push_back({origin_of("http.tls_key"), "http.tls_key",
                           "there is no http.tls_certificate, which it would be the key of"});
    }
    if (tls::is_built()) return;
    for (const std::string_view key : {"http.tokens", "http.tls_certificate"}) {
      const std::string& path = key == "http.tokens" ? config.http_tokens : config.http_tls_certificate;
      if (path.empty()) continue;
      mistakes_.push_back({origin_of(key), std::string{key},
                           "'" + escaped(path) + "': this heartbeatd was built without OpenSSL"});
    }
  }

  // A name is looked up only when the daemon starts, and must be a loopback address then.
  void check_http_listen() {
    const std::string& listen = loaded_.config.http_listen;
    if (listen.empty() || http_may_be_remote(loaded_.config) || is_mistaken("http.listen") ||
        is_mistaken("http.allow_remote")) {
      return;
    }
    const auto endpoint = parse_endpoint(listen);
    const bool is_loopback_name = parse_host_port(listen).value_or(HostPort{}).host == "localhost";
    if (is_loopback_name || (endpoint && is_loopback(*endpoint))) return;
    mistakes_.push_back({origin_of("http.listen"), "http.listen", not_loopback(listen)});
  }

  // One port cannot be both.
  void check_http_is_apart() {
    if (loaded_.config.http_listen.empty() || is_mistaken("http.listen") || is_mistaken("listen") ||
        is_mistaken("listener")) {
      return;
    }
    const auto http = parse_host_port(loaded_.config.http_listen);
    if (!http || http->port == 0) return;
    const auto overlaps_in = [&](std::string_view key, const HostPort& clients) {
      if (!overlap(clients, *http)) return false;
      mistakes_.push_back({origin_of("http.listen"), "http.listen",
                           "'" + escaped(loaded_.config.http_listen) + "' is where clients connect (" +
                               std::string{key} + ", " + origin_of(key).text +
                               "): HTTP needs a port of its own"});
      return true;
    };
    for (const HostPort& clients : loaded_.config.listen) {
      if (overlaps_in("listen", clients)) return;
    }
    for (const Listener& listener : loaded_.config.listeners) {
      if (overlaps_in("listener", listener.address)) return;
    }
  }

  [[nodiscard]] const Origin& origin_of(std::string_view key) const {
    return loaded_.origins[*find_setting(key)];
  }
  // Where the file could not be read at all, anything in it may have been meant.
  [[nodiscard]] bool is_mistaken(std::string_view key) const {
    return std::any_of(mistakes_.begin(), mistakes_.end(),
                       [&](const Mistake& mistake) { return mistake.key == key || mistake.key.empty(); });
  }

  const LoadedConfig& loaded_;
  std::vector<Mistake>& mistakes_;
};

void find_readers(LoadedConfig& loaded, std::vector<Mistake>& mistakes) {
  const std::string& name = loaded.config.control_readers;
  if (name.empty()) return;
  if (const group* const found = getgrnam(name.c_str())) {
    loaded.control_readers = found->gr_gid;
  } else {
    mistakes.push_back({loaded.origins[*find_setting("control_readers")], "control_readers",
                        "there is no group '" + escaped(name) + "' on this machine"});
  }
}

// A file of tokens, read whole.  Null if there is none, or if something is wrong with it.
std::shared_ptr<const TokenTable> read_tokens(const LoadedConfig& loaded, std::string_view key,
                                              const std::string& path, std::vector<Mistake>& mistakes) {
  if (path.empty() || !tls::is_built()) return nullptr;
  const auto text = read_config_file(path, Reading::Again, limits::kTokenFileMax);
  if (!text) {
    mistakes.push_back({loaded.origins[*find_setting(key)], std::string{key}, text.error()});
    return nullptr;
  }
  auto table = TokenTable::parse(*text);
  if (table) return std::make_shared<const TokenTable>(std::move(*table));
  for (const TokenTable::Fault& fault : table.error()) {
    const Origin where{Origin::Kind::File, escaped(path) + ":" + std::to_string(fault.line), fault.line, 1};
    mistakes.push_back({where, std::string{key}, fault.what});
  }
  return nullptr;
}

// The texts of the files of HTTPS, which are tried here: libmicrohttpd would not say what is wrong with them.
void read_https(LoadedConfig& loaded, std::vector<Mistake>& mistakes) {
  const Config& config = loaded.config;
  if (config.http_tls_certificate.empty() || !tls::is_built()) return;
  const std::string& key_path =
      config.http_tls_key.empty() ? config.http_tls_certificate : config.http_tls_key;
  const auto refuse = [&](const std::string& why) {
    mistakes.push_back({loaded.origins[*find_setting("http.tls_certificate")], "http.tls_certificate", why});
  };
  auto certificate = read_config_file(config.http_tls_certificate, Reading::Again, limits::kTlsFileMax);
  if (!certificate) return refuse(certificate.error());
  auto key = read_config_file(key_path, Reading::Again, limits::kTlsFileMax);
  if (!key) return refuse(key.error());
  const auto tried = tls::server_context(
      {.certificate = {config.http_tls_certificate, *certificate}, .key = {key_path, *key}});
  if (!tried) return refuse(tried.error());
  loaded.https_expiries = (*tried)->expiries();
  loaded.http_certificate = std::move(*certificate);
  loaded.http_key = std::move(*key);
}

// Reads a file of TLS; without a name it stays empty.  False where that failed.
bool read_tls_file(const std::string& path, const Origin& origin, tls::File& file,
                   std::vector<Mistake>& mistakes) {
  if (path.empty()) return true;
  auto text = read_config_file(path, Reading::Again, limits::kTlsFileMax);
  if (!text) {
    mistakes.push_back({origin, "listener", text.error()});
    return false;
  }
  file = {path, std::move(*text)};
  return true;
}

// Null if something is wrong with the files.
std::shared_ptr<const tls::Context> read_tls(const ListenerTls& options, bool require_certificate,
                                             const Origin& origin, std::vector<Mistake>& mistakes) {
  tls::ServerOptions server{
      .require_certificate = require_certificate,
      .allow_version_1_2 = options.min_version == "1.2",
      .identity = options.identity == "san" ? tls::Identity::AlternativeName : tls::Identity::CommonName};
  if (!tls::is_built()) {
    mistakes.push_back({origin, "listener",
                        "tls_certificate '" + escaped(options.certificate) +
                            "': this heartbeatd was built without OpenSSL"});
    return nullptr;
  }
  const std::string& key = options.key.empty() ? options.certificate : options.key;
  if (!read_tls_file(options.certificate, origin, server.certificate, mistakes) ||
      !read_tls_file(key, origin, server.key, mistakes) ||
      !read_tls_file(options.client_ca, origin, server.client_ca, mistakes) ||
      !read_tls_file(options.client_crl, origin, server.client_crl, mistakes)) {
    return nullptr;
  }
  auto context = tls::server_context(server);
  if (context) return *context;
  mistakes.push_back({origin, "listener", context.error()});
  return nullptr;
}

// From all of the files, whether they have changed or not.
std::vector<std::shared_ptr<const tls::Context>> read_all_tls(const LoadedConfig& loaded,
                                                              std::vector<Mistake>& mistakes) {
  std::vector<std::shared_ptr<const tls::Context>> contexts;
  if (!mistakes.empty()) return contexts;
  for (const Listener& listener : all_listeners(loaded.config)) {
    contexts.push_back(listener.tls ? read_tls(*listener.tls, *listener.require == "certificate",
                                               loaded.origins[*find_setting("listener")], mistakes)
                                    : nullptr);
  }
  return contexts;
}

LoadErrors errors_of(const std::vector<Mistake>& mistakes) {
  const bool only_flags = std::all_of(mistakes.begin(), mistakes.end(), [](const Mistake& mistake) {
    return mistake.where.kind == Origin::Kind::Flag;
  });
  return {only_flags ? EX_USAGE : EX_CONFIG, lines_of(mistakes)};
}

tl::expected<LoadedConfig, LoadErrors> load(const CommandLine& command_line, const std::string& file,
                                            Reading reading, const LoadedConfig* before = nullptr) {
  FileContents contents;
  if (!file.empty()) {
    const auto text = read_config_file(file, reading);
    if (!text) return tl::unexpected(LoadErrors{EX_CONFIG, {"heartbeatd: " + text.error()}});
    // An editor or a deployment that fails half-way leaves such a file; the defaults would then replace
    // everything.
    if (reading == Reading::Again && text->find_first_not_of(" \t\r\n") == std::string::npos) {
      return tl::unexpected(LoadErrors{EX_CONFIG,
                                       {"heartbeatd: " + escaped(file) +
                                        " is empty: a reload would put every setting back to its "
                                        "default; if that is meant, write a comment into it"}});
    }
    contents = parse_config_text(*text, file);
  }

  LoadedConfig loaded;
  loaded.file = file;
  for (const Given& given : contents.given) loaded.take(given);
  for (const Given& given : command_line.flags) loaded.take(given);
  loaded.replace_default_address();
  loaded.config.settings.groups = groups_of(loaded.config);
  TogetherCheck{loaded, contents.mistakes}.check();
  loaded.tokens = read_tokens(loaded, "tokens", loaded.config.tokens, contents.mistakes);
  if (before != nullptr && before->tokens != nullptr && loaded.tokens != nullptr &&
      *before->tokens == *loaded.tokens) {
    loaded.tokens = before->tokens;
  }
  find_readers(loaded, contents.mistakes);
  loaded.http_tokens = read_tokens(loaded, "http.tokens", loaded.config.http_tokens, contents.mistakes);
  read_https(loaded, contents.mistakes);
  loaded.tls = read_all_tls(loaded, contents.mistakes);
  if (!contents.mistakes.empty()) return tl::unexpected(errors_of(contents.mistakes));
  return loaded;
}

}  // namespace

std::string not_loopback(std::string_view address) {
  return "'" + escaped(address) +
         "' can be reached by other machines, and every host that reaches it can read everything: take a "
         "loopback "
         "address, give both http.tokens and http.tls_certificate, or allow it with http.allow_remote = "
         "\"yes\"";
}

bool http_may_be_remote(const Config& config) {
  return config.http_allow_remote == "yes" ||
         (!config.http_tokens.empty() && !config.http_tls_certificate.empty());
}

void LoadedConfig::take(const Given& given) {
  set(config, all_settings()[given.setting], given.value);
  origins[given.setting] = given.origin;
}

// The default of `listen` is for a configuration that names no address at all.
void LoadedConfig::replace_default_address() {
  const std::size_t listen = *find_setting("listen");
  const Origin& tables = origins[*find_setting("listener")];
  if (config.listeners.empty() || origins[listen].kind != Origin::Kind::Default) return;
  take({listen, std::vector<std::string>{}, tables});
}

tl::expected<LoadedConfig, LoadErrors> load_config(const CommandLine& command_line,
                                                   const std::string& default_file) {
  const bool by_default = command_line.config_file.empty() && exists(default_file);
  return load(command_line, by_default ? default_file : command_line.config_file, Reading::First);
}

tl::expected<LoadedConfig, LoadErrors> reload_config(const CommandLine& command_line,
                                                     const LoadedConfig& before,
                                                     const std::string& default_file) {
  const bool appeared = before.file.empty() && exists(default_file);
  return load(command_line, appeared ? default_file : before.file, Reading::Again, &before);
}

std::vector<SettingInForce> list_settings(const LoadedConfig& loaded) {
  std::vector<SettingInForce> list;
  for (std::size_t row = 0; row < all_settings().size(); ++row) {
    const Setting& setting = all_settings()[row];
    list.push_back({setting.key, plain_text(setting, get(loaded.config, setting)), loaded.origins[row].text});
  }
  return list;
}

std::string print_config(const LoadedConfig& loaded) {
  std::string text;
  for (std::size_t row = 0; row < all_settings().size(); ++row) {
    const Setting& setting = all_settings()[row];
    text.append(setting.key).append(" = ").append(toml_text(setting, get(loaded.config, setting)));
    text.append("  # ").append(escaped(loaded.origins[row].text)).append("\n");
  }
  return text;
}

}  // namespace heartbeat
