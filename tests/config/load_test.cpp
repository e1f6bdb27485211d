// Defaults, file and flags together.
#include "daemon/config/load.h"

#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <sysexits.h>
#include <unistd.h>

namespace heartbeat {
namespace {

using Lines = std::vector<std::string>;

// A folder with a configuration file in it, or without one.
class Folder {
 public:
  Folder() {
    std::string name = "/tmp/heartbeatd-config-XXXXXX";
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() {
    static_cast<void>(unlink(file().c_str()));
    static_cast<void>(rmdir(path_.c_str()));
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  Folder(Folder&&) = delete;
  Folder& operator=(Folder&&) = delete;

  [[nodiscard]] std::string file() const { return path_ + "/f.toml"; }
  void write(std::string_view text) const { std::ofstream{file()} << text; }
  void remove() const { REQUIRE(unlink(file().c_str()) == 0); }

 private:
  std::string path_;
};

CommandLine flags(std::initializer_list<const char*> arguments) {
  std::vector<const char*> all{"heartbeatd"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  auto command_line = parse_command_line(static_cast<int>(all.size()), all.data());
  REQUIRE(command_line);
  return *command_line;
}

End refused(std::initializer_list<const char*> arguments) {
  std::vector<const char*> all{"heartbeatd"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  auto command_line = parse_command_line(static_cast<int>(all.size()), all.data());
  REQUIRE_FALSE(command_line);
  return command_line.error();
}

std::string origin_of(const LoadedConfig& loaded, std::string_view key) {
  return loaded.origins[*find_setting(key)].text;
}

TEST_CASE("the file wins over the defaults, and flags win over the file") {
  const Folder folder;
  folder.write("tick = \"1s\"\nthreshold = 7\n");
  const auto loaded = load_config(flags({"--threshold", "9"}), folder.file());
  REQUIRE(loaded);
  CHECK(loaded->file == folder.file());
  CHECK(loaded->config.settings.rule.tick == Millis{1000});
  CHECK(loaded->config.settings.rule.threshold == 9);
  CHECK(loaded->config.settings.rule.cursor == 3);
  CHECK(origin_of(*loaded, "tick") == folder.file() + ":1");
  CHECK(origin_of(*loaded, "threshold") == "flag --threshold");
  CHECK(origin_of(*loaded, "cursor") == "default");
}

TEST_CASE("the default file need not be there, and a file that was named has to") {
  const Folder folder;
  const auto without = load_config(flags({}), folder.file());
  REQUIRE(without);
  CHECK(without->file.empty());

  const auto named = load_config(flags({"--config", folder.file().c_str()}), folder.file());
  REQUIRE_FALSE(named);
  CHECK(named.error().exit_code == EX_CONFIG);
  CHECK(named.error().lines ==
        Lines{"heartbeatd: cannot read " + folder.file() + ": No such file or directory"});
}

TEST_CASE("a file that was named is read instead of the default one") {
  const Folder named;
  named.write("cursor = 4\n");
  const Folder usual;
  usual.write("cursor = 8\nthreshold = 8\n");
  const auto loaded = load_config(flags({"--config", named.file().c_str()}), usual.file());
  REQUIRE(loaded);
  CHECK(loaded->config.settings.rule.cursor == 4);
  CHECK(loaded->config.settings.rule.threshold == 5);
}

TEST_CASE("flags for addresses replace the file's whole list") {
  const Folder folder;
  folder.write("listen = [\"a:1\", \"b:2\"]\n");
  const auto loaded = load_config(flags({"--listen", "c:3", "--listen", "[::1]:4"}), folder.file());
  REQUIRE(loaded);
  CHECK(loaded->config.listen == std::vector<HostPort>{{"c", 3}, {"::1", 4}});
}

TEST_CASE("of a flag given twice the last one counts") {
  const Folder folder;
  const auto loaded = load_config(flags({"--tick", "1s", "--tick", "2s"}), folder.file());
  REQUIRE(loaded);
  CHECK(loaded->config.settings.rule.tick == Millis{2000});
}

TEST_CASE("the debug mode logs at debug, whatever the file says, unless a flag says otherwise") {
  const Folder folder;
  folder.write("log_level = \"error\"\n");
  const auto debug = load_config(flags({"--debug"}), folder.file());
  CHECK(debug->config.log_level == "debug");
  CHECK(origin_of(*debug, "log_level") == "flag --debug");
  CHECK(load_config(flags({"--debug", "--log-level", "off"}), folder.file())->config.log_level == "off");
}

TEST_CASE("a tick longer than the leave timeout is reported at the later of the two") {
  const Folder folder;
  folder.write("leave_timeout = \"5s\"\n");
  auto loaded = load_config(flags({}), folder.file());
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().exit_code == EX_CONFIG);
  CHECK(loaded.error().lines ==
        Lines{folder.file() + ":1:17: leave_timeout: 5s is shorter than tick, which is 10s (default)"});

  folder.write("leave_timeout = \"5s\"\ntick = \"6s\"\n");
  loaded = load_config(flags({}), folder.file());
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().lines ==
        Lines{folder.file() + ":2:8: tick: 6s is longer than leave_timeout, which is 5s (" + folder.file() +
              ":1)"});

  folder.write("leave_timeout = \"5s\"\ntick = \"5s\"\n");
  CHECK(load_config(flags({}), folder.file()));
  loaded = load_config(flags({"--tick", "6s"}), folder.file());
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().exit_code == EX_USAGE);
  CHECK(loaded.error().lines ==
        Lines{"heartbeatd: --tick: 6s is longer than leave_timeout, which is 5s (" + folder.file() + ":1)"});
}

TEST_CASE("settings that are wrong by themselves are not also compared with others") {
  const Folder folder;
  folder.write("leave_timeout = \"1ms\"\ntick = \"1h\"\n");
  const auto loaded = load_config(flags({}), folder.file());
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().lines ==
        Lines{folder.file() + ":1:17: leave_timeout: '1ms' is not from 10ms to 366d"});

  folder.write("leave_timeout = \"2h\n");
  const auto unreadable = load_config(flags({"--tick", "1h"}), folder.file());
  REQUIRE_FALSE(unreadable);
  CHECK(unreadable.error().lines.size() == 1);
}

TEST_CASE("a default control path that is too long for a socket is refused, unless one is given") {
  const Folder folder;
  setenv("RUNTIME_DIRECTORY", ("/" + std::string(93, 'a')).c_str(), 1);  // with /control.sock: 107 bytes
  CHECK(load_config(flags({}), folder.file()));
  setenv("RUNTIME_DIRECTORY", ("/" + std::string(94, 'a')).c_str(), 1);
  const auto loaded = load_config(flags({}), folder.file());
  const bool given = load_config(flags({"--control", "/c"}), folder.file()).has_value();
  unsetenv("RUNTIME_DIRECTORY");
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().exit_code == EX_CONFIG);
  CHECK(given);
}

TEST_CASE("the control socket is where systemd says, else where the session says, else in /run") {
  setenv("RUNTIME_DIRECTORY", "/run/one:/run/two", 1);
  setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
  CHECK(control_path(Config{}) == "/run/one/control.sock");
  unsetenv("RUNTIME_DIRECTORY");
  CHECK(control_path(Config{}) == "/run/user/7/heartbeatd/control.sock");
  unsetenv("XDG_RUNTIME_DIR");
  CHECK(control_path(Config{}) == "/run/heartbeatd/control.sock");
  Config config;
  config.control = "/c";
  CHECK(control_path(config) == "/c");
}

TEST_CASE("every mistake on a command line is reported at once") {
  const End end = refused({"--tick", "5", "--threshold", "x", "--listen", "a"});
  CHECK(end.exit_code == EX_USAGE);
  CHECK(end.text ==
        "heartbeatd: --listen: 'a' is not an address: write it as HOST:PORT, like 127.0.0.1:14000\n"
        "heartbeatd: --tick: '5' has no unit (did you mean 5s or 5ms?)\n"
        "heartbeatd: --threshold: 'x' is not a whole number from 1 to 1000 ticks");
}

TEST_CASE("a flag that is nearly a setting's gets a suggestion") {
  CHECK(refused({"--treshold", "4"}).text ==
        "heartbeatd: --treshold: there is no such flag (did you mean --threshold?)");
  CHECK(refused({"--leave_timeout=4s"}).text ==
        "heartbeatd: --leave_timeout=4s: there is no such flag (did you mean --leave-timeout?)");
  CHECK(refused({"stray"}).text == "heartbeatd: stray: flags begin with --");
  CHECK(refused({"--config", ""}).exit_code == EX_USAGE);
  CHECK(refused({"--check-config", "--print-config"}).exit_code == EX_USAGE);
}

TEST_CASE("what is printed is read back to the same settings") {
  const Folder folder;
  folder.write("listen = [\"[::1]:7\", 'quo\"te\\back:8']\ncontrol = 'a \"quoted\" \\ path #'\n");
  const auto loaded =
      load_config(flags({"--config", folder.file().c_str(), "--tick", "1500ms", "--remember", "0"}));
  REQUIRE(loaded);
  const std::string printed = print_config(*loaded);
  CHECK(printed.find("tick = \"1500ms\"  # flag --tick\n") != std::string::npos);
  CHECK(printed.find("threshold = 5  # default\n") != std::string::npos);
  CHECK(printed.find("]  # " + folder.file() + ":1\n") != std::string::npos);

  folder.write(printed);
  const auto again = load_config(flags({"--config", folder.file().c_str()}));
  REQUIRE(again);
  for (const Setting& setting : all_settings()) {
    CAPTURE(setting.key);
    CHECK(get(again->config, setting) == get(loaded->config, setting));
  }
}

TEST_CASE("the list of settings has name, value and origin of each") {
  const Folder folder;
  const auto loaded =
      load_config(flags({"--tick", "1s", "--listen", "a:1", "--listen", "b:2"}), folder.file());
  const auto list = list_settings(*loaded);
  REQUIRE(list.size() == all_settings().size());
  CHECK(list[0].name == "listen");
  CHECK(list[0].value == "a:1, b:2");
  CHECK(list[0].origin == "flag --listen");
  CHECK(list[*find_setting("tick")].value == "1s");
}

TEST_CASE(
    "a group has the configuration's settings where it has none of its own, and is printed to be read "
    "again") {
  const Folder folder;
  folder.write(
      "tick = \"5s\"\ncursor = 4\n"
      "[[group]]\nname = \"games\"\nid = [\"game-*\", \"play-?\"]\ntick = \"1s\"\nmax_rate = 20\n"
      "[[group]]\nname = \"field\"\nlistener = \"0.0.0.0:14001\"\nby_name = \"yes\"\n"
      "tick = \"15min\"\nleave_timeout = \"2d\"\n");
  const auto loaded = load_config(flags({"--threshold", "7"}), folder.file());
  REQUIRE(loaded);
  const GroupList& groups = loaded->config.settings.groups;
  REQUIRE(groups.all().size() == 2);
  const Group& games = groups.all()[0];
  CHECK(games.name == "games");
  CHECK(games.rule.tick == Millis{1000});
  CHECK(games.rule.threshold == 7);
  CHECK(games.rule.cursor == 4);
  CHECK(games.bounds.max_rate == 20);
  CHECK(games.matches({.id = "play-1", .credential = {}, .listener = nullptr, .named = {}}));
  const Group& field = groups.all()[1];
  CHECK(field.rule.tick == Millis{15 * 60 * 1000});
  CHECK(field.rule.leave_timeout == Millis{2 * 24 * 60 * 60 * 1000});
  CHECK(field.by_name);
  CHECK(loaded->config.settings.rule.tick == Millis{5000});

  const std::string printed = print_config(*loaded);
  CHECK(printed.find(
            "group = [{ name = \"games\", id = [\"game-*\", \"play-?\"], max_rate = 20, tick = \"1s\" }, "
            "{ name = \"field\", listener = [\"0.0.0.0:14001\"], by_name = \"yes\", leave_timeout = "
            "\"2d\", tick = \"15min\" }]") != std::string::npos);
  folder.write(printed);
  const auto again = load_config({}, folder.file());
  REQUIRE(again);
  CHECK(again->config.settings.groups == groups);
}

TEST_CASE("a listener in the file takes the place of the default address, and is printed to be read again") {
  const Folder folder;
  folder.write(
      "proxy_from = [\"10.0.0.5\"]\n"
      "[[listener]]\naddress = \"a:1\"\n"
      "[[listener]]\naddress = \"b:2\"\nproxy_from = [\"10.1.0.0/16\", \"::1\"]\nrequire = \"certificate\"\n"
      "[[listener]]\naddress = \"c:3\"\nproxy_from = []\n");
  const auto loaded = load_config({}, folder.file());
  REQUIRE(loaded);
  CHECK(loaded->config.listen.empty());
  const auto all = all_listeners(loaded->config);
  REQUIRE(all.size() == 3);
  CHECK(to_string(all[0]) == "a:1 proxy_from=10.0.0.5 require=none");
  CHECK(to_string(all[1]) == "b:2 proxy_from=10.1.0.0/16,::1 require=certificate");
  CHECK(to_string(all[2]) == "c:3 proxy_from= require=none");

  const std::string printed = print_config(*loaded);
  CHECK(printed.find(
            "listener = [{ address = \"a:1\" }, "
            "{ address = \"b:2\", proxy_from = [\"10.1.0.0/16\", \"::1\"], require = \"certificate\" }, "
            "{ address = \"c:3\", proxy_from = [] }]") != std::string::npos);
  folder.write(printed);
  const auto again = load_config({}, folder.file());
  REQUIRE(again);
  CHECK(again->config.listen.empty());
  CHECK(again->config.listeners == loaded->config.listeners);
}

TEST_CASE(
    "addresses in the short form stay beside listeners, and a flag replaces the listeners of the file") {
  const Folder folder;
  folder.write("listen = [\"a:1\"]\n[[listener]]\naddress = \"b:2\"\n");
  const auto both = load_config({}, folder.file());
  REQUIRE(both);
  CHECK(all_listeners(both->config) == std::vector<Listener>{{{"a", 1}, std::vector<Network>{}, "none"},
                                                             {{"b", 2}, std::vector<Network>{}, "none"}});
  const auto loaded = load_config(flags({"--listener", "c:3 proxy_from=10.0.0.5"}), folder.file());
  REQUIRE(loaded);
  const auto all = all_listeners(loaded->config);
  REQUIRE(all.size() == 2);
  CHECK(to_string(all[1]) == "c:3 proxy_from=10.0.0.5 require=none");
}

TEST_CASE("the options of TLS in a line are read back as they were written, and each has its own mistakes") {
  constexpr std::string_view kLine =
      "a:1 accept_rate=7 tls_certificate=/c.pem tls_key=/k.pem tls_client_ca=/ca.pem tls_client_crl=/crl.pem "
      "tls_min_version=1.2 tls_identity=san";
  const auto listener = parse_listener(kLine);
  REQUIRE(listener);
  CHECK(to_string(*listener) == kLine);
  CHECK(listener->tls == ListenerTls{"/c.pem", "/k.pem", "/ca.pem", "/crl.pem", "1.2", "san"});
  CHECK(accept_rate_of(*listener) == 7);
  CHECK(accept_rate_of(*parse_listener("a:1 tls_certificate=/c.pem")) == limits::kTlsAcceptRateDefault);
  CHECK(accept_rate_of(*parse_listener("a:1")) == 0);
  CHECK(toml_table(*parse_listener("a:1 accept_rate=0 tls_certificate=/c.pem")) ==
        R"({ address = "a:1", accept_rate = 0, tls_certificate = "/c.pem" })");

  CHECK(parse_listener("a:1 tls_key=/k.pem").error() == "a listener with TLS must have tls_certificate");
  CHECK(parse_listener("a:1 tls_certificate=").error() == "tls_certificate: must be the path of a file");
  CHECK(parse_listener("a:1 tls_certificate=/c tls_min_version=1.1").error() ==
        "tls_min_version: '1.1' is not one of 1.2 or 1.3");
  CHECK(parse_listener("a:1 accept_rate=-1").error() ==
        "accept_rate: '-1' is not a whole number from 0 to 1000000");
  CHECK(parse_listener("a:1 accept_rate=1000000"));
  CHECK_FALSE(parse_listener("a:1 accept_rate=1000001"));
}

TEST_CASE("what is wrong with a listener on the command line is said") {
  const Setting& setting = all_settings()[*find_setting("listener")];
  const auto fault = [&](const std::string& text) {
    const auto faults = faults_of(setting, std::vector<std::string>{text});
    return faults.size() == 1 ? faults[0].what : "";
  };
  CHECK(
      fault("a:1 port=1") ==
      "'port=1' is not an option of a listener: proxy_from=NETWORK,…, require=WORD, accept_rate=COUNT, "
      "tls_certificate=FILE, tls_key=FILE, tls_client_ca=FILE, tls_client_crl=FILE, tls_min_version=WORD and "
      "tls_identity=WORD are");
  CHECK(fault("a:1 proxy_from=x").starts_with("'x' is not a network"));
  CHECK(fault("a:1 proxy_from= proxy_from=") == "proxy_from is given twice");
  CHECK(fault("a:1 require=key") == "'key' is not one of none, certificate or token");
  CHECK(fault("a:1 require=none require=none") == "require is given twice");
  CHECK(fault("a").starts_with("'a'"));
  CHECK(fault("") != "");

  std::vector<std::string> listeners;
  for (int port = 1; port <= 64; ++port) listeners.push_back("127.0.0.1:" + std::to_string(port));
  CHECK(faults_of(setting, listeners).empty());
  listeners.emplace_back("127.0.0.1:65");
  CHECK(faults_of(setting, listeners).size() == 1);
}

TEST_CASE("a reload reads the file again, and flags keep winning") {
  const Folder folder;
  folder.write("tick = \"1s\"\nthreshold = 7\n");
  const CommandLine command_line = flags({"--threshold", "9"});
  const auto before = load_config(command_line, folder.file());
  folder.write("tick = \"2s\"\nthreshold = 8\ncursor = 4\n");
  const auto after = reload_config(command_line, *before, folder.file());
  REQUIRE(after);
  CHECK(after->config.settings.rule.tick == Millis{2000});
  CHECK(after->config.settings.rule.threshold == 9);
  CHECK(after->config.settings.rule.cursor == 4);
}

TEST_CASE("a file that was read and is gone is a mistake, and a file that appears is read") {
  const Folder folder;
  folder.write("tick = \"1s\"\n");
  const auto before = load_config(flags({}), folder.file());
  folder.remove();
  const auto gone = reload_config(flags({}), *before, folder.file());
  REQUIRE_FALSE(gone);
  CHECK(gone.error().lines ==
        Lines{"heartbeatd: cannot read " + folder.file() + ": No such file or directory"});

  const auto without = load_config(flags({}), folder.file());
  folder.write("tick = \"1s\"\n");
  const auto appeared = reload_config(flags({}), *without, folder.file());
  REQUIRE(appeared);
  CHECK(appeared->config.settings.rule.tick == Millis{1000});
}

TEST_CASE("a reload of a file that was emptied is refused, and a comment alone is meant") {
  const Folder folder;
  folder.write("tick = \"1s\"\n");
  const auto before = load_config(flags({}), folder.file());
  for (const std::string_view empty : {"", "\n", "  \t\r\n\n"}) {
    folder.write(empty);
    const auto emptied = reload_config(flags({}), *before, folder.file());
    REQUIRE_FALSE(emptied);
    CHECK(emptied.error().lines.front().starts_with("heartbeatd: " + folder.file() + " is empty: "));
  }
  CHECK(load_config(flags({}), folder.file()));  // at a start there is nothing to lose
  folder.write("# all defaults\n");
  CHECK(reload_config(flags({}), *before, folder.file()));
}

TEST_CASE("HTTP and the clients cannot have one port") {
  const Folder folder;
  const auto error_of = [&](const char* listen, const char* http) -> std::string {
    const auto loaded = load_config(flags({"--listen", listen, "--http-listen", http}), folder.file());
    return loaded ? "" : loaded.error().lines.front();
  };
  CHECK(error_of("127.0.0.1:14000", "127.0.0.1:14000") ==
        "heartbeatd: --http-listen: '127.0.0.1:14000' is where clients connect (listen, flag --listen): HTTP "
        "needs a "
        "port of its own");
  CHECK(error_of("0.0.0.0:14000", "127.0.0.1:14000").find("port of its own") != std::string::npos);
  CHECK(error_of("[::]:14000", "[::1]:14000").find("port of its own") != std::string::npos);
  CHECK(error_of("[::]:14000", "127.0.0.1:14000").empty());  // IPv6 listeners take IPv6 only
  CHECK(error_of("127.0.0.1:0", "127.0.0.1:0").empty());
  CHECK(error_of("127.0.0.2:14000", "127.0.0.1:14000").empty());
}

}  // namespace
}  // namespace heartbeat
