#include "tools/bench/options.h"

#include <optional>
#include <sstream>
#include <utility>

#include "common/limits.h"

namespace heartbeat::bench {
namespace {

using Applied = CommandLine::Applied;

constexpr Millis kLengthMin{100};
constexpr Millis kLengthMax{600'000};
constexpr unsigned kRepeatMax = 100;

constexpr const char* kAbout =
    "Measures what heartbeatd costs, beside three servers that only read and discard: on raw epoll, on raw\n"
    "epoll with heartbeatd's pause between two turns (raw-paused), and on libuv. The server under "
    "measurement\n"
    "has a core to itself, and the load comes from another one. A heartbeat counts only when the server "
    "says\n"
    "that it was handled; processor time is the kernel's account of the server's process, memory is from "
    "its\n"
    "smaps_rollup. The servers take turns in each round, and a ratio is that to raw-paused in the same "
    "round.\n"
    "On loopback the kernel receives in the sender's calls: the rows with the sender's writes add their "
    "time.";

std::string footer() {
  std::string text = "Rows:\n";
  for (std::size_t index = 0; index < kRowCount; ++index) {
    const auto row = static_cast<Row>(index);
    std::string name{to_string(row)};
    name.resize(10, ' ');
    text.append("  ").append(name).append(explain(row)).append("\n");
  }
  return text +
         "\nThe table is Markdown, on standard output; what goes on is on standard error.\n"
         "\n"
         "Microseconds do not travel from machine to machine; ratios nearly do. Let nothing else run "
         "meanwhile.\n"
         "It takes 15 000 descriptors in each process: where fewer are allowed (ulimit -Hn) it says what it\n"
         "lowered.\n"
         "\n"
         "Exit codes: 0 measured; 64 bad command line; 69 something could not be measured, or was not "
         "counted\n"
         "as it was sent; 73 the file of --json could not be written.\n"
         "\n"
         "Durations are written with a unit: 500ms, 4s.";
}

// Names from a list with commas, each switching on what `find` says.
template <class Array, class Find>
Applied read_list(const std::string& text, Array& into, Find find) {
  into = {};
  std::istringstream names{text};
  for (std::string name; std::getline(names, name, ',');) {
    const std::size_t index = find(name);
    if (index == into.size()) return tl::unexpected("there is no '" + name + "'");
    into.at(index) = true;
  }
  return {};
}

template <class Kind, std::size_t Count>
std::size_t index_of(const std::string& name) {
  std::size_t index = 0;
  while (index < Count && to_string(static_cast<Kind>(index)) != name) ++index;
  return index;
}

// NAME=PROTOCOL:PORT:PID
std::optional<Peer> read_peer(const std::string& text) {
  const auto equals = text.find('=');
  std::istringstream rest{equals == std::string::npos ? "" : text.substr(equals + 1)};
  std::string protocol;
  char colon = 0;
  Peer peer{.name = text.substr(0, equals), .dialect = {}, .port = 0, .process = 0};
  if (!std::getline(rest, protocol, ':') || !(rest >> peer.port >> colon >> peer.process) || colon != ':')
    return {};
  if (protocol != "mqtt" && protocol != "redis") return {};
  peer.dialect = protocol == "mqtt" ? Dialect::Kind::Mqtt : Dialect::Kind::Redis;
  return peer;
}

Applied read_peers(const std::string& text, std::vector<Peer>& into) {
  into.clear();
  std::istringstream list{text};
  for (std::string one; std::getline(list, one, ',');) {
    const auto peer = read_peer(one);
    if (!peer) return tl::unexpected("'" + one + "' is not NAME=mqtt:PORT:PID or NAME=redis:PORT:PID");
    into.push_back(*peer);
  }
  return {};
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream{text};
  std::vector<std::string> found;
  for (std::string word; stream >> word;) found.push_back(word);
  return found;
}

}  // namespace

std::string_view to_string(Row row) {
  switch (row) {
    case Row::Rate: return "rate";
    case Row::Batch: return "batch";
    case Row::Slow: return "slow";
    case Row::Churn: return "churn";
    case Row::Accept: return "accept";
    case Row::Memory: return "memory";
    case Row::Idle: return "idle";
    case Row::Lateness: return "lateness";
    case Row::Core: return "core";
    case Row::Curve: break;
  }
  return "curve";
}

std::string_view explain(Row row) {
  switch (row) {
    case Row::Rate: return "50 000 heartbeats a second over 10 000 clients, one in a write";
    case Row::Batch: return "the same number of writes, of 16 heartbeats each";
    case Row::Slow: return "15 000 clients that beat every 10 s";
    case Row::Churn: return "connect, one heartbeat, close: 64 at once, over and over";
    case Row::Accept: return "accepting 15 000 clients";
    case Row::Memory: return "memory of 15 000 clients, and what is left when they went away";
    case Row::Idle: return "processor time while 15 000 clients say nothing";
    case Row::Lateness:
      return "how late verdicts are when 1000 of 15 000 clients go silent at once,\n"
             "            and while all clients are listed again and again";
    case Row::Core: return "the daemon's core alone in virtual time, for 1000 to a million clients";
    case Row::Curve: break;
  }
  return "cost by rate and by number of clients, for the picture in the documentation";
}

tl::expected<Options, CommandLine::End> parse_options(int argc, const char* const* argv) {
  Options options;
  options.rows.fill(true);
  options.servers.fill(true);

  CommandLine line{"heartbeat-bench", kAbout, footer()};
  line.value(
      "--rows", "NAMES", "Measure these alone, by name with commas [all]",
      [&](const std::string& text) { return read_list(text, options.rows, index_of<Row, kRowCount>); });
  line.value("--servers", "NAMES", "Measure these alone: raw, raw-paused, libuv, heartbeatd [all]",
             [&](const std::string& text) {
               return read_list(text, options.servers, index_of<ServerKind, kServerCount>);
             });
  line.duration("--seconds", "Measure each figure for this time [4s]", kLengthMin, kLengthMax,
                options.length);
  line.number<unsigned>("--repeat", "Rounds; the table has the medians over them [5]", 1, kRepeatMax,
                        options.repeat);
  line.toggle("--quick", "A few hundred clients and one short round: shows that it works, and no figure",
              options.quick);
  line.toggle("--ids", "Each client gives an id, too", options.with_ids);
  line.duration("--tick", "The daemon's tick in the row `lateness` [2s]", limits::kTickMin, Millis{60'000},
                options.tick);
  line.value("--daemon", "PATH", "The heartbeatd to measure [the one beside this program]",
             [&](const std::string& text) -> Applied {
               options.daemon.program = text;
               return {};
             });
  line.value("--daemon-flags", "FLAGS", "More flags for it, with spaces between them",
             [&](const std::string& text) -> Applied {
               options.daemon.flags = words(text);
               return {};
             });
  line.value(
      "--peers", "LIST",
      "Also measure these, which run on 127.0.0.1 already: NAME=mqtt:PORT:PID or NAME=redis:PORT:PID,\n"
      "with commas; rows rate, memory, idle and churn alone mean the same for them (tools/bench/peers)",
      [&](const std::string& text) { return read_peers(text, options.peers); });
  line.value("--json", "FILE", "Write every sample and the medians into this file as well",
             [&](const std::string& text) -> Applied {
               options.json = text;
               return {};
             });

  if (auto end = line.parse(argc, argv)) return tl::unexpected(std::move(*end));
  return options;
}

}  // namespace heartbeat::bench
