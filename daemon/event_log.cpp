#include "daemon/event_log.h"

#include <string>

#include <spdlog/spdlog.h>

#include "common/limits.h"
#include "common/text.h"

namespace heartbeat {
namespace {

using spdlog::level::level_enum;

// A flood of refusals is told once in this time, with the number of those in between.
constexpr Millis kRefusedEvery{1000};

// One line in the making: the event's word, then its pairs.
class Line {
 public:
  explicit Line(const Event& event) : text_(to_string(event.kind)) { add("client", log_value(event.client)); }
  explicit Line(std::string_view word) : text_(word) {}

  Line& add(std::string_view key, std::string_view value) {
    text_.append(1, ' ').append(key).append(1, '=').append(value);
    return *this;
  }
  Line& add(std::string_view key, std::uint64_t value) { return add(key, std::to_string(value)); }
  Line& add(std::string_view key, Millis value) {
    return add(key, fmt::format("{}.{:03}s", value.count() / 1000, value.count() % 1000));
  }
  Line& add_detail(const std::string& detail) {
    if (!detail.empty()) text_.append(": ").append(detail);
    return *this;
  }

  // Where an event's standing matters, its numbers always come in this order.
  Line& add_standing(const Event& event) {
    return add("silence", event.silence).add("strikes", event.strikes).add("steady", event.steady);
  }
  Line& add_claims(const Event& event) {
    add("ip", log_value(event.claimed_ip));
    return event.pid ? add("pid", *event.pid) : *this;
  }
  Line& add_transition(const Event& event) {
    return add("from", to_string(event.from))
        .add("to", to_string(event.to))
        .add("reason", to_string(event.reason));
  }

  void log(level_enum level) const { spdlog::log(level, "{}", text_); }

 private:
  std::string text_;
};

level_enum level_of_close(const Event& event) {
  switch (event.reason) {
    case Reason::Goodbye:
    case Reason::Superseded:
    case Reason::Shutdown:
    case Reason::Kicked: return spdlog::level::info;
    case Reason::PeerClosed:
    case Reason::Reset: return event.sent_bytes ? spdlog::level::info : spdlog::level::debug;
    default: return spdlog::level::warn;
  }
}

}  // namespace

void EventLog::tell(const Event& event) {
  Line line{event};
  switch (event.kind) {
    case Event::Kind::Connected: line.log(spdlog::level::debug); break;
    case Event::Kind::Joined:
      line.add("peer", to_string(event.peer)).add_claims(event).log(spdlog::level::info);
      break;
    case Event::Kind::Named: line.add("previous", event.previous).log(spdlog::level::info); break;
    case Event::Kind::TakenOver:
      line.add("peer", to_string(event.peer))
          .add("previous_peer", to_string(event.previous_peer.value_or(Endpoint{})))
          .add("status", to_string(event.to))
          .log(event.takeovers < limits::kFightTakeovers ? spdlog::level::info : spdlog::level::debug);
      break;
    case Event::Kind::Fight:
      line.add("peer", to_string(event.peer))
          .add("previous_peer", to_string(event.previous_peer.value_or(Endpoint{})))
          .add_detail("two connections take this id from each other; give each program its own")
          .log(spdlog::level::warn);
      break;
    case Event::Kind::Heard:
      line.add_claims(event).add("declared", to_string(event.declared)).add("status", to_string(event.to));
      if (event.seq) line.add("seq", *event.seq);
      line.add_standing(event).log(spdlog::level::debug);
      break;
    case Event::Kind::Slow:
      line.add("interval", event.spacing)
          .add_detail(
              "clients beat steadily but slower than the tick, and will be judged silent; set the tick to "
              "their interval")
          .log(spdlog::level::warn);
      break;
    case Event::Kind::Struck:
      line.add_standing(event).add("silent", event.silent).log(spdlog::level::info);
      break;
    case Event::Kind::Left:
      line.add_transition(event).add_standing(event).add("silent", event.silent).log(spdlog::level::warn);
      break;
    case Event::Kind::Returned:
      line.add_transition(event).add_standing(event).log(spdlog::level::info);
      break;
    case Event::Kind::Closed:
      line.add_transition(event).add("by", to_string(event.by)).add_standing(event);
      line.add("silent", event.silent).add("connected", event.connected).add("heartbeats", event.heartbeats);
      if (event.bad_input) line.add("bad_input", to_string(*event.bad_input));
      line.add_detail(event.detail).log(level_of_close(event));
      break;
    case Event::Kind::Refused: tell_refused(event); break;
    case Event::Kind::Stalled:
      Line{"stall"}
          .add("stalled", event.stalled)
          .add_detail("the daemon itself was not listening; no client is charged for it")
          .log(spdlog::level::warn);
      break;
  }
}

void EventLog::tell_refused(const Event& event) {
  if (refused_told_ && event.at - refused_told_at_ < kRefusedEvery) {
    ++refused_untold_;
    return;
  }
  Line line{event};
  line.add("reason", to_string(event.reason)).add("untold_before", refused_untold_).add_detail(event.detail);
  line.log(spdlog::level::warn);
  refused_told_ = true;
  refused_told_at_ = event.at;
  refused_untold_ = 0;
}

void EventLog::tell_roster(const Monitor& monitor) {
  if (monitor.roster_version() == roster_version_) return;
  roster_version_ = monitor.roster_version();

  const Registry& clients = monitor.clients();
  std::string list;
  std::size_t shown = 0;
  for (std::uint32_t slot = 0; slot < clients.slots() && shown < limits::kRosterShown; ++slot) {
    const Client* const client = clients.at(slot);
    if (client == nullptr) continue;
    if (shown++ > 0) list += ", ";
    list.append(log_value(name_of(*client))).append(1, ' ').append(to_string(client->liveness.status()));
  }
  const std::size_t more = clients.size() - shown;
  if (more > 0) list += fmt::format(", and {} more", more);
  spdlog::debug("Current server management user list ({}): [{}]", clients.size(), list);
}

}  // namespace heartbeat
