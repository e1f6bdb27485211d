// How the project's values look in a failed check.
#pragma once

#include <optional>
#include <ostream>
#include <vector>

#include <doctest/doctest.h>

#include "common/bad_input.h"
#include "common/duration.h"
#include "common/mono_time.h"
#include "common/status.h"
#include "daemon/core/connection_id.h"
#include "daemon/core/liveness.h"
#include "daemon/core/reason.h"
#include "tests/unit/support/instants.h"

namespace heartbeat {

inline std::ostream& operator<<(std::ostream& out, MonoTime at) {
  if (at == MonoTime::never()) return out << "never";
  return out << "t0 + " << format_duration(at - test::t0);
}
inline std::ostream& operator<<(std::ostream& out, Status status) {
  return out << to_string(status);
}
inline std::ostream& operator<<(std::ostream& out, BadInput kind) {
  return out << to_string(kind);
}
inline std::ostream& operator<<(std::ostream& out, Reason reason) {
  return out << to_string(reason);
}
inline std::ostream& operator<<(std::ostream& out, Party party) {
  return out << to_string(party);
}
inline std::ostream& operator<<(std::ostream& out, ConnId conn) {
  return out << conn.slot << '.' << conn.generation;
}
inline std::ostream& operator<<(std::ostream& out, Change::Kind kind) {
  switch (kind) {
    case Change::Kind::Struck: return out << "struck";
    case Change::Kind::Left: return out << "left";
    case Change::Kind::Returned: return out << "returned";
    case Change::Kind::Expired: return out << "expired";
  }
  return out;
}
inline std::ostream& operator<<(std::ostream& out, const Change& change) {
  return out << change.kind << " at " << change.at << " silence=" << change.silence
             << " strikes=" << change.strikes << " steady=" << change.steady;
}
inline std::ostream& operator<<(std::ostream& out, const Rule& rule) {
  return out << "tick=" << format_duration(rule.tick) << " threshold=" << rule.threshold
             << " cursor=" << rule.cursor << " recover=" << rule.recover
             << " leave_timeout=" << format_duration(rule.leave_timeout);
}

}  // namespace heartbeat

// Those of the standard, which have no operator<< of ours.
namespace doctest {

template <>
struct StringMaker<heartbeat::Millis> {
  static String convert(heartbeat::Millis millis) { return heartbeat::format_duration(millis).c_str(); }
};

template <class T>
struct StringMaker<std::optional<T>> {
  static String convert(const std::optional<T>& value) { return value ? toString(*value) : "nothing"; }
};

template <class T>
struct StringMaker<std::vector<T>> {
  static String convert(const std::vector<T>& items) {
    String text = "[";
    for (const T& item : items) text += (text.size() > 1 ? ", " : "") + toString(item);
    return text + "]";
  }
};

}  // namespace doctest
