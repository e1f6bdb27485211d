#include "tools/client/options.h"

#include <limits>
#include <string>
#include <utility>

#include <sysexits.h>

#include "common/client_id.h"
#include "common/limits.h"
#include "common/text.h"

namespace heartbeat::client {
namespace {

using Applied = CommandLine::Applied;

constexpr const char* kAbout =
    "Holds one connection to heartbeatd and beats on it: the reference client.\n"
    "Prints each heartbeat that it sends, and each frame that the daemon sends.";

constexpr const char* kFooter =
    "A lost connection is made again, with a first heartbeat at once. The pause before each attempt is "
    "random\n"
    "(full jitter), from nothing to --base, then to twice that and so on; at --cap it is from half of that "
    "to\n"
    "all of it. Once a connection has stood for one interval the count begins anew. What the daemon said "
    "last\n"
    "decides:\n"
    "  shutdown, limit, never_spoke, frame_timeout, no word at all   connects again: nothing is wrong with "
    "us\n"
    "  drained, given_up, timed_out   the same\n"
    "  silent      connects again: we are here, and earn 'alive' by the rule\n"
    "  away        ends (0) where --status leave declared it, else connects again\n"
    "  goodbye     ends (0)\n"
    "  superseded  ends (3): another connection has our id, and taking it back would be a fight\n"
    "  kicked      ends (4): an operator wants us gone\n"
    "  bad_frame, bad_heartbeat   ends (65): the next attempt would be as bad\n"
    "  unauthorized   connects again, after half of --cap at least: an operator may allow us meanwhile\n"
    "  crash       connects again, after half of --cap at least: what we sent may have crashed the daemon\n"
    "With --persist it connects again after superseded and kicked, too, after half of --cap at least. A\n"
    "daemon that names a time after which to come back is obeyed. SIGINT and SIGTERM say goodbye.\n"
    "\n"
    "Exit codes: 0 --count reached, said goodbye, SIGINT or SIGTERM; 3 superseded; 4 kicked; 64 bad command\n"
    "line; 65 the daemon refused what we sent; 68 no such host; 69 not reached after --retries; 74 standard\n"
    "output is gone; 76 the server does not speak frames.\n"
    "\n"
    "Durations are written with a unit: 250ms, 10s, 1h.";

Applied read_status(const std::string& text, Status& into) {
  for (const Status status : {Status::Alive, Status::Leave, Status::Close}) {
    if (text != to_string(status)) continue;
    into = status;
    return {};
  }
  return tl::unexpected("'" + text + "' is not a status (use alive, leave or close)");
}

Applied read_ip(const std::string& text, std::string& into) {
  if (text.empty() || text.size() > limits::kClaimedIpMax || !is_utf8(text)) {
    return tl::unexpected("'" + escaped(text, limits::kExcerptMax) + "' is not text of 1 to " +
                          std::to_string(limits::kClaimedIpMax) + " bytes");
  }
  into = text;
  return {};
}

Applied read_id(const std::string& text, std::string& into) {
  if (const auto fault = fault_of_client_id(text)) {
    return tl::unexpected("'" + escaped(text, limits::kExcerptMax) + "' is not an id: " + *fault + " (1 to " +
                          std::to_string(limits::kIdMax) + " bytes of printable text)");
  }
  into = text;
  return {};
}

Applied read_group(const std::string& text, std::string& into) {
  if (text.empty() || text.size() > limits::kGroupNameMax || !is_utf8(text)) {
    return tl::unexpected("'" + escaped(text, limits::kExcerptMax) + "' is not text of 1 to " +
                          std::to_string(limits::kGroupNameMax) + " bytes");
  }
  into = text;
  return {};
}

}  // namespace

tl::expected<Options, CommandLine::End> parse_options(int argc, const char* const* argv,
                                                      std::uint32_t own_pid) {
  Options options;
  options.pid = own_pid;
  CommandLine line{"heartbeat-client", kAbout, kFooter};
  line.value("--server", "HOST:PORT", "The daemon [127.0.0.1:14000]",
             [&](const std::string& text) -> Applied {
               return parse_host_port(text).map([&](const HostPort& read) { options.server = read; });
             });
  line.duration("--interval", "Beat once in this time, and declare it; best the daemon's tick [10s]",
                Millis{1}, limits::kTickMax, options.interval);
  line.number<std::uint64_t>("--count", "End after this many heartbeats", 1,
                             std::numeric_limits<std::uint64_t>::max(), options.count);
  line.value("--status", "STATUS", "What the heartbeats declare: alive, leave, or close: one goodbye [alive]",
             [&](const std::string& text) { return read_status(text, options.status); });
  line.value("--id", "ID", "The stable name of this client; implies --notify, to learn when it is taken over",
             [&](const std::string& text) { return read_id(text, options.id); });
  line.value("--group", "NAME", "The group that this client says it is of",
             [&](const std::string& text) { return read_group(text, options.group); });
  door::add_flags(line, options.door);
  line.value("--proxy", "IP:PORT",
             "Send a PROXY protocol header first, as a proxy for the client at this address",
             [&](const std::string& text) -> Applied {
               const auto source = parse_endpoint(text);
               if (!source)
                 return tl::unexpected("'" + escaped(text, limits::kExcerptMax) + "' is not IP:PORT");
               options.proxied = *source;
               return {};
             });
  line.value("--ip", "IP", "The address to claim [that of our end of the connection]",
             [&](const std::string& text) { return read_ip(text, options.ip); });
  line.number<std::uint32_t>("--pid", "The process id to claim [our own]", 0,
                             std::numeric_limits<std::uint32_t>::max(), options.pid);
  line.duration("--gate", "Declare leave when no line came on standard input for this long, 0s: never [0s]",
                Millis{0}, limits::kTickMax, options.gate);
  line.duration("--base", "The first pause before connecting again is at most this [1s]", Millis{1},
                limits::kTickMax, options.base);
  line.duration("--cap", "Any pause before connecting again is at most this [1min]", Millis{1},
                limits::kTickMax, options.cap);
  line.toggle("--persist", "Connect again after superseded and kicked, too", options.persist);
  line.toggle("--notify", "Ask for notices of our own state", options.notify);
  line.toggle("--ack", "Ask for an answer to each heartbeat, and number them", options.ack);
  line.number<std::uint32_t>("--retries", "Give up after this many failed attempts to connect again", 0,
                             std::numeric_limits<std::uint32_t>::max(), options.retries);
  line.toggle("--quiet", "Print only what goes wrong", options.quiet);

  if (auto end = line.parse(argc, argv)) return tl::unexpected(std::move(*end));
  if (!options.id.empty()) options.notify = true;
  auto context = door::context_for(options.door, options.server);
  if (!context) {
    return tl::unexpected(CommandLine::End{EX_USAGE, "heartbeat-client: " + context.error()});
  }
  options.tls = std::move(*context);
  return options;
}

}  // namespace heartbeat::client
