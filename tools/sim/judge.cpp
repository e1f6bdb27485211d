#include "tools/sim/judge.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "tools/sim/promise.h"

namespace heartbeat::sim {
namespace {

using namespace std::string_literals;

const Judgement kKept{Verdict::Kept, {}};

Judgement broken(std::string why) {
  return {Verdict::Broken, std::move(why)};
}

Judgement not_yet(std::string why) {
  return {Verdict::NotYet, std::move(why)};
}

std::string seconds(Millis length) {
  return std::to_string(length.count() / 1000) + "." + std::to_string(length.count() % 1000 / 100) + "s";
}

std::string reason_of(const std::optional<Reason>& reason) {
  return reason ? std::string{to_string(*reason)} : "no reason given";
}

class Judge {
 public:
  Judge(const Record& record, const Pace& pace, const Circumstances& circumstances)
      : record_(record),
        end_(circumstances.end),
        margin_(margin(pace, circumstances)),
        daemon_ended_(circumstances.daemon_ended) {}

  [[nodiscard]] bool is_overdue(MonoTime since) const {
    return since != MonoTime::never() && end_ - since > margin_;
  }

  // `done` completes "it was …".
  [[nodiscard]] Judgement milestone(const char* done, const Milestone& promised, const Seen& seen) const {
    switch (promised.kind) {
      case Milestone::Kind::May: return kKept;
      case Milestone::Kind::Never: return seen.happened() ? broken(happened(done, seen)) : kKept;
      case Milestone::Kind::Due: break;
    }
    if (!seen.happened()) {
      if (!is_overdue(promised.latest)) return not_yet("not yet "s + done);
      return broken("was not "s + done + ", which was due " + seconds(end_ - promised.latest) + " ago");
    }
    if (promised.earliest == MonoTime::never()) return broken(happened(done, seen) + " without cause");
    if (seen.at < promised.earliest) {
      return broken(happened(done, seen) + ", " + seconds(promised.earliest - seen.at) + " too early");
    }
    if (seen.at > promised.latest + margin_) {
      return broken(happened(done, seen) + ", " + seconds(seen.at - promised.latest) + " too late");
    }
    if (seen.reason != promised.reason) {
      return broken(happened(done, seen) + ", not as " + reason_of(promised.reason));
    }
    return kKept;
  }

  // A close that came of the daemon's own end happened to the daemon, not to the client.
  [[nodiscard]] Seen closed() const {
    const Seen& closed = record_.closed;
    const bool came_of_it = closed.reason.value_or(Reason::Shutdown) == Reason::Shutdown;
    return daemon_ended_ && came_of_it && end_ - closed.at <= margin_ ? Seen{} : closed;
  }

  [[nodiscard]] Judgement connection() const {
    if (daemon_ended_ && !record_.connected()) return not_yet("not yet connected");
    if (record_.fault != nullptr) return broken(record_.fault);
    if (record_.connected()) return kKept;
    return is_overdue(record_.connecting_at) ? broken("was not accepted") : not_yet("not yet connected");
  }

  [[nodiscard]] Judgement answers() const {
    if (record_.acks > record_.beats) {
      return broken("was given " + std::to_string(record_.acks) + " answers to " +
                    std::to_string(record_.beats) + " heartbeats");
    }
    if (!is_overdue(record_.unanswered_since)) return kKept;
    return broken(std::to_string(record_.beats - record_.acks) + " of its " + std::to_string(record_.beats) +
                  " heartbeats were not answered");
  }

  [[nodiscard]] Judgement silence() const {
    return record_.bytes == 0
               ? kKept
               : broken("was sent " + std::to_string(record_.bytes) + " bytes and had never asked");
  }

 private:
  [[nodiscard]] std::string happened(const char* done, const Seen& seen) const {
    return "was "s + done + " (" + reason_of(seen.reason) + ") " + seconds(seen.at - record_.connecting_at) +
           " after it connected";
  }

  const Record& record_;
  MonoTime end_;
  Millis margin_;
  bool daemon_ended_;
};

}  // namespace

Millis margin(const Pace& pace, const Circumstances& circumstances) {
  return std::max(Millis{5000}, pace.rule.tick * 3) + circumstances.stalled + circumstances.restarting;
}

Judgement judge(const Record& record, const Pace& pace, const Circumstances& circumstances) {
  const Promise promise = promise_of(record, pace);
  const Judge by{record, pace, circumstances};
  const std::array findings{
      by.connection(),
      promise.nothing_said ? by.silence() : kKept,
      by.milestone("led to leave", promise.leave, record.left),
      by.milestone("returned to alive", promise.back, record.returned),
      by.milestone("superseded", promise.supersede, record.superseded),
      by.milestone("closed", promise.close, by.closed()),
      promise.answers ? by.answers() : kKept,
  };
  // The first of the worst.
  Judgement worst =
      *std::max_element(findings.begin(), findings.end(),
                        [](const Judgement& a, const Judgement& b) { return a.verdict < b.verdict; });
  if (worst.verdict == Verdict::Broken) {
    // Late beats may well have looked like silence; they excuse nothing else.
    const bool was_moved = record.left.happened() || record.closed.happened();
    const bool was_late = was_moved && record.late_max > pace.rule.tick;
    if (was_late || record.own_fault) worst.verdict = Verdict::Excused;
    if (was_late) {
      worst.why += "; but the simulator itself was up to " + seconds(record.late_max) + " late with it";
    }
  } else if (promise.none != nullptr) {
    return {Verdict::NoPromise, promise.none};
  }
  return worst;
}

}  // namespace heartbeat::sim
