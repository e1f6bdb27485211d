// What is wrong for as long as it lasts: two programs that take an id from each other, a peer that is refused
// again and again, accepting that pauses, clients slower than the tick, a configuration file that is refused,
// a certificate that runs out, a daemon that drains.
//
// Each occurrence would be a log line of its own, thousands a day.  So it is one condition, with a beginning,
// a count and an end.  It is reported at its beginning, then at most once in report_every() while it
// lasts, and at its end.  A condition ends when its cause is mended, where the caller knows that, or
// when nothing of it has happened for the time that the caller gave with the latest occurrence.
//
// Bounded: of each kind, kConditionsMax last at once.  One past it, an occurrence is not recorded,
// and the caller reports it by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mono_time.h"

namespace heartbeat {

struct Condition {
  enum class Kind : std::uint8_t {
    Fight,               // of an id: connections take it from each other
    SlowBeats,           // of a group: clients beat steadily, but slower than the tick
    AcceptPaused,        // of the daemon: connections wait to be accepted
    ReloadRefused,       // of the daemon: the configuration file is not the one in force
    RefusedAgain,        // of an address: its connections end alike, and before a heartbeat
    CertificateExpires,  // of a file: it runs out soon, or has
    Drain,               // of the daemon: its clients go elsewhere
  };

  Kind kind = Kind::Fight;
  std::string subject{};  // an id, an address or a group; empty where it concerns the daemon
  MonoTime began{};
  MonoTime latest{};                  // the last occurrence
  MonoTime over = MonoTime::never();  // it ends here if nothing more of it happens
  MonoTime next_report{};
  std::uint64_t count = 0;  // occurrences
  std::string detail{};     // of the last one: a sentence without its end, or empty
};
inline constexpr std::size_t kConditionKindCount = 7;

// The word in `status` and in the metrics' label: `fight`.
[[nodiscard]] std::string_view to_string(Condition::Kind kind);

// How long nothing of a condition must happen for it to have ended: health checks come every few seconds, and
// hardly ever more than five minutes apart.
inline constexpr Millis kConditionQuiet{10LL * 60 * 1000};

// A condition that lasts is reported this often: a person who reads the log of a day finds it.  A certificate
// is renewed within days, so one report a day is enough.
[[nodiscard]] constexpr Millis report_every(Condition::Kind kind) {
  constexpr Millis kHour{60LL * 60 * 1000};
  return kind == Condition::Kind::CertificateExpires ? 24 * kHour : kHour;
}

// Conditions of one kind at once: more than a person looks at, and few enough to walk over all at each
// occurrence.
inline constexpr std::size_t kConditionsMax = 64;

// What is reported of a condition.
enum class Phase : std::uint8_t { Began, Lasts, Ended };
[[nodiscard]] std::string_view to_string(Phase phase);

class Conditions {
 public:
  // What an occurrence must be reported as.
  enum class Seen : std::uint8_t {
    Began,       // the beginning of a condition
    Counted,     // it belongs to one that lasts: nothing is reported
    Unrecorded,  // there are too many conditions of this kind
  };

  // It happened `times`, and is over if it does not happen once more by `over`.  After that it
  // is another condition, also while the end of the first waits for due().  Out of memory, it throws and
  // changes nothing.
  Seen happened(Condition::Kind kind, std::string_view subject, std::string_view detail, MonoTime now,
                MonoTime over, std::uint64_t times = 1);

  // One that lasts, if it does, is not over before `over`; nothing new has happened.
  void prolong(Condition::Kind kind, std::string_view subject, MonoTime over) noexcept;
  // It happened as often more.
  void add(Condition::Kind kind, std::string_view subject, std::uint64_t times) noexcept;
  // One that lasts, if it does, is over at `at`.
  void end_at(Condition::Kind kind, std::string_view subject, MonoTime at) noexcept;

  // Its cause is mended.  Returns the condition as it was; nothing where none lasted.
  std::optional<Condition> end(Condition::Kind kind, std::string_view subject);

  struct Due {
    Phase phase;  // Lasts or Ended
    Condition condition;
  };
  // The next report that is due by `now`; a condition that has ended is gone then.  Must be called about once
  // a second, and again until it returns nothing.
  std::optional<Due> due(MonoTime now);

  [[nodiscard]] bool lasts(Condition::Kind kind, std::string_view subject, MonoTime now) const;
  // Null where there is none whose end due() has not returned.  Valid until the next change.
  [[nodiscard]] const Condition* find(Condition::Kind kind, std::string_view subject) const;
  // In the order of their beginnings.
  [[nodiscard]] const std::vector<Condition>& all() const { return conditions_; }
  [[nodiscard]] std::size_t count(Condition::Kind kind) const;

  // One as it was saved.
  void restore(Condition&& condition) { conditions_.push_back(std::move(condition)); }

 private:
  [[nodiscard]] std::vector<Condition>::iterator place_of(Condition::Kind kind, std::string_view subject);
  Condition take(std::vector<Condition>::iterator place);

  std::vector<Condition> conditions_;
};

}  // namespace heartbeat
