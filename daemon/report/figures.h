// The daemon's figures: read together at one moment, and the table of where each is shown.
//
// `status` and /metrics walk the table, and heartbeatctl and the status page walk what `status` answers.  So
// a new figure is one row (and, where the daemon does not count it yet, one member of Figures): it then
// stands everywhere.  docs/control.md and docs/http.md explain the figures; tests hold both against the
// table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/endpoint.h"
#include "common/mono_time.h"
#include "daemon/core/feed.h"
#include "daemon/core/histogram.h"
#include "daemon/core/monitor.h"
#include "daemon/report/rate.h"
#include "daemon/report/reloads.h"
#include "daemon/report/tally.h"
#include "daemon/report/wall_clock.h"

namespace heartbeat {

// One run of the daemon.
struct Boot {
  std::string id;  // 32 hex digits
  std::int32_t pid;
  WallTime started;
};

// What the process holds of the machine at this moment.
struct ProcessUsage {
  std::uint64_t memory_bytes;  // resident
  double processor_seconds;    // since the start
  std::size_t descriptors_used;
  std::size_t descriptors_limit;
};

// Accepting clients: whether it pauses, and how often and how long it has.
struct AcceptFigures {
  bool paused;
  std::uint64_t pauses;
  Millis length;            // of the pauses that are over
  std::size_t waiting;      // connections in the anteroom
  std::uint64_t displaced;  // from there
  unsigned rate;            // connections a second at most; 0: no limit
};

// How often a connection could not be accepted at each door, for want of a descriptor or of memory.  The
// connection waits, and each further try counts.
struct ShortageFigures {
  std::uint64_t clients = 0;
  std::uint64_t control = 0;
  std::uint64_t http = 0;
};

// The control socket at its bound on sessions.
struct ControlFigures {
  std::size_t sessions = 0;
  std::uint64_t displaced = 0;  // sessions that were closed to make room for a new one
  std::uint64_t refused = 0;    // connections that were turned away
};

// The pauses between two turns of the loop.
struct PauseFigures {
  Millis longest;  // that there may be now; 0: none
  std::uint64_t count;
  Millis length;  // of all together
};

struct HttpFigures {
  Endpoint listening{};
  std::size_t connections = 0;
  std::size_t followers = 0;                      // of /api/events
  std::map<unsigned, std::uint64_t> responses{};  // by HTTP status
  std::uint64_t refused = 0;                      // connections, at the bound
  std::uint64_t displaced = 0;                    // idle connections that made room at the bound
  std::uint64_t timed_out = 0;                    // connections that took too long to ask, or to read
};

// The event journal on disk.
struct JournalFigures {
  bool is_on = false;
  bool is_paused = false;      // the disk refuses to write
  std::string directory{};     // empty: there is no journal
  std::string error{};         // why it is paused
  std::uint64_t written = 0;   // events
  std::uint64_t lost = 0;      // events that were dropped while the disk did not take them
  std::uint64_t failures = 0;  // writes that the disk refused, each further try counted
  std::uint64_t waiting = 0;   // events that wait for the write that is under way
  std::uint64_t segments = 0;  // when they were last looked at
  std::uint64_t disk_bytes = 0;
};

// The roster of expected clients.
struct RosterFigures {
  std::string file{};
  std::size_t expected = 0;
  std::size_t missing = 0;
  std::string error{};  // why the file as it is now is not in force; empty: it is
};

// Made by the daemon for one report.  What it refers to is the daemon's, and stands still until the daemon
// goes on.
struct Figures {
  const Boot& boot;
  const Monitor& monitor;
  const Feed& feed;
  const Tally& tally;
  const Reloads& reloads;
  const Rate& heartbeats;
  const Histogram& loop_lateness;
  AcceptFigures accepting;
  ShortageFigures shortages;
  ControlFigures control;
  PauseFigures pauses;
  ProcessUsage usage;
  JournalFigures journal;
  std::optional<HttpFigures> http;                      // none: the daemon serves no HTTP
  const std::map<std::string, WallTime>& certificates;  // when each file of TLS runs out, by path
  std::vector<Endpoint> listening;
  std::optional<RosterFigures> roster{};  // none: there is no roster
};

// A number, a flag or a length of time; a length is milliseconds in `status` and seconds in /metrics.
using FigureValue = std::variant<std::uint64_t, double, bool, Millis>;

struct Figure {
  enum class Kind : std::uint8_t { Counter, Gauge };

  // In `status`: the object that the figure is a member of (empty: `status` itself; `a.b`: object b in object
  // a), and its name there.  No name: `status` does not show it.
  std::string_view group;
  std::string_view member;
  // In /metrics.  Rows of one family follow one another, distinguished by a label.  No name: /metrics does
  // not show it.
  std::string_view metric;
  Kind kind;
  std::string_view help;  // a sentence; of a family, its first row's
  std::string_view label_name{};
  std::string_view label_value{};

  FigureValue (*value)(const Figures&);
};

// In the order of /metrics; the rows of one group in the order of `status`.
[[nodiscard]] std::span<const Figure> all_figures();

// A distribution of lengths of time: `status` shows its quantiles, /metrics its buckets.
struct LatenessFigure {
  std::string_view member;  // in `status`, in milliseconds; empty: not shown there
  std::string_view metric;
  std::string_view help;
  std::span<const std::int64_t> bucket_ends;  // milliseconds; ends of the histogram's own buckets

  const Histogram& (*value)(const Figures&);
};
[[nodiscard]] std::span<const LatenessFigure> all_lateness_figures();

}  // namespace heartbeat
