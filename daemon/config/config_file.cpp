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
  const std::string like = ", like " + toml_text(setting, get(Config{}, setting));
  switch (setting.type) {
    case Setting::Type::Count: return "a whole number without quotes" + like;
    case Setting::Type::Duration: return "a duration in quotes, with its unit" + like;
    case Setting::Type::Choice: return "text in quotes" + like;
    case Setting::Type::Path: return "text in quotes, like \"/run/heartbeatd/control.sock\"";
    case Setting::Type::Address: return "text in quotes, like \"127.0.0.1:14080\"";
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
    const auto meant = nearest_key(key);
    const std::string hint = meant ? " (did you mean " + std::string{*meant} + "?)" : "";
    refuse(escaped(key, limits::kExcerptMax), at, "there is no such setting" + hint);
  }

  void read_setting(std::size_t row, const toml::node& node) {
    const Setting& setting = all_settings()[row];
    const std::size_t mistakes = contents_.mistakes.size();
    std::vector<const toml::node*> elements;
    const auto value = setting.type == Setting::Type::Addresses ? read_list(setting, node, elements)
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

  // The elements that are texts; those that are not have been refused.
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

  std::nullopt_t refuse_type(const Setting& setting, const toml::node& node) {
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

// Tables come sorted by key; people read by line.
template <class T, class OriginOf>
void sort_by_place(std::vector<T>& all, OriginOf origin_of) {
  const auto place = [&](const T& one) {
    const Origin& origin = origin_of(one);
    return std::tuple{origin.line, origin.column};
  };
  std::stable_sort(all.begin(), all.end(), [&](const T& a, const T& b) { return place(a) < place(b); });
}

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

}  // namespace

tl::expected<std::string, std::string> read_config_file(const std::string& path, Reading reading) {
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
  while (text.size() <= limits::kConfigFileMax) {
    const ssize_t count = read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return refuse(last_error());
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return refuse("it is longer than " + std::to_string(limits::kConfigFileMax) + " bytes");
}

FileContents parse_config_text(std::string_view text, const std::string& path) {
  FileContents contents;
  Reader reader{contents, path};
  try {
    reader.read_table(toml::parse(text), "");
  } catch (const toml::parse_error& error) {
    // Nothing has been read yet; the parser stops at the first.
    const std::string why{error.description()};
    reader.refuse({}, error.source(), is_printable(why) ? why : escaped(why));
  }
  sort_by_place(contents.given, [](const Given& one) -> const Origin& { return one.origin; });
  sort_by_place(contents.mistakes, [](const Mistake& one) -> const Origin& { return one.where; });
  return contents;
}

}  // namespace heartbeat
