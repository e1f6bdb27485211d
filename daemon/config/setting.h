// The table of all settings: everything that reads, prints, lists or compares them walks it.
//
// Flags and --help, the configuration file, --print-config, the answers of the control socket and the tests
// of the example file and the documentation come from its rows; a new setting is one row and one member of
// Config.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

#include "daemon/config/config.h"

namespace heartbeat {

// A setting's value, whatever its type: a count, or a duration in milliseconds; a text; a list of texts.
using Value = std::variant<std::int64_t, std::string, std::vector<std::string>>;

// The member of a Config that a setting is.
using Member =
    std::variant<std::uint16_t*, int*, unsigned*, std::size_t*, Millis*, std::string*, std::vector<HostPort>*,
                 std::vector<Network>*, std::vector<Listener>*, std::vector<GroupSettings>*>;

struct Setting {
  enum class Type : std::uint8_t {
    Count,
    Duration,
    Choice,
    Path,
    Address,
    Addresses,
    Listeners,
    Groups,
    Networks
  };

  std::string_view key;  // in the file, `http.listen` for one in a table; the flag is made of it
  Type type;
  // The range, both ends allowed: of the count; in ms; of the path's bytes; of the elements of a list.
  std::int64_t min;
  std::int64_t max;
  std::string_view unit;                      // of a Count: what is counted
  std::span<const std::string_view> choices;  // of a Choice
  bool while_running;                         // a reload can change it
  std::string_view meaning;                   // a sentence without a full stop
  Member (*member)(Config&);
};

// All of them, in the order in which people read them.
[[nodiscard]] std::span<const Setting> all_settings();

// The row of that key, and the key that may have been meant by a mistyped one.
[[nodiscard]] std::optional<std::size_t> find_setting(std::string_view key);
[[nodiscard]] std::optional<std::string_view> nearest_key(std::string_view written);

// Whether its value is a list of texts.
[[nodiscard]] bool is_list(const Setting& setting);

// `--leave-timeout`.
[[nodiscard]] std::string flag_of(const Setting& setting);

// `10ms to 1d`, `1 to 1000 ticks`, `one of auto, stderr, journal`.
[[nodiscard]] std::string range_of(const Setting& setting);

// What is wrong with a value: which of its elements (0 where it is no list), and a sentence.
struct Fault {
  std::size_t element;
  std::string what;
};

// Reads texts as they were given: of a list each text is an element, of anything else the last one counts.
// Looks at no range.  The error is a sentence.
[[nodiscard]] tl::expected<Value, std::string> parse_value(const Setting& setting,
                                                           const std::vector<std::string>& texts);

// Everything that is wrong with a value of the setting's own type.
[[nodiscard]] std::vector<Fault> faults_of(const Setting& setting, const Value& value);

// Of a value without faults.
void set(Config& config, const Setting& setting, const Value& value);
[[nodiscard]] Value get(Config config, const Setting& setting);
[[nodiscard]] Value default_of(const Setting& setting);

// As a person reads it, `10s`, and as it stands in the file, `"10s"`.
[[nodiscard]] std::string plain_text(const Setting& setting, const Value& value);
[[nodiscard]] std::string toml_text(const Setting& setting, const Value& value);

}  // namespace heartbeat
