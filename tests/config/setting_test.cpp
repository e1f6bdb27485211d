// The table of settings, and everything that is written by hand beside it.
#include "daemon/config/setting.h"

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "daemon/config/command_line.h"
#include "daemon/config/config_file.h"
#include "daemon/config/overlap.h"

namespace heartbeat {
namespace {

std::string read_source(const std::string& path) {
  std::ifstream file{std::string{HEARTBEAT_SOURCE_DIR} + "/" + path};
  REQUIRE_MESSAGE(file, path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> lines_of_text(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string default_text(const Setting& setting) {
  return toml_text(setting, default_of(setting));
}

// The comment above each setting of the example file, in one line, by the line that gives the setting.
struct Example {
  std::string assignment;
  std::string comment;
};
std::vector<Example> examples() {
  std::vector<Example> all;
  std::string comment;
  for (const std::string& line : lines_of_text(read_source("systemd/heartbeatd.toml"))) {
    if (line.starts_with("# ")) {
      comment += line.substr(1);
    } else if (line.starts_with("#") && line.size() > 1) {
      all.push_back({line.substr(1), comment});
      comment.clear();
    } else {
      comment.clear();
    }
  }
  return all;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string capitalised(std::string text) {
  if (text.starts_with("at most")) text[0] = 'A';
  if (text.starts_with("one ")) text[0] = 'O';
  return text;
}

const Setting& setting_named(std::string_view key) {
  return all_settings()[*find_setting(key)];
}

std::vector<std::string> whats(const std::vector<Fault>& faults) {
  std::vector<std::string> all;
  for (const Fault& fault : faults) all.push_back(fault.what);
  return all;
}

TEST_CASE("every key stands in the table once, and every default is without a fault") {
  std::set<std::string_view> keys;
  for (const Setting& setting : all_settings()) {
    CAPTURE(setting.key);
    CHECK(keys.insert(setting.key).second);
    CHECK(faults_of(setting, default_of(setting)).empty());
    CHECK_FALSE(setting.meaning.ends_with('.'));
  }
}

TEST_CASE("a row sets the member that it reads") {
  for (const Setting& setting : all_settings()) {
    CAPTURE(setting.key);
    Value other;
    switch (setting.type) {
      case Setting::Type::Count: other = setting.max; break;
      case Setting::Type::Duration: other = setting.max; break;
      case Setting::Type::Choice: other = std::string{setting.choices.back()}; break;
      case Setting::Type::Path: other = std::string{"/a/b"}; break;
      case Setting::Type::Address: other = std::string{"[::1]:1"}; break;
      case Setting::Type::Addresses: other = std::vector<std::string>{"[::1]:1", "localhost:2"}; break;
      case Setting::Type::Listeners:
        other = std::vector<std::string>{"[::1]:1", "localhost:2 proxy_from=10.1.0.0/16,::1",
                                         "a:3 proxy_from= require=certificate"};
        break;
      case Setting::Type::Groups:
        other = std::vector<std::string>{"games id=game-*,play-? tick=1s max_rate=20",
                                         "field credential=plant listener=0.0.0.0:14001 by_name=yes"};
        break;
      case Setting::Type::Networks: other = std::vector<std::string>{"10.1.0.0/16", "::1"}; break;
    }
    Config config;
    set(config, setting, other);
    CHECK(get(config, setting) == other);
    for (const Setting& another : all_settings()) {
      if (another.key != setting.key) CHECK(get(config, another) == default_of(another));
    }
  }
}

TEST_CASE("a number is accepted at both ends of its range and refused one beyond them") {
  for (const Setting& setting : all_settings()) {
    if (setting.type != Setting::Type::Count && setting.type != Setting::Type::Duration) continue;
    CAPTURE(setting.key);
    CHECK(faults_of(setting, setting.min).empty());
    CHECK(faults_of(setting, setting.max).empty());
    CHECK(faults_of(setting, setting.min - 1).size() == 1);
    CHECK(faults_of(setting, setting.max + 1).size() == 1);
  }
  CHECK(whats(faults_of(setting_named("cursor"), std::int64_t{0})) ==
        std::vector<std::string>{"'0' is not a whole number from 1 to 1000 strikes"});
  CHECK(whats(faults_of(setting_named("tick"), std::int64_t{9})) ==
        std::vector<std::string>{"'9ms' is not from 10ms to 1d"});
}

TEST_CASE("a control path may have as many bytes as a socket's address holds, and not one more") {
  const Setting& control = setting_named("control");
  CHECK(faults_of(control, std::string(107, 'a')).empty());
  CHECK(whats(faults_of(control, std::string(108, 'a'))) ==
        std::vector<std::string>{"must be at most 107 bytes, not 108"});
  CHECK(whats(faults_of(control, std::string{"/a\0b", 4})) ==
        std::vector<std::string>{"must be printable text, not '/a\\x00b'"});
}

TEST_CASE("64 addresses are accepted, 65 are not, and each mistake in a list has its place") {
  const Setting& listen = setting_named("listen");
  std::vector<std::string> addresses;
  for (int port = 1; port <= 64; ++port) addresses.push_back("127.0.0.1:" + std::to_string(port));
  CHECK(faults_of(listen, addresses).empty());
  addresses.emplace_back("127.0.0.1:65");
  const auto faults = faults_of(listen, addresses);
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].element == 64);

  const auto several =
      faults_of(listen, std::vector<std::string>{"a:1", "b", "a:1", "c:0", "c:0", "\x1b:3", "::1:4"});
  REQUIRE(several.size() == 4);
  CHECK(several[0].element == 1);
  CHECK(several[1].element == 2);
  CHECK(several[1].what == "'a:1' is given twice");
  CHECK(several[2].element == 5);
  CHECK(several[3].element == 6);

  const auto beside = faults_of(listen, std::vector<std::string>{"127.0.0.1:1", "[::]:1", "0.0.0.0:1"});
  REQUIRE(beside.size() == 1);
  CHECK(beside[0].what == "'0.0.0.0:1' cannot be listened on beside '127.0.0.1:1', which has it already");
}

TEST_CASE("64 groups are accepted, 65 are not, and each mistake in a group is named") {
  const Setting& group = setting_named("group");
  std::vector<std::string> groups;
  for (int number = 1; number <= 64; ++number) groups.push_back("g" + std::to_string(number) + " id=*");
  CHECK(faults_of(group, groups).empty());
  groups.emplace_back("g65 id=*");
  REQUIRE(faults_of(group, groups).size() == 1);
  CHECK(faults_of(group, groups)[0].element == 64);

  const auto fault = [&](const std::string& text) { return whats(faults_of(group, std::vector{text})); };
  using Whats = std::vector<std::string>;
  CHECK(fault("g") ==
        Whats{"group 'g' has no condition: give it id, credential, listener or by_name = \"yes\""});
  CHECK(fault("") == Whats{"a group must have a name"});
  CHECK(fault("default id=*") == Whats{"'default' is the name of the clients that are in no group"});
  CHECK(fault("a/b id=*") ==
        Whats{"'a/b' is not the name of a group: it has 1 to 64 letters, digits, points, hyphens and "
              "underscores"});
  CHECK(faults_of(group, std::vector{std::string(64, 'g') + " id=*"}).empty());
  CHECK(fault(std::string(65, 'g') + " id=*").size() == 1);
  CHECK(fault("g id=[") == Whats{"group 'g': " + Glob::compile("[").error()});
  CHECK(fault("g id=") == Whats{"group 'g': an empty pattern matches no client"});
  CHECK(fault("g id=a id=b") == Whats{"group 'g': a condition is given twice"});
  CHECK(fault("g listener=name:1") ==
        Whats{"group 'g': 'name:1' is not the address of a listener in numbers, like 0.0.0.0:14001"});
  CHECK(fault("g by_name=true") == Whats{"group 'g': by_name: 'true' is not one of no or yes"});
  CHECK(fault("g id=* tick=1ms") == Whats{"group 'g': tick: '1ms' is not from 10ms to 1d"});
  CHECK(fault("g id=* cursor=many") ==
        Whats{"group 'g': cursor: 'many' is not a whole number from 1 to 1000 strikes"});
  CHECK(fault("g id=* tick=1s tick=2s") == Whats{"group 'g': tick is given twice"});
  CHECK(fault("g id=* backlog=1") ==
        Whats{"group 'g': 'backlog' is not an option of a group: name, id, credential, listener, by_name, "
              "tick, threshold, cursor, recover, leave_timeout, hello_timeout, max_rate, interval_min, "
              "interval_max and quiet_max are"});
  CHECK(whats(faults_of(group, std::vector<std::string>{"g id=a", "g id=b"})) ==
        Whats{"there are two groups of the name 'g'"});

  std::string patterns = "g id=a";
  for (int number = 2; number <= 64; ++number) patterns += ",a";
  CHECK(fault(patterns).empty());
  CHECK(fault(patterns + ",a") ==
        Whats{"group 'g': 65 values are given for one condition, and not more than 64 are allowed"});
}

TEST_CASE("two addresses overlap where one socket could not be bound beside the other") {
  const auto overlaps = [](std::string_view one, std::string_view other) {
    const auto a = parse_host_port(one);
    const auto b = parse_host_port(other);
    REQUIRE(a);
    REQUIRE(b);
    CHECK(overlap(*a, *b) == overlap(*b, *a));
    return overlap(*a, *b);
  };
  CHECK(overlaps("127.0.0.1:1", "127.0.0.1:1"));
  CHECK(overlaps("0.0.0.0:1", "127.0.0.1:1"));
  CHECK(overlaps("localhost:1", "127.0.0.1:1"));
  CHECK(overlaps("[::1]:1", "[0:0::1]:1"));
  CHECK(overlaps("[::]:1", "[::1]:1"));
  CHECK(overlaps("name:1", "name:1"));
  CHECK_FALSE(overlaps("127.0.0.1:1", "127.0.0.1:2"));
  CHECK_FALSE(overlaps("127.0.0.1:1", "127.0.0.2:1"));
  CHECK_FALSE(overlaps("127.0.0.1:0", "127.0.0.1:0"));
  CHECK_FALSE(overlaps("0.0.0.0:1", "[::]:1"));  // [::] is IPv6 only
  CHECK_FALSE(overlaps("name:1", "127.0.0.1:1"));
}

TEST_CASE("a key that is nearly a setting's gets a suggestion, and an unlike key gets none") {
  CHECK(nearest_key("tik") == "tick");
  CHECK(nearest_key("leave-timeout") == "leave_timeout");
  CHECK(nearest_key("max_client") == "max_clients");
  CHECK(nearest_key("treshhold") == "threshold");
  CHECK_FALSE(nearest_key("colour"));
  CHECK_FALSE(nearest_key(""));
  CHECK_FALSE(nearest_key(std::string(10000, 'x')));
}

TEST_CASE("a flag is its key with hyphens") {
  CHECK(flag_of(setting_named("leave_timeout")) == "--leave-timeout");
}

TEST_CASE("--help names each setting with its range and default") {
  const std::vector<const char*> arguments{"heartbeatd", "--help"};
  const auto help = parse_command_line(2, arguments.data());
  REQUIRE_FALSE(help);
  CHECK(help.error().exit_code == 0);
  // Descriptions are wrapped: one space for any white space makes them sentences again.
  std::istringstream words{help.error().text};
  std::string text;
  for (std::string word; words >> word;) text += word + ' ';
  for (const Setting& setting : all_settings()) {
    CAPTURE(setting.key);
    CHECK(contains(text, flag_of(setting) + " "));
    CHECK(contains(text, std::string{setting.meaning} + "; " + range_of(setting)));
    const std::string usual = plain_text(setting, default_of(setting));
    if (!usual.empty()) CHECK(contains(text, "[" + usual + "]"));
  }
}

TEST_CASE("the example file gives every setting once with its default, range and what a reload does") {
  std::set<std::string> given;
  for (const auto& [assignment, comment] : examples()) {
    CAPTURE(assignment);
    const auto row = find_setting(assignment.substr(0, assignment.find(' ')));
    REQUIRE(row);
    const Setting& setting = all_settings()[*row];
    CHECK(assignment == std::string{setting.key} + " = " + default_text(setting));
    CHECK(contains(comment, std::string{setting.meaning} + "."));
    CHECK(contains(comment, capitalised(range_of(setting)) + ". "));
    CHECK(contains(comment, setting.while_running ? " A reload changes it" : " Needs a restart."));
    CHECK(given.insert(std::string{setting.key}).second);
  }
  CHECK(given.size() == all_settings().size());
}

TEST_CASE("the example file is accepted as it is, and with every setting switched on") {
  const std::string text = read_source("systemd/heartbeatd.toml");
  const FileContents as_it_is = parse_config_text(text, "example");
  CHECK(as_it_is.mistakes.empty());
  CHECK(as_it_is.given.empty());

  std::string switched_on;
  for (const Example& example : examples()) switched_on += example.assignment + "\n";
  const FileContents all = parse_config_text(switched_on, "example");
  CHECK(all.mistakes.empty());
  CHECK(all.given.size() == all_settings().size());
}

TEST_CASE("the documentation has one row for each setting, as the table says it") {
  std::vector<std::string> expected;
  for (const Setting& setting : all_settings()) {
    expected.push_back("| `" + std::string{setting.key} + "` | `" + flag_of(setting) + "` | " +
                       range_of(setting) + " | `" + default_text(setting) + "` | " +
                       (setting.while_running ? "yes" : "restart") + " | " + std::string{setting.meaning} +
                       " |");
  }
  std::vector<std::string> rows;
  for (const std::string& line : lines_of_text(read_source("docs/configuration.md"))) {
    if (line.starts_with("| `")) rows.push_back(line);
  }
  CHECK(rows == expected);
}

TEST_CASE("the manual page has each setting once, with the range and default of the table") {
  const std::string page = read_source("docs/man/heartbeatd.toml.5");
  std::size_t entries = 0;
  for (const std::string& line : lines_of_text(page)) entries += line == ".TP" ? 1 : 0;
  CHECK(entries == all_settings().size());
  for (const Setting& setting : all_settings()) {
    CAPTURE(setting.key);
    const std::string heading = ".TP\n.B " + std::string{setting.key} + "\n";
    const std::size_t begin = page.find(heading);
    REQUIRE(begin != std::string::npos);
    const std::string entry = page.substr(begin, page.find("\n.", begin + heading.size()) - begin);
    if (setting.type == Setting::Type::Count || setting.type == Setting::Type::Duration) {
      CHECK(contains(entry, "From " + range_of(setting) + "; the default is " + default_text(setting) + "."));
    }
  }
}

}  // namespace
}  // namespace heartbeat
