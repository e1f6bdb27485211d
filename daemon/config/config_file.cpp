#include "daemon/config/config_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <system_error>
#include <tuple>

#include <fcntl.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "common/limits.h"
#include "common/text.h"

namespace heartbeat {
namespace {

std::string_view name_of(toml::node_type type) {
  switch (type) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "a list";
    case toml::node_type::string: return "text";
    case toml::node_type::integer: return "a whole number";
    case toml::node_type::floating_point: return "a number with a point";
    case toml::node_type::boolean: return "true or false";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time: return "a date or time";
    case toml::node_type::none: break;
  }
  return "nothing";
}

// What the setting's value looks like in the file.
std::string expected_form(const Setting& setting) {
  const std::string like = ", like " + toml_text(setting, default_of(setting));
  switch (setting.type) {
    case Setting::Type::Count: return "a whole number without quotes" + like;
    case Setting::Type::Duration: return "a duration in quotes, with its unit" + like;
    case Setting::Type::Choice: return "text in quotes" + like;
    case Setting::Type::Path: return "text in quotes, like \"/run/heartbeatd/control.sock\"";
    case Setting::Type::Address: return "text in quotes, like \"127.0.0.1:14080\"";
    case Setting::Type::Networks: return R"(a list of texts, like ["10.0.0.5", "10.1.0.0/16"])";
    case Setting::Type::Listeners: return "[[listener]] tables, each with an address";
    case Setting::Type::Groups: return "[[group]] tables, each with a name";
    case Setting::Type::Addresses: break;
  }
  return "a list of texts" + like;
}

// Walks the tables of one file.
class Reader {
 public:
  Reader(FileContents& contents, const std::string& path) : contents_(contents), path_(path) {}

  void read_table(const toml::table& table, const std::string& prefix) {
    for (const auto& [key, node] : table) {
      const std::string full = prefix + std::string{key.str()};
      if (const auto row = find_setting(full)) {
        read_setting(*row, node);
      } else if (is_table_of_settings(full) && node.is_table()) {
        read_table(*node.as_table(), full + ".");
      } else {
        refuse_unknown(full, key.source());
      }
    }
  }

  void refuse(std::string_view key, const toml::source_region& at, std::string what) {
    contents_.mistakes.push_back({origin(at), std::string{key}, std::move(what)});
  }

 private:
  static bool is_table_of_settings(const std::string& key) {
    return std::any_of(all_settings().begin(), all_settings().end(),
                       [&](const Setting& setting) { return setting.key.starts_with(key + "."); });
  }

  void refuse_unknown(const std::string& key, const toml::source_region& at) {
    refuse(escaped(key, limits::kExcerptMax), at, "there is no such setting" + hint_for(key));
  }

  // What may have been meant: the same setting at another place, or one of a similar name.
  static std::string hint_for(const std::string& key) {
    if (const Setting* const meant = elsewhere(key)) {
      const std::string_view table = table_of(meant->key);
      return table.empty() ? " under [" + std::string{table_of(key)} + "]: " + std::string{meant->key} +
                                 " belongs above the first [table] of the file"
                           : ": " + std::string{name_in_table(meant->key)} + " belongs under [" +
                                 std::string{table} + "]";
    }
    const auto meant = nearest_key(key);
    return meant ? " (did you mean " + std::string{*meant} + "?)" : "";
  }

  static std::string_view table_of(std::string_view key) {
    const std::size_t dot = key.rfind('.');
    return dot == std::string_view::npos ? std::string_view{} : key.substr(0, dot);
  }
  static std::string_view name_in_table(std::string_view key) { return key.substr(key.rfind('.') + 1); }

  // The setting that has this name in another table; null if no table has one.
  static const Setting* elsewhere(std::string_view key) {
    const auto found = std::find_if(
        all_settings().begin(), all_settings().end(),
        [&](const Setting& setting) { return name_in_table(setting.key) == name_in_table(key); });
    return found == all_settings().end() ? nullptr : &*found;
  }

  void read_setting(std::size_t row, const toml::node& node) {
    const Setting& setting = all_settings()[row];
    const std::size_t mistakes = contents_.mistakes.size();
    std::vector<const toml::node*> elements;
    const auto value = setting.type == Setting::Type::Listeners ? read_listeners(setting, node, elements)
                       : setting.type == Setting::Type::Groups  ? read_groups(setting, node, elements)
                       : is_list(setting)                       ? read_list(setting, node, elements)
                                                                : read_single(setting, node);
    if (!value) return;
    for (const Fault& fault : faults_of(setting, *value)) {
      refuse(setting.key, (elements.empty() ? node : *elements[fault.element]).source(), fault.what);
    }
    if (contents_.mistakes.size() == mistakes) {
      contents_.given.push_back({row, *value, origin(node.source())});
    }
  }

  // Both return nothing when there is nothing to look at further: it was of another type, and refused.
  std::optional<Value> read_single(const Setting& setting, const toml::node& node) {
    if (setting.type == Setting::Type::Count) {
      if (const auto* integer = node.as_integer()) return integer->get();
      return refuse_type(setting, node);
    }
    const auto* const text = node.as_string();
    if (text == nullptr) return refuse_type(setting, node);
    const auto value = parse_value(setting, {text->get()});
    if (value) return *value;
    refuse(setting.key, node.source(), value.error());
    return {};
  }

  // The elements that are texts; every other element has been refused.
  std::optional<Value> read_list(const Setting& setting, const toml::node& node,
                                 std::vector<const toml::node*>& elements) {
    const toml::array* const list = node.as_array();
    if (list == nullptr) return refuse_type(setting, node);
    std::vector<std::string> texts;
    for (const toml::node& element : *list) {
      if (const auto* const text = element.as_string()) {
        texts.push_back(text->get());
        elements.push_back(&element);
      } else {
        refuse_type(setting, element);
      }
    }
    if (texts.empty() && !list->empty()) return {};
    return texts;
  }

  // As read_list().  A table becomes the one line that a flag would give.
  std::optional<Value> read_listeners(const Setting& setting, const toml::node& node,
                                      std::vector<const toml::node*>& elements) {
    const toml::array* const list = node.as_array();
    if (list == nullptr) return refuse_type(setting, node);
    std::vector<std::string> texts;
    for (const toml::node& element : *list) {
      const toml::table* const table = element.as_table();
      if (table == nullptr) {
        refuse_type(setting, element);
      } else if (const auto listener = read_listener(*table)) {
        texts.push_back(to_string(*listener));
        elements.push_back(&element);
      }
    }
    if (texts.empty() && !list->empty()) return {};
    return texts;
  }

  // As read_listeners().  What is wrong with the line is found with the faults of the setting.
  std::optional<Value> read_groups(const Setting& setting, const toml::node& node,
                                   std::vector<const toml::node*>& elements) {
    const toml::array* const list = node.as_array();
    if (list == nullptr) return refuse_type(setting, node);
    std::vector<std::string> texts;
    for (const toml::node& element : *list) {
      const toml::table* const table = element.as_table();
      if (table == nullptr) {
        refuse_type(setting, element);
      } else if (auto line = read_group(*table)) {
        texts.push_back(std::move(*line));
        elements.push_back(&element);
      }
    }
    if (texts.empty() && !list->empty()) return {};
    return texts;
  }

  std::optional<std::string> read_group(const toml::table& table) {
    const std::size_t mistakes = contents_.mistakes.size();
    std::string line;
    const auto* const name = table["name"].as_string();
    if (name != nullptr && name->get().find(' ') == std::string::npos) {
      line = name->get();
    } else if (name != nullptr) {
      refuse("group.name", name->source(), "'" + escaped(name->get()) + "' must not have a space");
    } else {
      refuse("group", table.source(), "a [[group]] must have a name, which is text in quotes");
    }
    for (const auto& [key, node] : table) {
      const std::string option{key.str()};
      if (option == "name") continue;
      if (const auto text = read_group_option(option, key, node)) line += " " + option + "=" + *text;
    }
    if (contents_.mistakes.size() > mistakes) return {};
    return line;
  }

  // The option's value as it stands in a line; its mistakes are refused.
  std::optional<std::string> read_group_option(const std::string& option, const toml::key& key,
                                               const toml::node& node) {
    if (option == "id" || option == "credential" || option == "listener") return read_names(option, node);
    if (option == "by_name") {
      if (const auto* const word = node.as_string()) return word->get();
      refuse("group.by_name", node.source(), R"(must be "no" or "yes" in quotes)");
      return {};
    }
    const auto row = find_setting(option);
    if (!row || !is_setting_of_group(option)) {
      refuse("group." + escaped(option, limits::kExcerptMax), key.source(),
             "there is no such option of a group: name, id, credential, listener, by_name, tick, threshold, "
             "cursor, recover, leave_timeout, hello_timeout, max_rate, interval_min, interval_max and "
             "quiet_max are those that there are");
      return {};
    }
    const Setting& setting = all_settings()[*row];
    const auto value = read_single(setting, node);
    if (!value) return {};
    for (const Fault& fault : faults_of(setting, *value))
      refuse("group." + option, node.source(), fault.what);
    return plain_text(setting, *value);
  }

  // A list of names, or one name, with commas.
  std::optional<std::string> read_names(const std::string& option, const toml::node& node) {
    if (const auto* const one = node.as_string()) return one->get();
    const toml::array* const list = node.as_array();
    std::string names;
    for (std::size_t at = 0; list != nullptr && at < list->size(); ++at) {
      const auto* const name = (*list)[at].as_string();
      if (name == nullptr || name->get().find(',') != std::string::npos) {
        refuse("group." + option, (*list)[at].source(), "each must be text in quotes, without a comma");
        return {};
      }
      names += (at == 0 ? "" : ",") + name->get();
    }
    if (!names.empty()) return names;
    refuse("group." + option, node.source(), R"(must be a list of texts, like ["pump-*", "valve-*"])");
    return {};
  }

  static bool is_setting_of_group(std::string_view key) {
    return std::find(kSettingsOfGroup.begin(), kSettingsOfGroup.end(), key) != kSettingsOfGroup.end();
  }

  std::optional<Listener> read_listener(const toml::table& table) {
    const std::size_t mistakes = contents_.mistakes.size();
    Listener listener;
    if (!table.contains("address")) refuse("listener", table.source(), "a [[listener]] must have an address");
    for (const auto& [key, node] : table) {
      const std::string name{key.str()};
      if (name == "address") {
        read_address(node, listener.address);
      } else if (name == "proxy_from") {
        const Setting& proxies = all_settings()[*find_setting(name)];
        std::vector<const toml::node*> elements;
        const auto value = read_list(proxies, node, elements);
        if (!value) continue;
        for (const Fault& fault : faults_of(proxies, *value)) {
          refuse("listener.proxy_from", (*elements[fault.element]).source(), fault.what);
        }
        if (contents_.mistakes.size() > mistakes) continue;
        listener.proxy_from.emplace();
        for (const std::string& text : std::get<std::vector<std::string>>(*value)) {
          listener.proxy_from->push_back(*parse_network(text));
        }
      } else if (name == "require") {
        const Setting& requirement = all_settings()[*find_setting(name)];
        const auto value = read_single(requirement, node);
        if (!value) continue;
        for (const Fault& fault : faults_of(requirement, *value)) {
          refuse("listener.require", node.source(), fault.what);
        }
        listener.require = std::get<std::string>(*value);
      } else if (name == "accept_rate") {
        const Setting& rate = all_settings()[*find_setting(name)];
        const auto value = read_single(rate, node);
        if (!value) continue;
        for (const Fault& fault : faults_of(rate, *value)) {
          refuse("listener.accept_rate", node.source(), fault.what);
        }
        if (contents_.mistakes.size() > mistakes) continue;
        listener.accept_rate = static_cast<unsigned>(std::get<std::int64_t>(*value));
      } else if (!read_tls_option(name, node, listener)) {
        refuse("listener." + escaped(name, limits::kExcerptMax), key.source(),
               "there is no such option of a listener: address, proxy_from, require, accept_rate and those "
               "that begin with tls_ are those that there are (docs/configuration.md)");
      }
    }
    if (listener.tls && listener.tls->certificate.empty()) {
      refuse("listener", table.source(), "a [[listener]] with TLS must have tls_certificate");
    }
    if (contents_.mistakes.size() > mistakes) return {};
    return listener;
  }

  // Returns whether there is such an option.
  bool read_tls_option(const std::string& name, const toml::node& node, Listener& listener) {
    for (const TlsOption& option : tls_options()) {
      if (option.name != name) continue;
      const auto* const text = node.as_string();
      const auto fault = text == nullptr ? "must be text in quotes, not " + std::string{name_of(node.type())}
                                         : fault_of(option, text->get());
      if (!listener.tls) listener.tls.emplace();
      if (fault) {
        refuse("listener." + name, node.source(), *fault);
        if (option.name == "tls_certificate") listener.tls->certificate = "?";  // one mistake is enough
      } else {
        (*listener.tls).*(option.member) = text->get();
      }
      return true;
    }
    return false;
  }

  void read_address(const toml::node& node, HostPort& address) {
    const auto* const text = node.as_string();
    if (text == nullptr) {
      return refuse(
          "listener.address", node.source(),
          "must be text in quotes, like \"0.0.0.0:14000\", not " + std::string{name_of(node.type())});
    }
    const auto parsed = parse_host_port(text->get());
    if (!parsed) return refuse("listener.address", node.source(), parsed.error());
    const bool has_space = parsed->host.find(' ') != std::string::npos;
    if (has_space || !is_printable(parsed->host)) {
      return refuse("listener.address", node.source(),
                    "must be printable text without spaces, not '" + escaped(text->get()) + "'");
    }
    address = *parsed;
  }

  std::nullopt_t refuse_type(const Setting& setting, const toml::node& node) {
    if (const auto* const flag = node.as_boolean();
        flag != nullptr && setting.type == Setting::Type::Choice) {
      const std::string_view word = flag->get() ? "yes" : "no";
      if (faults_of(setting, Value{std::string{word}}).empty()) {
        refuse(
            setting.key, node.source(),
            "write \"" + std::string{word} + "\", in quotes, instead of " + (flag->get() ? "true" : "false"));
        return std::nullopt;
      }
    }
    refuse(setting.key, node.source(),
           "must be " + expected_form(setting) + ", not " + std::string{name_of(node.type())});
    return std::nullopt;
  }

  [[nodiscard]] Origin origin(const toml::source_region& at) const {
    return {Origin::Kind::File, path_ + ":" + std::to_string(at.begin.line), at.begin.line, at.begin.column};
  }

  FileContents& contents_;
  const std::string& path_;
};

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin);
}

std::string_view line_of(std::string_view text, std::size_t number) {
  for (; number > 1 && !text.empty(); --number)
    text.remove_prefix(std::min(text.find('\n') + 1, text.size()));
  return text.substr(0, text.find('\n'));
}

// What to write where a value that is text stands in the file without its quotes, which is no TOML: `tick =
// 10s`. Nothing where the line is not of that kind.
std::optional<std::string> unquoted_value(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return {};
  const std::string_view key = trimmed(line.substr(0, equals));
  std::string_view value = trimmed(line.substr(equals + 1));
  value = trimmed(value.substr(0, value.find('#')));
  const auto row = std::find_if(all_settings().begin(), all_settings().end(), [&](const Setting& setting) {
    return setting.key == key || setting.key.ends_with('.' + std::string{key});
  });
  if (row == all_settings().end() || value.empty() || row->type == Setting::Type::Count) return {};
  if (value.find_first_of("\"'") != std::string_view::npos) return {};
  const bool list = is_list(*row);
  if (list && value.starts_with('[') && value.ends_with(']')) value = value.substr(1, value.size() - 2);
  const std::string quoted = '"' + escaped(trimmed(value), limits::kExcerptMax) + '"';
  return "the value must be in quotes: " + std::string{key} + " = " + (list ? '[' + quoted + ']' : quoted);
}

// Tables come sorted by key; people read by line.
template <class T, class OriginOf>
void sort_by_place(std::vector<T>& all, OriginOf origin_of) {
  const auto place = [&](const T& one) {
    const Origin& origin = origin_of(one);
    return std::tuple{origin.line, origin.column};
  };
  std::stable_sort(all.begin(), all.end(), [&](const T& a, const T& b) { return place(a) < place(b); });
}

}  // namespace

tl::expected<std::string, std::string> read_config_file(const std::string& path, Reading reading,
                                                        std::size_t size_max) {
  const auto refuse = [&](const std::string& why) {
    return tl::unexpected("cannot read " + escaped(path) + ": " + why);
  };
  const auto last_error = [] { return std::generic_category().message(errno); };

  const int wait = reading == Reading::Again ? O_NONBLOCK : 0;
  const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC | wait)};
  if (file.get() < 0) return refuse(last_error());
  struct stat about {};
  if (fstat(file.get(), &about) != 0) return refuse(last_error());
  if (S_ISDIR(about.st_mode)) return refuse("it is a directory");
  if (reading == Reading::Again && !S_ISREG(about.st_mode)) {
    return refuse("it is not a file, and can be read only once");
  }

  std::string text;
  std::array<char, 4096> buffer{};
  while (text.size() <= size_max) {
    const ssize_t count = read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return refuse(last_error());
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return refuse("it is longer than " + std::to_string(size_max) + " bytes");
}

FileContents parse_config_text(std::string_view text, const std::string& path) {
  FileContents contents;
  Reader reader{contents, path};
  try {
    reader.read_table(toml::parse(text), "");
  } catch (const toml::parse_error& error) {
    // Nothing has been read yet; the parser stops at the first.
    const std::string why{error.description()};
    const auto hint = unquoted_value(line_of(text, error.source().begin.line));
    reader.refuse({}, error.source(), hint ? *hint : is_printable(why) ? why : escaped(why));
  }
  sort_by_place(contents.given, [](const Given& one) -> const Origin& { return one.origin; });
  sort_by_place(contents.mistakes, [](const Mistake& one) -> const Origin& { return one.where; });
  return contents;
}

}  // namespace heartbeat
