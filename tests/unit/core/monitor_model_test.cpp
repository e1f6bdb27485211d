// The monitor against a plain model of it, over random schedules of opens, heartbeats, bad input, ends and
// looks.  The model judges by the rule written tick by tick (tools/sim/virtual/tick_by_tick.h) and knows no
// deadlines.
#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "daemon/core/monitor.h"
#include "tests/unit/support/bytes.h"
#include "tests/unit/support/fleet.h"
#include "tests/unit/support/print.h"
#include "tests/unit/support/property.h"
#include "tools/sim/virtual/tick_by_tick.h"

using namespace heartbeat;
using namespace heartbeat::test;
using heartbeat::sim::TickByTick;

namespace {

using Kind = Event::Kind;

// What the model says must be reported, and what the monitor reported, in one form.
struct Told {
  ConnId conn;
  Kind kind;
  MonoTime at;
  std::optional<Reason> reason;  // where the kind has one

  friend bool operator==(const Told&, const Told&) = default;
};

std::ostream& operator<<(std::ostream& out, const Told& told) {
  out << to_string(told.kind) << ' ' << told.conn << " at " << told.at;
  if (told.reason) out << ' ' << *told.reason;
  return out;
}

struct ModelClient {
  TickByTick life;
  MonoTime accepted;
  bool spoke = false;
  MonoTime begun{};  // of `unsent`
  std::string id{};
  std::string unsent{};  // the rest of a frame of which a part was sent
  bool away = false;     // its leave began with a declaration
};

// How a client was when it was closed last.
struct ClosedInLeave {
  bool was = false;
  bool away = false;
};

// The fleet as the rule has it.  Each operation adds to told_ the events that it must cause.
class Model {
 public:
  explicit Model(const Settings& settings)
      : rule_(settings.rule),
        brake_(settings.brake),
        clients_max_(settings.clients_max),
        bounds_(settings.bounds) {}

  bool may_open() const { return clients_.size() < clients_max_; }
  void open(ConnId conn, MonoTime now) {
    clients_.emplace(conn, ModelClient{.life{rule_, now}, .accepted = now});
  }

  // The brake is looked at at each instant at which something happens, by counting everybody anew.
  void advance(MonoTime now) {
    for (MonoTime at = next_instant(); at <= now; at = next_instant()) {
      if (holding_) {
        if (at == until_) {
          holding_ = false;
          counted_from_ = until_;
        }
      } else if (brake_.share_percent > 0) {
        look_at_brake(at);
      }
      std::vector<ConnId> everybody;
      for (const auto& [conn, client] : clients_) everybody.push_back(conn);
      for (const ConnId conn : everybody) judge(conn, at);
    }
  }

  [[nodiscard]] std::size_t times_held() const { return times_held_; }

  void hear(ConnId conn, const std::string& id, Status declared, MonoTime now) {
    if (!clients_.contains(conn)) return;
    if (!judge(conn, now)) return;
    ModelClient& client = clients_.at(conn);
    client.spoke = true;
    if (!id.empty() && !client.id.empty() && client.id != id) {
      close(conn, Reason::BadHeartbeat, now);
      return;
    }
    if (client.id.empty() && !id.empty()) name(conn, id, now);
    if (declared != Status::Leave) {
      client.life.heard();
    } else if (client.life.declared_leave(now)) {
      client.away = true;
      tell(conn, Kind::Left, now, Reason::Declared);
    }
    if (declared == Status::Close) close(conn, Reason::Goodbye, now);
  }

  void end(ConnId conn, Reason reason, MonoTime now) {
    if (!clients_.contains(conn)) return;
    if (judge(conn, now)) close(conn, reason, now);
  }

  // What ends it beside the rule, and when.
  [[nodiscard]] std::pair<MonoTime, Reason> time_limit(const ModelClient& client) const {
    std::pair<MonoTime, Reason> limit{MonoTime::never(), Reason::NeverSpoke};
    if (!client.spoke && bounds_.hello_timeout > 0ms) {
      limit.first = client.accepted + std::max(bounds_.hello_timeout, 3 * rule_.tick);
    }
    if (!client.unsent.empty() && bounds_.frame_timeout > 0ms &&
        client.begun + bounds_.frame_timeout <= limit.first) {
      limit = {client.begun + bounds_.frame_timeout, Reason::FrameTimeout};
    }
    return limit;
  }

  // The rest of its frame comes.
  void finish(ConnId conn, MonoTime now) {
    if (!clients_.contains(conn) || !judge(conn, now)) return;
    clients_.at(conn).unsent.clear();
    hear(conn, "", Status::Alive, now);
  }

  [[nodiscard]] const std::map<ConnId, ModelClient>& clients() const { return clients_; }
  [[nodiscard]] ModelClient& client(ConnId conn) { return clients_.at(conn); }
  [[nodiscard]] std::vector<Told> take_told() { return std::exchange(told_, {}); }

 private:
  [[nodiscard]] MonoTime next_instant() const {
    MonoTime next = holding_ ? until_ : MonoTime::never();
    for (const auto& [conn, client] : clients_) {
      next = std::min({next, client.life.next_change()->at, time_limit(client).first});
    }
    return next;
  }

  // The instant at which the client will be closed for silence if nothing more is heard.
  [[nodiscard]] std::optional<MonoTime> closes(const ModelClient& client) const {
    if (client.life.status != Status::Leave || client.away) return {};
    const Change next = *client.life.next_change();
    if (next.kind != Change::Kind::Expired || client.life.left_at < counted_from_) return {};
    return next.at;
  }

  void look_at_brake(MonoTime at) {
    const Millis window = std::min(std::max(brake_.window, 2 * rule_.tick), rule_.leave_timeout);
    std::size_t concerned = 0;
    bool now = false;
    for (const auto& [conn, client] : clients_) {
      const auto close = closes(client);
      if (close && *close < at + window) ++concerned;
      if (close && *close == at) now = true;
    }
    if (!now || concerned < brake_.clients_min) return;
    if (concerned * 100 <= brake_.share_percent * clients_.size()) return;
    holding_ = true;
    ++times_held_;
    until_ = at + std::min(brake_.pause, rule_.leave_timeout);
    for (auto& [conn, client] : clients_) {
      if (client.life.status != Status::Leave || client.away || client.life.left_at < counted_from_) continue;
      const MonoTime close = client.life.left_at + rule_.leave_timeout;
      if (close >= at && close < until_) client.life.delayed_until = until_;
    }
  }

  void tell(ConnId conn, Kind kind, MonoTime at, std::optional<Reason> reason = {}) {
    told_.push_back({conn, kind, at, reason});
  }

  // Returns whether the client is still there.
  bool judge(ConnId conn, MonoTime now) {
    const auto [limit, reason] = time_limit(clients_.at(conn));
    if (!judge_ticks(conn, std::min(limit, now))) return false;
    if (limit > now) return true;
    close(conn, reason, limit);
    return false;
  }

  bool judge_ticks(ConnId conn, MonoTime now) {
    for (const Change& change : clients_.at(conn).life.run_to(now)) {
      switch (change.kind) {
        case Change::Kind::Struck: tell(conn, Kind::Struck, change.at); break;
        case Change::Kind::Left:
          clients_.at(conn).away = false;
          tell(conn, Kind::Left, change.at, Reason::Silent);
          break;
        case Change::Kind::Returned: tell(conn, Kind::Returned, change.at, Reason::Steady); break;
        case Change::Kind::Expired: expire(conn, change.at); return false;
      }
    }
    return true;
  }

  // Whether it was away or silent is a story of its own (monitor_test.cpp).
  void expire(ConnId conn, MonoTime at) {
    tell(conn, Kind::Closed, at);
    forget(conn, Status::Leave);
  }

  void close(ConnId conn, Reason reason, MonoTime at) {
    tell(conn, Kind::Closed, at, reason);
    forget(conn, clients_.at(conn).life.status);
  }

  void forget(ConnId conn, Status status) {
    const ModelClient& client = clients_.at(conn);
    if (!client.id.empty()) closed_in_leave_[client.id] = {status == Status::Leave, client.away};
    clients_.erase(conn);
  }

  void name(ConnId conn, const std::string& id, MonoTime now) {
    ModelClient& client = clients_.at(conn);
    const auto holder = std::find_if(clients_.begin(), clients_.end(),
                                     [&](const auto& entry) { return entry.second.id == id; });
    if (holder != clients_.end() && judge(holder->first, now)) {
      client.life.take_over(holder->second.life, now);
      client.away = holder->second.away;
      clients_.erase(holder);
      client.id = id;
      tell(conn, Kind::TakenOver, now);
      return;
    }
    client.id = id;
    const ClosedInLeave closed = closed_in_leave_[id];
    closed_in_leave_.erase(id);
    if (!closed.was || client.life.status != Status::Alive) return;
    client.life.enter_leave(now);
    client.away = closed.away;
    tell(conn, Kind::Left, now, Reason::Remembered);
  }

  Rule rule_;
  ClosingBrake::Settings brake_;
  std::size_t clients_max_;
  Bounds bounds_;
  std::map<ConnId, ModelClient> clients_;
  std::map<std::string, ClosedInLeave> closed_in_leave_;
  bool holding_ = false;
  MonoTime until_;         // while it holds
  MonoTime counted_from_;  // leaves that began before have had their brake
  std::size_t times_held_ = 0;
  std::vector<Told> told_;
};

// What the monitor reported, of the kinds that the model reports too.
std::vector<Told> told_by(const Effects& effects) {
  std::vector<Told> all;
  for (const Event& event : effects.events()) {
    switch (event.kind) {
      case Kind::Left:
      case Kind::Returned: all.push_back({event.conn, event.kind, event.at, event.reason}); break;
      case Kind::Struck:
      case Kind::TakenOver: all.push_back({event.conn, event.kind, event.at, {}}); break;
      case Kind::Closed: {
        const bool expired = event.reason == Reason::Silent || event.reason == Reason::Away;
        all.push_back(
            {event.conn, event.kind, event.at, expired ? std::nullopt : std::optional{event.reason}});
        break;
      }
      default: break;
    }
  }
  return all;
}

// In the order of the connections: among clients that are judged together, whose turn is first is not said.
std::vector<Told> by_connection(std::vector<Told> told) {
  std::stable_sort(told.begin(), told.end(), [](const Told& a, const Told& b) { return a.conn < b.conn; });
  return told;
}

// One number decides what is done next, to which client, how much later and with what.
class Choice {
 public:
  explicit Choice(std::uint32_t number) : rest_(number) {}
  std::uint32_t of(std::uint32_t count) {
    const std::uint32_t chosen = rest_ % count;
    rest_ /= count;
    return chosen;
  }

 private:
  std::uint32_t rest_;
};

// The monitor and the model side by side.
class Pair {
 public:
  explicit Pair(const Settings& settings) : rule_(settings.rule), model_(settings), monitor_(settings) {}

  void act(Choice choice) {
    wait(choice.of(8), choice);
    switch (choice.of(12)) {
      case 0: open(); break;
      case 1: end(choice); break;
      case 2: bad_bytes(choice); break;
      case 3:
      case 4:
      case 5: look(); break;
      case 6: half_beat(choice); break;
      default: beat(choice); break;
    }
    RC_ASSERT(by_connection(told_by(effects_)) == by_connection(model_.take_told()));
    count_closes();
    effects_.clear();
    assert_counters_add_up();
    assert_deadline_is_not_late();
  }

  void look() {
    while (monitor_.advance(now_, effects_)) {
    }
    last_instant_ = std::max(last_instant_, now_);
    model_.advance(now_);
    for (const auto& [conn, client] : model_.clients()) {
      RC_ASSERT(monitor_.clients().at(conn.slot)->liveness.status() == client.life.status);
      RC_ASSERT(monitor_.clients().at(conn.slot)->id == client.id);
    }
    RC_ASSERT(monitor_.next_deadline() > now_);
    RC_ASSERT(monitor_.brake().times_held() == model_.times_held());
  }

  [[nodiscard]] std::size_t times_braked() const { return model_.times_held(); }

 private:
  // What a call counts for that comes now.
  MonoTime instant() {
    const MonoTime at = monitor_.instant_for(now_);
    RC_ASSERT(at <= now_);
    RC_ASSERT(at >= last_instant_);
    last_instant_ = at;
    return at;
  }

  void wait(std::uint32_t how, Choice& choice) {
    switch (how) {
      case 0:
      case 1: break;
      case 2:
      case 3: {
        const MonoTime due = monitor_.next_deadline();
        if (due != MonoTime::never()) now_ = std::max(now_, how == 2 ? due - 1ms : due);
        break;
      }
      default: now_ += rule_.tick * choice.of(16) / 8; break;
    }
  }

  std::optional<ConnId> anybody(Choice& choice) {
    if (model_.clients().empty()) return {};
    const auto chosen = choice.of(static_cast<std::uint32_t>(model_.clients().size()));
    return std::next(model_.clients().begin(), chosen)->first;
  }

  void open() {
    const MonoTime at = instant();
    // An address of its own: the model knows no programs that come back on other connections.
    const unsigned number = next_number_++;
    const Endpoint peer{
        .address = {10, 0, static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number)},
        .port = 1};
    const auto conn = monitor_.open(peer, now_, effects_);
    RC_ASSERT(conn.has_value() == model_.may_open());
    if (conn) model_.open(*conn, at);
  }

  void end(Choice& choice) {
    const auto conn = anybody(choice);
    if (!conn) return;
    const Reason reason = choice.of(2) == 0 ? Reason::PeerClosed : Reason::Reset;
    const MonoTime at = instant();
    monitor_.disconnect(*conn, reason, now_, effects_);
    model_.end(*conn, reason, at);
  }

  void bad_bytes(Choice& choice) {
    const auto conn = anybody(choice);
    if (!conn) return;
    const std::string& unsent = model_.client(*conn).unsent;
    if (!unsent.empty()) return;
    const bool framing = choice.of(2) == 0;
    const MonoTime at = instant();
    monitor_.receive(*conn, framing ? prefix(0) : framed("?"), now_, effects_);
    model_.end(*conn, framing ? Reason::BadFrame : Reason::BadHeartbeat, at);
  }

  static Heartbeat heartbeat(Choice& choice) {
    constexpr std::array kIds{"", "a", "b", "c"};
    constexpr std::array kStatuses{Status::Alive, Status::Alive, Status::Alive, Status::Alive,
                                   Status::Alive, Status::Leave, Status::Leave, Status::Close};
    const auto* const id = kIds.at(choice.of(kIds.size()));
    return {.ip = "x", .status = kStatuses.at(choice.of(kStatuses.size())), .id = id};
  }

  void beat(Choice& choice) {
    const auto conn = anybody(choice);
    if (!conn) return;
    if (!model_.client(*conn).unsent.empty()) {
      finish_half_beat(*conn);
      return;
    }
    const Heartbeat said = heartbeat(choice);
    const MonoTime at = instant();
    monitor_.receive(*conn, framed(encode(said)), now_, effects_);
    model_.hear(*conn, std::string{said.id}, said.status, at);
  }

  // A part of a frame moves nothing: it is heard when it is whole.
  void half_beat(Choice& choice) {
    const auto conn = anybody(choice);
    if (!conn || !model_.client(*conn).unsent.empty()) return;
    const std::string bytes = framed(encode({.ip = "x"}));
    const std::size_t cut = 1 + choice.of(static_cast<std::uint32_t>(bytes.size() - 1));
    const MonoTime at = instant();
    monitor_.receive(*conn, bytes.substr(0, cut), now_, effects_);
    if (!model_.clients().contains(*conn)) return;
    model_.client(*conn).unsent = bytes.substr(cut);
    model_.client(*conn).begun = at;
  }

  void finish_half_beat(ConnId conn) {
    const MonoTime at = instant();
    monitor_.receive(conn, model_.client(conn).unsent, now_, effects_);
    model_.finish(conn, at);
  }

  void count_closes() {
    for (const Effects::Order& order : effects_.orders()) {
      closes_ordered_ += order.kind == Effects::Order::Kind::Close ? 1U : 0U;
    }
  }

  void assert_counters_add_up() {
    const Counters& counters = monitor_.counters();
    const auto closes = std::accumulate(counters.closes.begin(), counters.closes.end(), std::uint64_t{0});
    RC_ASSERT(counters.connected == monitor_.clients().size() + closes);
    RC_ASSERT(closes == closes_ordered_);
    RC_ASSERT(monitor_.clients().size() == model_.clients().size());
    std::size_t in_leave = 0;
    for (std::uint32_t slot = 0; slot < monitor_.clients().slots(); ++slot) {
      const Client* const client = monitor_.clients().at(slot);
      if (client != nullptr && client->liveness.status() == Status::Leave) ++in_leave;
    }
    RC_ASSERT(monitor_.status_counts().leave == in_leave);
    RC_ASSERT(monitor_.status_counts().alive == monitor_.clients().size() - in_leave);
  }

  // The daemon sleeps until next_deadline(): no client may have an earlier one.
  void assert_deadline_is_not_late() {
    for (const auto& [conn, client] : model_.clients()) {
      RC_ASSERT(monitor_.next_deadline() <= client.life.next_change()->at);
      RC_ASSERT(monitor_.next_deadline() <= model_.time_limit(client).first);
    }
  }

  Rule rule_;
  Model model_;
  Monitor monitor_;
  Effects effects_;
  MonoTime now_ = t0;
  MonoTime last_instant_ = t0;
  std::uint64_t closes_ordered_ = 0;
  unsigned next_number_ = 1;
};

}  // namespace

TEST_CASE(
    "over any schedule the monitor tells what the model does, at the same instants, and its counters add "
    "up") {
  std::size_t times_braked = 0;
  check_property(20'000, [&] {
    const auto count = [] { return static_cast<std::uint16_t>(*between(1, 3)); };
    const Millis tick{*rc::gen::element(8, 10, 1000)};
    const Millis leave_timeout = tick * *between(1, 20) + Millis{*between(0, 3)};
    const Rule rule{.tick = tick,
                    .threshold = count(),
                    .cursor = count(),
                    .recover = count(),
                    .leave_timeout = leave_timeout};
    const ClosingBrake::Settings brake{.share_percent = *rc::gen::element(0U, 0U, 10U, 34U, 50U),
                                       .clients_min = static_cast<std::size_t>(*between(1, 3)),
                                       .window = tick * *between(1, 6),
                                       .pause = tick * *between(1, 12) + Millis{*between(0, 3)}};
    const Bounds bounds{.hello_timeout = *between(0, 8) * tick,
                        .frame_timeout = *between(0, 4) * tick + Millis{*between(0, 1)}};
    Pair pair{{.rule = rule,
               .clients_max = static_cast<std::size_t>(*between(1, 6)),
               .newcomers_max = 0,  // the model knows the plain bound
               .remember = 64,      // more than there are closed in a schedule
               .brake = brake,
               .bounds = bounds}};
    const auto numbers =
        *rc::gen::container<std::vector<std::uint32_t>>(between<std::uint32_t>(0, 2'000'000'000));
    for (const std::uint32_t number : numbers) pair.act(Choice{number});
    pair.look();
    times_braked += pair.times_braked();
  });
  CHECK(times_braked > 0);
}
