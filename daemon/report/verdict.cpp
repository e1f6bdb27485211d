#include "daemon/report/verdict.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "common/duration.h"
#include "common/limits.h"
#include "common/stream_diagnosis.h"
#include "common/text.h"
#include "daemon/core/wording.h"
#include "daemon/report/standing.h"

namespace heartbeat {
namespace {

std::string counted(std::int64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string with_detail(const std::string& sentence, const std::string& detail) {
  return detail.empty() ? sentence : sentence + ": " + detail;
}

// Whether the daemon was itself absent while it judged a client silent.
std::string about_stalls(const Stalls& stalls, MonoTime from, MonoTime to) {
  std::int64_t count = 0;
  Millis total{0};
  for (const Stall& stall : stalls) {
    if (stall.at <= from || stall.at > to) continue;
    ++count;
    total += stall.length;
  }
  if (count > 0) {
    return "the daemon itself was stalled " + (count == 1 ? "once" : counted(count, "time")) +
           " meanwhile, for " + describe_duration(total) + (count == 1 ? "" : " in all") +
           ", which is not counted";
  }
  const bool known = stalls.size() < limits::kStallsMax || stalls.front().at <= from;
  return known ? "the daemon itself was stalled for none of them"
               : "whether the daemon itself was stalled then is no longer known";
}

// A leave that began with silence: of which length, and when it was heard last before.
struct Silence {
  std::optional<MonoTime> since;  // the last heartbeat, or the accept; unknown where that was forgotten
  bool heard;                     // it was a heartbeat
  MonoTime left;
};

// The silence before `left` of a client that was heard at `last_heard` for the last time of all: where that
// was in leave already, the gap that reached across its beginning counts.
template <class AnyClient>
Silence silence_before(MonoTime left, const AnyClient& client) {
  if (client.last_heard <= left) return {client.last_heard, client.heartbeats > 0, left};
  if (client.history == nullptr) return {{}, true, left};
  for (const Moment& moment : client.history->oldest_first()) {
    const MonoTime began = moment.at - moment.silent;
    if (moment.kind == Moment::Kind::Gap && began <= left && moment.at > left) return {began, true, left};
  }
  return {{}, true, left};
}

// "15 silent ticks", where the silence was one; else its strikes, of which the last ended with some.
std::string about_silence(const Silence& silence, const Stalls& stalls, const Rule& rule) {
  const std::int64_t all = std::int64_t{rule.cursor} * rule.threshold;
  const std::string strikes = counted(rule.cursor, "strike");
  if (!silence.since) return "after " + strikes + " of " + counted(rule.threshold, "silent tick");

  // A leave begins at the end of a tick, and the tick that was heard last was not silent.
  const Millis silent = silence.left - *silence.since - Millis{silence.heard ? 1 : 0};
  const std::int64_t ticks = silent / rule.tick;
  const std::string after =
      ticks >= all ? "after " + counted(ticks, "silent tick")
                   : "after " + strikes + ", the last " + counted(ticks, "tick") + " without a heartbeat";
  return after + "; " + about_stalls(stalls, *silence.since, silence.left);
}

// The present leave's beginning; of one that is older than what is remembered, nothing.
const Moment* last_leave(const History* history) {
  if (history == nullptr) return nullptr;
  const auto moments = history->oldest_first();
  const auto found = std::find_if(moments.rbegin(), moments.rend(),
                                  [](const Moment& moment) { return moment.kind == Moment::Kind::Left; });
  return found == moments.rend() ? nullptr : &*found;
}

// What the client said when it declared the leave, or nothing.
std::string in_its_words(const History* history) {
  return history == nullptr || history->note().empty() ? "" : ", saying \"" + escaped(history->note()) + "\"";
}

std::string never_steady(const Rule& rule) {
  return "was not heard in " + counted(rule.recover, "tick") + " in a row since";
}

// How a leave that ran out began.
std::string about_expiry(const ClosedClient& client, const Stalls& stalls, const ReportContext& context) {
  const Moment* const left = last_leave(client.history.get());
  const std::string held = client.detail.empty() ? "" : " (" + client.detail + ")";
  const std::string kicked = "kicked at " + context.in_sentence(client.closed_at) + held + ": ";
  if (left == nullptr) return kicked + "it did not return from leave in time";

  const std::string length = describe_duration(client.closed_at - left->at);
  switch (left->reason) {
    case Reason::Declared:
      return kicked + "it declared leave itself " + length + " before" + in_its_words(client.history.get()) +
             ", and " + never_steady(context.rule_of(client));
    case Reason::Remembered:
      return kicked + "it came back in leave, as it was when it was closed before, and in " + length +
             " did not earn alive again";
    default: break;
  }
  const Silence silence = silence_before(left->at, client);
  const std::string beats = client.last_heard > left->at ? "; it was heard again in leave, but " +
                                                               never_steady(context.rule_of(client))
                                                         : "";
  return kicked + "in leave for " + length + " " + about_silence(silence, stalls, context.rule_of(client)) +
         beats;
}

std::string since_last_heartbeat(const ClosedClient& client) {
  return describe_duration(client.closed_at - client.last_heard) + " after its last heartbeat" +
         (client.status == Status::Leave ? ", while in leave" : "");
}

std::string about_leave(const Client& client, const Standing& standing, const Stalls& stalls,
                        const ReportContext& context) {
  const Rule& rule = context.rule_of(client);
  const MonoTime left = standing.left;
  const std::string since = "in leave since " + context.in_sentence(left);
  const std::string held = standing.held ? "the brake on mass closing delays its close; " : "";
  const std::string until = held + "it will be closed at " + context.in_sentence(standing.closes) +
                            " unless it is heard in " + counted(rule.recover, "tick") +
                            " in a row before (so far " + std::to_string(standing.liveness.steady()) + ")";
  switch (standing.leave_reason) {
    case Reason::Declared:
      return since + ", which it declared itself" + in_its_words(client.history.get()) + "; " + until;
    case Reason::Remembered: return since + ", for it was in leave when it was closed before; " + until;
    default: break;
  }
  const Silence silence = silence_before(left, client);
  return since + " " + about_silence(silence, stalls, rule) + "; " + until;
}

// When the client will be in leave if it is never heard again.
MonoTime leave_if_silent(Liveness liveness, const Rule& rule) {
  while (liveness.status() == Status::Alive) {
    const MonoTime at = liveness.next_change(rule);
    static_cast<void>(liveness.advance(rule, at));
  }
  return liveness.left_at();
}

// Of one that beats too fast, or nothing.
std::string about_rate(const Client& client) {
  if (client.held) return "; it beats faster than max_rate, and is not read just now";
  return client.was_held ? "; it beat faster than max_rate on this connection, and is read no faster" : "";
}

// Of a connection that has not become a client yet.
std::string about_newcomer(const Client& client, const ReportContext& context) {
  std::string text =
      "connected, and has not sent a heartbeat in " + describe_duration(context.now - client.connected_at);
  if (const Millis hello = hello_timeout(context.monitor.bounds_of(client), context.rule_of(client));
      hello > Millis{0}) {
    text += "; it will be closed at " + context.in_sentence(client.connected_at + hello) +
            " unless a heartbeat comes before (hello_timeout)";
  }
  if (client.decoder.in_frame()) text += "; so far " + diagnose_unfinished(client.decoder.unfinished());
  return text;
}

// Of a client that beats steadily and slower than the tick: by the rule it can never be heard in each tick.
std::string about_spacing(const Client& client, const Rule& rule) {
  if (client.slow_in_a_row < limits::kSlowGapsInARow) return "";
  return "; it beats " + describe_spacing(Millis{client.last_gap_ms}, rule.tick);
}

// The same of a closed client: its last two gaps tell.
std::string about_spacing(const ClosedClient& client, const Rule& rule) {
  if (client.history == nullptr) return "";
  Millis gap{0};
  Millis before{0};
  for (const Moment& moment : client.history->oldest_first()) {
    if (moment.kind == Moment::Kind::Gap) before = std::exchange(gap, moment.silent);
  }
  if (before == Millis{0} || !are_alike(gap, before)) return "";
  return "; it beat " + describe_spacing(gap, rule.tick);
}

std::string about_standing(const Client& client, const Standing& standing, const Stalls& stalls,
                           const ReportContext& context) {
  if (standing.in_leave()) return about_leave(client, standing, stalls, context);
  if (!has_spoken(client)) return about_newcomer(client, context);

  const std::string heard = "heard " + describe_duration(context.now - client.last_heard) + " ago";
  const std::uint16_t strikes = standing.liveness.strikes();
  if (strikes == 0 && standing.liveness.silence() == 0) return "alive with a clean record: " + heard;
  const std::string record =
      strikes == 0 ? counted(standing.liveness.silence(), "silent tick")
                   : std::to_string(strikes) + " of " + counted(context.rule_of(client).cursor, "strike");
  return "alive with " + record + ": " + heard + "; if it stays silent, it is in leave at " +
         context.in_sentence(leave_if_silent(standing.liveness, context.rule_of(client)));
}

}  // namespace

std::string verdict_of(const Client& client, const Stalls& stalls, const ReportContext& context) {
  return about_standing(client, standing_of(client, context), stalls, context) + about_rate(client) +
         about_spacing(client, context.rule_of(client));
}

std::string verdict_of(const RefusedPeer& peer, const ReportContext& context) {
  const Refused& latest = peer.latest;
  const std::string address = address_string(latest.peer);
  const std::string last_at =
      context.in_sentence(latest.at) + " from port " + std::to_string(latest.peer.port);
  const std::string which =
      peer.count == 1
          ? "one connection from " + address + " ended without a heartbeat, at " + last_at + ": it "
          : counted(static_cast<std::int64_t>(peer.count), "connection") + " from " + address +
                " ended without a heartbeat since " + context.in_sentence(peer.since) +
                "; the last one, at " + last_at + ", ";
  return with_detail(which + std::string{facts_of(latest.reason).sentence}, latest.detail);
}

std::string verdict_of_missing(const ClosedClient& client, const ReportContext& context) {
  const std::string status = client.status == Status::Leave ? "in leave" : "alive";
  return "missing: it was " + status + " when the daemon ended at " + context.in_sentence(client.last_heard) +
         ", and has not come back; it will be absent at " + context.in_sentence(client.closed_at) +
         " unless it comes back before";
}

std::string verdict_of(const ClosedClient& client, const Stalls& stalls, const ReportContext& context) {
  const std::string at = context.in_sentence(client.closed_at);
  const std::string connected = describe_duration(client.closed_at - client.connected_at);
  switch (client.reason) {
    case Reason::Silent:
      return about_expiry(client, stalls, context) + about_spacing(client, context.rule_of(client));
    case Reason::Away: return about_expiry(client, stalls, context);
    case Reason::Goodbye:
      return "said goodbye at " + at + ", after " + connected + " and " +
             counted(static_cast<std::int64_t>(client.heartbeats), "heartbeat");
    case Reason::PeerClosed:
      return "closed its connection at " + at + " without a goodbye, " + since_last_heartbeat(client);
    case Reason::Reset:
      return "its connection broke at " + at + " (reset by its machine or the network), " +
             since_last_heartbeat(client);
    case Reason::BadFrame:
      return with_detail("closed at " + at + " for bytes that are not a frame", client.detail);
    case Reason::BadHeartbeat:
      return with_detail("closed at " + at + " for a frame that is not a heartbeat", client.detail);
    case Reason::Superseded:
      return with_detail("superseded at " + at + " by another connection", client.detail);
    case Reason::Kicked: return with_detail("kicked by an operator at " + at, client.detail);
    case Reason::NeverSpoke:
      return with_detail("closed at " + at + ", having sent nothing in " + connected, client.detail);
    case Reason::FrameTimeout:
      return with_detail("closed at " + at + " for a frame that it did not finish", client.detail);
    case Reason::Limit:
      return "closed at " + at + " for more than the daemon allows: " +
             (client.detail.empty() ? "it did not read what it was sent" : client.detail);
    case Reason::GivenUp:
      return with_detail("given up at " + at + " for a new client, " + since_last_heartbeat(client),
                         client.detail);
    case Reason::TimedOut:
      return "its connection timed out at " + at + " (what the kernel sent it stayed unanswered), " +
             since_last_heartbeat(client);
    case Reason::Shutdown: return "closed at " + at + " because the daemon was shut down";
    case Reason::Unauthorized:
      return with_detail("closed at " + at + " for want of a credential", client.detail);
    case Reason::Crash: return with_detail("closed at " + at + " over a crash of the daemon", client.detail);
    case Reason::Absent:
      return "absent since " + at + ": it was connected when the daemon ended, " +
             describe_duration(client.closed_at - client.last_heard) + " before, and had not come back";
    case Reason::Drained: return with_detail("drained at " + at + ", to connect elsewhere", client.detail);
    // These are no reasons for a close.
    case Reason::Declared:
    case Reason::Remembered:
    case Reason::Steady: break;
  }
  return with_detail("closed at " + at, client.detail);
}

}  // namespace heartbeat
