#include "tools/notify/config.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <string_view>

#include <toml++/toml.h>

#include "common/client_id.h"
#include "common/duration.h"
#include "common/endpoint.h"
#include "common/events/event_names.h"
#include "common/events/segments.h"
#include "common/text.h"

namespace heartbeat::notify {
namespace {

constexpr std::uint64_t kConfigFileMax = std::uint64_t{1} << 20U;
constexpr std::size_t kHooksMax = 64;
constexpr std::size_t kHookNameMax = 64;
constexpr std::size_t kSecretsMax = 2;  // the new one and the one before, while receivers change over
constexpr Millis kUpstreamEveryMax{60LL * 60 * 1000};
constexpr Millis kAfterMax{24LL * 60 * 60 * 1000};
constexpr std::int64_t kFlapMin = 2;
constexpr std::int64_t kFlapMax = 100;

// The name is part of a file's name and of each webhook-id.
bool is_hook_name(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-_";
  return !name.empty() && name.size() <= kHookNameMax &&
         name.find_first_not_of(kAllowed) == std::string_view::npos && name.front() != '-';
}

bool is_label_name(std::string_view name) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  return !name.empty() && kLetters.find(name.front()) != std::string_view::npos &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") ==
             std::string_view::npos;
}

bool is_http_url(std::string_view url) {
  const bool has_scheme = url.starts_with("http://") || url.starts_with("https://");
  return has_scheme && url.size() > url.find("//") + 2 && url.size() < 2048 && is_printable(url) &&
         url.find(' ') == std::string_view::npos;
}

class ConfigReader {
 public:
  explicit ConfigReader(const std::string& path) : path_(path) {}

  Config read(const toml::table& table) {
    Config config;
    for (const auto& [key, node] : table) {
      const std::string_view name = key.str();
      if (name == "journal")
        text(name, node, config.journal);
      else if (name == "control")
        text(name, node, config.control);
      else if (name == "ping")
        url(name, node, config.ping);
      else if (name == "ping_every")
        duration(name, node, Millis{1000}, config.ping_every);
      else if (name == "upstream")
        upstream(node, config.upstream);
      else if (name == "upstream_id")
        upstream_id(node, config.upstream_id);
      else if (name == "upstream_every")
        upstream_every(node, config.upstream_every);
      else if (name == "metrics")
        metrics(node, config.metrics);
      else if (name == "hook")
        hooks(node, config);
      else
        refuse(node, std::string{name} + ": there is no such setting");
    }
    if (mistakes.empty() && config.hooks.empty()) mistakes.push_back(path_ + ": there is no [[hook]]");
    return config;
  }

  std::vector<std::string> mistakes;

 private:
  void refuse(const toml::node& at, const std::string& what) {
    mistakes.push_back(path_ + ':' + std::to_string(at.source().begin.line) + ": " + what);
  }

  void text(std::string_view key, const toml::node& node, std::string& into) {
    const auto value = node.value_exact<std::string>();
    if (!value || value->empty()) return refuse(node, std::string{key} + ": must be text in quotes");
    into = *value;
  }

  void upstream(const toml::node& node, std::string& into) {
    text("upstream", node, into);
    if (const auto where = parse_host_port(into); !where) refuse(node, "upstream: " + where.error());
  }

  // The client in C takes no escapes in an id, so that these two are refused here.
  void upstream_id(const toml::node& node, std::string& into) {
    text("upstream_id", node, into);
    const bool has_escapes = into.find_first_of("\"\\") != std::string::npos;
    if (!is_client_id(into) || has_escapes) refuse(node, "upstream_id: must be the id of a client");
  }

  void upstream_every(const toml::node& node, Millis& into) {
    duration("upstream_every", node, Millis{100}, into);
    if (into > kUpstreamEveryMax)
      refuse(node, "upstream_every: must be at most " + format_duration(kUpstreamEveryMax));
  }

  // The collector reads files with this ending alone.
  void metrics(const toml::node& node, std::string& into) {
    text("metrics", node, into);
    if (!into.starts_with('/') || !into.ends_with(".prom"))
      refuse(node, "metrics: must be an absolute path that ends with .prom");
  }

  void url(std::string_view key, const toml::node& node, std::string& into) {
    const std::size_t before = mistakes.size();
    text(key, node, into);
    if (mistakes.size() == before && !is_http_url(into)) {
      refuse(node, std::string{key} + ": must begin with http:// or https://");
    }
  }

  void duration(std::string_view key, const toml::node& node, Millis min, Millis& into) {
    const auto value = node.value_exact<std::string>();
    if (!value) return refuse(node, std::string{key} + ": must be a duration in quotes, like \"30s\"");
    const auto read = parse_duration(*value);
    if (!read) return refuse(node, std::string{key} + ": " + read.error());
    if (*read < min) return refuse(node, std::string{key} + ": must be at least " + format_duration(min));
    into = *read;
  }

  void texts(std::string_view key, const toml::node& node, std::vector<std::string>& into) {
    const toml::array* const list = node.as_array();
    if (list == nullptr || list->empty()) return refuse(node, std::string{key} + ": must be a list of texts");
    for (const toml::node& each : *list) {
      const auto value = each.value_exact<std::string>();
      if (!value) return refuse(each, std::string{key} + ": must be a list of texts");
      into.push_back(*value);
    }
  }

  void hooks(const toml::node& node, Config& config) {
    const toml::array* const list = node.as_array();
    if (list == nullptr) return refuse(node, "hook: each one is a [[hook]] table");
    if (list->size() > kHooksMax)
      return refuse(node, "hook: there are more than " + std::to_string(kHooksMax));
    for (const toml::node& each : *list) {
      const toml::table* const table = each.as_table();
      if (table == nullptr) return refuse(each, "hook: each one is a [[hook]] table");
      const HookConfig hook = read_hook(*table);
      const bool is_known = std::any_of(config.hooks.begin(), config.hooks.end(),
                                        [&](const HookConfig& other) { return other.name == hook.name; });
      if (is_known && !hook.name.empty()) refuse(each, "name: another hook is called " + hook.name);
      config.hooks.push_back(hook);
    }
  }

  HookConfig read_hook(const toml::table& table) {
    HookConfig hook;
    std::size_t targets = 0;
    for (const auto& [key, node] : table) {
      const std::string_view name = key.str();
      if (name == "name") {
        text(name, node, hook.name);
        if (!is_hook_name(hook.name)) refuse(node, "name: must be 1 to 64 of a-z, 0-9, - and _");
      } else if (name == "url") {
        ++targets;
        url(name, node, hook.url);
      } else if (name == "alertmanager") {
        ++targets;
        hook.kind = HookConfig::Kind::Alertmanager;
        url(name, node, hook.url);
      } else if (name == "command") {
        ++targets;
        hook.kind = HookConfig::Kind::Command;
        texts(name, node, hook.command);
        if (!hook.command.empty() && !hook.command.front().starts_with('/')) {
          refuse(node, "command: the program must be an absolute path");
        }
      } else if (name == "format") {
        std::string format;
        text(name, node, format);
        if (format == "events")
          hook.format = HookConfig::Format::Events;
        else if (format != "cloudevents")
          refuse(node, R"(format: must be "cloudevents" or "events")");
      } else if (name == "secret") {
        secrets(node, hook.secrets);
      } else if (name == "events") {
        texts(name, node, hook.events);
        for (const std::string& event : hook.events) {
          if (std::find(events::kEventNames.begin(), events::kEventNames.end(), event) ==
              events::kEventNames.end()) {
            refuse(node, "events: there is no event " + escaped(event, 64));
          }
        }
      } else if (name == "match") {
        std::string pattern;
        text(name, node, pattern);
        auto glob = Glob::compile(pattern);
        if (glob)
          hook.match = std::move(*glob);
        else
          refuse(node, "match: " + glob.error());
      } else if (name == "group") {
        text_or_texts(name, node, hook.groups);
        const auto is_empty = [](const std::string& group) { return group.empty(); };
        if (std::any_of(hook.groups.begin(), hook.groups.end(), is_empty))
          refuse(node, "group: must be the name of a group, or a list of names");
      } else if (name == "held") {
        const auto value = node.value_exact<bool>();
        value ? static_cast<void>(hook.held = *value)
              : refuse(node, "held: must be true or false, without quotes");
      } else if (name == "labels") {
        labels(node, hook);
      } else if (name == "wait") {
        duration(name, node, Millis{0}, hook.wait);
      } else if (name == "digest") {
        duration(name, node, Millis{1000}, hook.digest);
      } else if (name == "after") {
        duration(name, node, Millis{1000}, hook.after);
        if (hook.after > kAfterMax) refuse(node, "after: must be at most " + format_duration(kAfterMax));
      } else if (name == "flap") {
        const auto most = node.value_exact<std::int64_t>();
        if (!most || *most < kFlapMin || *most > kFlapMax)
          refuse(node, "flap: must be a whole number from 2 to 100");
        else
          hook.flap = static_cast<unsigned>(*most);
      } else if (name == "timeout") {
        duration(name, node, Millis{100}, hook.timeout);
      } else if (name == "give_up") {
        duration(name, node, Millis{1000}, hook.give_up);
      } else {
        refuse(node, std::string{name} + ": there is no such setting of a hook");
      }
    }
    if (hook.name.empty()) refuse(table, "name: each hook must have one");
    if (targets != 1) refuse(table, "a hook has one of url, alertmanager and command");
    if (!hook.secrets.empty() && hook.kind != HookConfig::Kind::Webhook)
      refuse(table, "secret: only with url");
    if (hook.kind == HookConfig::Kind::Alertmanager) {
      if (hook.digest > Millis{0}) refuse(table, "digest: not with alertmanager, which groups alerts itself");
      if (hook.flap > 0) refuse(table, "flap: not with alertmanager, where an alert fires or does not");
    }
    return hook;
  }

  void text_or_texts(std::string_view name, const toml::node& node, std::vector<std::string>& into) {
    if (node.is_string()) {
      text(name, node, into.emplace_back());
    } else {
      texts(name, node, into);
    }
  }

  void secrets(const toml::node& node, std::vector<std::string>& into) {
    text_or_texts("secret", node, into);
    if (into.size() > kSecretsMax) refuse(node, "secret: must be one name, or the new one and the old one");
    if (!std::all_of(into.begin(), into.end(), is_hook_name))
      refuse(node, "secret: must be the name of a credential, not the secret");
  }

  void labels(const toml::node& node, HookConfig& hook) {
    const toml::table* const table = node.as_table();
    if (table == nullptr) return refuse(node, "labels: must be a table of texts");
    for (const auto& [key, value] : *table) {
      const auto written = value.value_exact<std::string>();
      if (!written || !is_label_name(key.str())) return refuse(value, "labels: must be a table of texts");
      hook.labels.emplace_back(std::string{key.str()}, *written);
    }
  }

  const std::string& path_;
};

}  // namespace

tl::expected<Config, std::vector<std::string>> parse_config(const std::string& text,
                                                            const std::string& path) {
  try {
    ConfigReader reader{path};
    Config config = reader.read(toml::parse(text));
    if (!reader.mistakes.empty()) return tl::unexpected(std::move(reader.mistakes));
    return config;
  } catch (const toml::parse_error& error) {
    return tl::unexpected(std::vector{path + ':' + std::to_string(error.source().begin.line) + ": " +
                                      std::string{error.description()}});
  }
}

tl::expected<Config, std::vector<std::string>> load_config(const std::string& path) {
  const auto text = events::read_file(path, kConfigFileMax);
  if (!text) return tl::unexpected(std::vector{path + ": " + std::strerror(text.error())});
  return parse_config(*text, path);
}

}  // namespace heartbeat::notify
