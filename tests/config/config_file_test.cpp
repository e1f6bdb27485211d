// The configuration file's reader: what it takes, and what it says of everything else.
#include "daemon/config/config_file.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/limits.h"

namespace heartbeat {
namespace {

std::vector<std::string> mistakes_in(std::string_view text) {
  return lines_of(parse_config_text(text, "f").mistakes);
}

using Lines = std::vector<std::string>;

// A file, or the place for one, that is gone with it.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view text) {
    std::string name = "/tmp/heartbeatd-config-XXXXXX";
    const int descriptor = mkstemp(name.data());
    REQUIRE(descriptor >= 0);
    close(descriptor);
    path = name;
    std::ofstream{path} << text;
  }
  ~TemporaryFile() { static_cast<void>(std::remove(path.c_str())); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  TemporaryFile(TemporaryFile&&) = delete;
  TemporaryFile& operator=(TemporaryFile&&) = delete;

  std::string path;
};

TEST_CASE("what is given comes with its line") {
  const FileContents contents = parse_config_text("# why\ntick = \"1s\"\n\nthreshold = 7\n", "f");
  CHECK(contents.mistakes.empty());
  REQUIRE(contents.given.size() == 2);
  CHECK(contents.given[0].setting == find_setting("tick"));
  CHECK(contents.given[0].value == Value{std::int64_t{1000}});
  CHECK(contents.given[0].origin.text == "f:2");
  CHECK(contents.given[1].value == Value{std::int64_t{7}});
  CHECK(contents.given[1].origin.text == "f:4");
}

TEST_CASE("an empty file gives nothing and has no mistake") {
  for (const std::string_view text : {"", "\n", "# nothing\n", "\xEF\xBB\xBF"}) {
    const FileContents contents = parse_config_text(text, "f");
    CHECK(contents.given.empty());
    CHECK(contents.mistakes.empty());
  }
}

TEST_CASE("every mistake of a file is reported at once, in its order, with line and column") {
  CHECK(mistakes_in("tik = \"10s\"\n"
                    "threshold = \"5\"\n"
                    "cursor = 0\n"
                    "listen = [\"a:1\", 7, \"a:1\", \"b\"]\n"
                    "[web]\n"
                    "port = 80\n") ==
        Lines{"f:1:1: tik: there is no such setting (did you mean tick?)",
              "f:2:13: threshold: must be a whole number without quotes, like 5, not text",
              "f:3:10: cursor: '0' is not a whole number from 1 to 1000 strikes",
              "f:4:18: listen: must be a list of texts, like [\"127.0.0.1:14000\"], not a whole number",
              "f:4:21: listen: 'a:1' is given twice",
              "f:4:28: listen: 'b' is not an address: write it as HOST:PORT, like 127.0.0.1:14000",
              "f:5:2: web: there is no such setting"});
}

TEST_CASE("the report of a wrong type says which type would be right") {
  CHECK(mistakes_in("tick = 10") ==
        Lines{"f:1:8: tick: must be a duration in quotes, with its unit, like \"10s\", not a whole number"});
  CHECK(mistakes_in("tick = \"10\"") == Lines{"f:1:8: tick: '10' has no unit (did you mean 10s or 10ms?)"});
  CHECK(mistakes_in("recover = 2.5") ==
        Lines{"f:1:11: recover: must be a whole number without quotes, like 5, not a number with a point"});
  CHECK(mistakes_in("listen = \"a:1\"") ==
        Lines{"f:1:10: listen: must be a list of texts, like [\"127.0.0.1:14000\"], not text"});
  CHECK(mistakes_in("listen = [7]") ==
        Lines{"f:1:11: listen: must be a list of texts, like [\"127.0.0.1:14000\"], not a whole number"});
  CHECK(mistakes_in("control = 1979-05-27") ==
        Lines{"f:1:11: control: must be text in quotes, like \"/run/heartbeatd/control.sock\", "
              "not a date or time"});
  CHECK(mistakes_in("log_level = true") ==
        Lines{"f:1:13: log_level: must be text in quotes, like \"info\", not true or false"});
  CHECK(mistakes_in("[tick]\na = 1") ==
        Lines{"f:1:1: tick: must be a duration in quotes, with its unit, like \"10s\", not a table"});
}

TEST_CASE("the report of a value outside the choices names the choices") {
  CHECK(mistakes_in("log_target = \"syslog\"") ==
        Lines{"f:1:14: log_target: 'syslog' is not one of auto, stderr or journal"});
}

TEST_CASE("an error of TOML itself has its line and column") {
  CHECK(mistakes_in("tick = \"1s\"\nthreshold = \n") ==
        Lines{"f:2:13: Error while parsing key-value pair: expected value, saw '\\n'"});
  for (const std::string_view text :
       {"tick", "tick = \"1s", "= 1", "[", "tick = \"1s\"\ntick = \"2s\"", "tick = 99999999999999999999",
        "a = \"\xFF\"", "listen = [\"a:1\"", "\x01"}) {
    CAPTURE(text);
    const FileContents contents = parse_config_text(text, "f");
    CHECK(contents.given.empty());
    REQUIRE(contents.mistakes.size() == 1);
    CHECK(contents.mistakes[0].where.line > 0);
    CHECK(contents.mistakes[0].where.column > 0);
  }
}

TEST_CASE("a key is shown without what could fool a terminal") {
  CHECK(mistakes_in("\"\\u001b[2J\" = 1") == Lines{"f:1:1: \\x1b[2J: there is no such setting"});
}

TEST_CASE("as many mistakes as are shown are shown, and one more is a count") {
  std::string text;
  for (std::size_t line = 0; line < limits::kConfigErrorsShown; ++line) {
    text += "unknown" + std::to_string(line) + " = 1\n";
  }
  CHECK(mistakes_in(text).size() == limits::kConfigErrorsShown);
  CHECK(mistakes_in(text).back() == "f:100:1: unknown99: there is no such setting");
  text += "more = 1\nand_more = 1\n";
  CHECK(mistakes_in(text).size() == limits::kConfigErrorsShown + 1);
  CHECK(mistakes_in(text).back() == "heartbeatd: and 2 more mistakes like these");
}

TEST_CASE("a file is read up to its bound and refused one byte past it") {
  const TemporaryFile at{std::string(limits::kConfigFileMax, '#')};
  CHECK(read_config_file(at.path, Reading::First)->size() == limits::kConfigFileMax);
  const TemporaryFile past{std::string(limits::kConfigFileMax + 1, '#')};
  CHECK(read_config_file(past.path, Reading::First).error() ==
        "cannot read " + past.path + ": it is longer than 16384 bytes");
}

TEST_CASE("the deepest tables that fit into a file are refused like any other unknown key") {
  std::string text = "a";
  while (text.size() + 6 <= limits::kConfigFileMax) text += ".a";
  text += " = 1";
  CHECK(mistakes_in(text) == Lines{"f:1:1: a: there is no such setting"});
  CHECK(mistakes_in("a = " + std::string(limits::kConfigFileMax - 4, '[')).size() == 1);
}

TEST_CASE("a value without its quotes is refused with the line to write") {
  CHECK(mistakes_in("tick = 10s") == Lines{"f:1:10: the value must be in quotes: tick = \"10s\""});
  CHECK(mistakes_in("# one\nlog_level = debug  # two\n")
            .front()
            .ends_with("the value must be in quotes: log_level = \"debug\""));
  CHECK(
      mistakes_in("control = /run/x.sock").front().ends_with("must be in quotes: control = \"/run/x.sock\""));
  CHECK(mistakes_in("listen = 127.0.0.1:14000").front().ends_with("listen = [\"127.0.0.1:14000\"]"));
  CHECK(mistakes_in("listen = [127.0.0.1:14000]").front().ends_with("listen = [\"127.0.0.1:14000\"]"));
  CHECK(mistakes_in("[http]\nlisten = 127.0.0.1:14080").front().find("must be in quotes") !=
        std::string::npos);
  // Not of that kind: the parser's own words.
  CHECK(mistakes_in("threshold = 5x").front().find("quotes") == std::string::npos);
  CHECK(mistakes_in("tick = \"10s").front().find("must be in quotes") == std::string::npos);
  CHECK(mistakes_in("unknown = 10s").front().find("must be in quotes") == std::string::npos);
}

TEST_CASE("a setting in the wrong table is refused with the place where it belongs") {
  CHECK(mistakes_in("allow_remote = \"yes\"") ==
        Lines{"f:1:1: allow_remote: there is no such setting: allow_remote belongs under [http]"});
  CHECK(mistakes_in("[http]\ntick = \"1s\"") ==
        Lines{"f:2:1: http.tick: there is no such setting under [http]: tick belongs above the first [table] "
              "of the file"});
  CHECK(mistakes_in("[https]\nallow_remote = \"yes\"").size() == 1);
}

TEST_CASE("true and false are refused with the word to write") {
  CHECK(mistakes_in("[http]\nallow_remote = true") ==
        Lines{"f:2:16: http.allow_remote: write \"yes\", in quotes, instead of true"});
  CHECK(mistakes_in("[http]\nallow_remote = false") ==
        Lines{"f:2:16: http.allow_remote: write \"no\", in quotes, instead of false"});
  CHECK(mistakes_in("log_level = true").front().find("instead of") == std::string::npos);
}

TEST_CASE("a file that cannot be read is named with the reason") {
  CHECK(read_config_file("/nonexistent/f", Reading::First).error() ==
        "cannot read /nonexistent/f: No such file or directory");
  CHECK(read_config_file("/tmp", Reading::First).error() == "cannot read /tmp: it is a directory");
}

TEST_CASE("a source that can be read only once is refused the second time, without waiting for it") {
  CHECK(read_config_file("/dev/null", Reading::First) == std::string{});
  CHECK(read_config_file("/dev/null", Reading::Again).error() ==
        "cannot read /dev/null: it is not a file, and can be read only once");
  const TemporaryFile place{""};
  REQUIRE(std::remove(place.path.c_str()) == 0);
  REQUIRE(mkfifo(place.path.c_str(), 0600) == 0);
  CHECK_FALSE(read_config_file(place.path, Reading::Again));
}

TEST_CASE("any prefix and any changed byte of a good file is read or refused, and nothing else") {
  const std::string good = "listen = [\"127.0.0.1:0\", \"[::1]:1\"]\ntick = \"1s\" # x\n[a.b]\nc = {d = 1}\n";
  for (std::size_t size = 0; size <= good.size(); ++size) {
    static_cast<void>(parse_config_text(std::string_view{good}.substr(0, size), "f"));
  }
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = good;
      changed[at] = static_cast<char>(byte);
      const FileContents contents = parse_config_text(changed, "f");
      for (const Given& given : contents.given) {
        REQUIRE(faults_of(all_settings()[given.setting], given.value).empty());
      }
    }
  }
}

}  // namespace
}  // namespace heartbeat
