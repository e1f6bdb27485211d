#include "daemon/config/group_settings.h"

#include <algorithm>
#include <optional>

#include "common/endpoint.h"
#include "common/glob.h"
#include "common/limits.h"
#include "common/text.h"
#include "daemon/config/setting.h"

namespace heartbeat {
namespace {

using Taken = tl::expected<void, std::string>;

tl::unexpected<std::string> refused(std::string sentence) {
  return tl::unexpected(std::move(sentence));
}

std::string_view take_until(std::string_view& text, char separator) {
  const std::string_view part = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

std::string with_commas(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : ",").append(word);
  return text;
}

// A name is a word of a metric's label, of a log field and of a command line.
Taken check_name(std::string_view name) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  if (name.empty()) return refused("a group must have a name");
  if (name == kDefaultGroup) return refused("'default' is the name of the clients that are in no group");
  if (name.size() > limits::kGroupNameMax || !std::all_of(name.begin(), name.end(), is_allowed)) {
    return refused("'" + escaped(name, limits::kExcerptMax) + "' is not the name of a group: it has 1 to " +
                   std::to_string(limits::kGroupNameMax) +
                   " letters, digits, points, hyphens and underscores");
  }
  return {};
}

Taken check_pattern(std::string_view pattern) {
  if (pattern.empty()) return refused("an empty pattern matches no client");
  if (pattern.find_first_of(" ,") != std::string_view::npos) {
    return refused("'" + escaped(pattern) + "' must not have a space or a comma: ? stands for any character");
  }
  const auto glob = Glob::compile(pattern);
  if (!glob) return refused(glob.error());
  return {};
}

Taken check_listener(std::string_view address) {
  if (parse_endpoint(address)) return {};
  return refused("'" + escaped(address) +
                 "' is not the address of a listener in numbers, like 0.0.0.0:14001");
}

Taken take_list(std::string_view values, std::vector<std::string>& into, Taken (*check)(std::string_view)) {
  if (!into.empty()) return refused("a condition is given twice");
  do {
    const std::string_view value = take_until(values, ',');
    if (Taken checked = check(value); !checked) return checked;
    into.emplace_back(value);
  } while (!values.empty());
  if (into.size() <= limits::kGroupPatternsMax) return {};
  return refused(std::to_string(into.size()) + " values are given for one condition, and not more than " +
                 std::to_string(limits::kGroupPatternsMax) + " are allowed");
}

Taken take_by_name(std::string_view word, GroupSettings& group) {
  if (word != "yes" && word != "no")
    return refused("by_name: '" + escaped(word) + "' is not one of no or yes");
  group.by_name = word == "yes";
  return {};
}

Taken take_own(std::string_view key, std::string_view value, GroupSettings& group) {
  if (std::find(kSettingsOfGroup.begin(), kSettingsOfGroup.end(), key) == kSettingsOfGroup.end()) {
    return refused("'" + escaped(key, limits::kExcerptMax) +
                   "' is not an option of a group: name, id, credential, listener, by_name, tick, threshold, "
                   "cursor, recover, leave_timeout, hello_timeout, max_rate, interval_min, interval_max and "
                   "quiet_max are");
  }
  const Setting& setting = all_settings()[*find_setting(key)];
  const auto parsed = parse_value(setting, {std::string{value}});
  if (!parsed) return refused(std::string{key} + ": " + parsed.error());
  if (const auto faults = faults_of(setting, *parsed); !faults.empty()) {
    return refused(std::string{key} + ": " + faults.front().what);
  }
  const bool is_given = std::any_of(group.own.begin(), group.own.end(),
                                    [&](const auto& earlier) { return earlier.first == key; });
  if (is_given) return refused(std::string{key} + " is given twice");
  group.own.emplace_back(key, value);
  return {};
}

Taken take_option(std::string_view option, GroupSettings& group) {
  const std::size_t equals = std::min(option.find('='), option.size());
  const std::string_view key = option.substr(0, equals);
  const std::string_view value = option.substr(std::min(equals + 1, option.size()));
  if (key == "id") return take_list(value, group.ids, check_pattern);
  if (key == "credential") return take_list(value, group.credentials, check_pattern);
  if (key == "listener") return take_list(value, group.listeners, check_listener);
  if (key == "by_name") return take_by_name(value, group);
  return take_own(key, value, group);
}

std::string toml_list(std::string_view key, const std::vector<std::string>& words) {
  if (words.empty()) return {};
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : ", ").append(toml_string(word));
  return ", " + std::string{key} + " = [" + text + "]";
}

// The configuration as it is for the clients of the group.
Config with_own_settings(Config config, const GroupSettings& group) {
  for (const auto& [key, text] : group.own) {
    const Setting& setting = all_settings()[*find_setting(key)];
    set(config, setting, *parse_value(setting, {text}));
  }
  return config;
}

std::vector<NamePattern> compiled(const std::vector<std::string>& patterns) {
  std::vector<NamePattern> all;
  all.reserve(patterns.size());
  for (const std::string& pattern : patterns) all.push_back({pattern, *Glob::compile(pattern)});
  return all;
}

}  // namespace

std::string to_string(const GroupSettings& group) {
  std::string text = group.name;
  if (!group.ids.empty()) text += " id=" + with_commas(group.ids);
  if (!group.credentials.empty()) text += " credential=" + with_commas(group.credentials);
  if (!group.listeners.empty()) text += " listener=" + with_commas(group.listeners);
  if (group.by_name) text += " by_name=yes";
  for (const auto& [key, value] : group.own) text.append(" ").append(key).append("=").append(value);
  return text;
}

tl::expected<GroupSettings, std::string> parse_group(std::string_view text) {
  GroupSettings group{.name = std::string{take_until(text, ' ')}};
  if (const Taken checked = check_name(group.name); !checked) return refused(checked.error());
  while (!text.empty()) {
    const Taken taken = take_option(take_until(text, ' '), group);
    if (!taken) return refused("group '" + group.name + "': " + taken.error());
  }
  if (group.ids.empty() && group.credentials.empty() && group.listeners.empty() && !group.by_name) {
    return refused("group '" + group.name +
                   "' has no condition: give it id, credential, listener or by_name = \"yes\"");
  }
  return group;
}

std::string toml_table(const GroupSettings& group) {
  std::string text = "{ name = " + toml_string(group.name);
  text += toml_list("id", group.ids) + toml_list("credential", group.credentials) +
          toml_list("listener", group.listeners);
  if (group.by_name) text += ", by_name = \"yes\"";
  for (const auto& [key, value] : group.own) {
    const Setting& setting = all_settings()[*find_setting(key)];
    text.append(", ").append(key).append(" = ").append(toml_text(setting, *parse_value(setting, {value})));
  }
  return text + " }";
}

GroupList groups_of(const Config& config) {
  if (config.groups.empty()) return {};
  std::vector<Group> groups;
  groups.reserve(config.groups.size());
  for (const GroupSettings& settings : config.groups) {
    const Config own = with_own_settings(config, settings);
    Group group{.name = settings.name,
                .ids = compiled(settings.ids),
                .credentials = compiled(settings.credentials),
                .listeners = {},
                .by_name = settings.by_name,
                .rule = own.settings.rule,
                .bounds = own.settings.bounds};
    for (const std::string& address : settings.listeners) group.listeners.push_back(*parse_endpoint(address));
    groups.push_back(std::move(group));
  }
  return GroupList{std::move(groups)};
}

}  // namespace heartbeat
