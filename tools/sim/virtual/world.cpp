#include "tools/sim/virtual/world.h"

#include <algorithm>
#include <array>

#include "common/frame.h"
#include "common/limits.h"
#include "daemon/core/listening_clock.h"

namespace heartbeat::sim {
namespace {

constexpr std::uint32_t kNobody = 0xFFFFFFFF;

Rule draw_rule(Random& random, Millis tick) {
  const auto count = [&](std::int64_t max) { return static_cast<std::uint16_t>(random.between(1, max)); };
  Rule rule;
  rule.tick = tick;
  rule.threshold = count(6);
  rule.cursor = count(4);
  rule.recover = count(6);
  rule.leave_timeout = tick * random.between(1, 60) + Millis{random.between(0, 3)};
  return rule;
}

// In one run of three there is no brake.
ClosingBrake::Settings draw_brake(Random& random, const Rule& rule) {
  constexpr std::array<unsigned, 6> kShares{0, 0, 10, 30, 50, 50};
  return {.share_percent = kShares.at(static_cast<std::size_t>(random.between(0, 5))),
          .clients_min = static_cast<std::size_t>(random.between(1, 20)),
          .window = rule.tick * random.between(1, 6),
          .pause = rule.tick * random.between(1, 30) + Millis{random.between(0, 3)}};
}

// The rate of heartbeats has no bound: it is kept by not reading, and here everything is read.
Bounds draw_bounds(Random& random, const Rule& rule) {
  return {.hello_timeout = rule.tick * random.between(0, 10),
          .frame_timeout = rule.tick * random.between(0, 10) / 2,
          .max_rate = 0,
          .max_clients_per_ip = 0};
}

// What clients may declare, in one run of two.
void draw_terms(Random& random, Bounds& bounds, const Rule& rule, Millis tick_min) {
  if (random.chance(1, 2)) return;
  bounds.interval_min = tick_min * random.between(1, 2);
  bounds.interval_max = std::min(rule.leave_timeout, tick_min * random.between(2, 40));
  if (bounds.interval_max < bounds.interval_min) bounds.interval_max = Millis{0};
  bounds.quiet_max = tick_min * random.between(0, 60);
}

// In one run of two there are groups: two by the ends of the ids and one by name, with ticks up to ninety
// times as long as the shortest.
GroupList draw_groups(Random& random, Millis tick_min) {
  if (random.chance(1, 2)) return {};
  constexpr std::array<std::int64_t, 5> kFactors{1, 2, 10, 20, 90};
  std::vector<Group> groups;
  for (const char* const name : {"c*[0-2]", "named", "c*[3-5]"}) {
    if (random.chance(1, 5)) continue;
    Group group{.name = name};
    group.rule = draw_rule(random, tick_min * kFactors.at(static_cast<std::size_t>(random.between(0, 4))));
    group.bounds = draw_bounds(random, group.rule);
    draw_terms(random, group.bounds, group.rule, tick_min);
    group.by_name = group.name == "named";
    if (!group.by_name) group.ids.push_back({.text = name, .glob = *Glob::compile(name)});
    groups.push_back(std::move(group));
  }
  if (groups.size() > 1 && random.chance(1, 2)) std::swap(groups.front(), groups.back());
  return GroupList{std::move(groups)};
}

// The rule of a kind is short in ticks: a window of fifteen minutes' ticks lasts for hours.
Group draw_group(Random& random, const ClientKind& kind) {
  Group group{.name = kind.group};
  group.by_name = true;
  group.rule = draw_rule(random, kind.interval);
  group.rule.threshold = static_cast<std::uint16_t>(random.between(1, 3));
  group.rule.cursor = static_cast<std::uint16_t>(random.between(1, 2));
  group.rule.recover = static_cast<std::uint16_t>(random.between(1, 3));
  group.rule.leave_timeout = kind.interval * random.between(1, 4) + Millis{random.between(0, 3)};
  group.bounds = draw_bounds(random, group.rule);
  if (random.chance(1, 2)) return group;
  group.bounds.interval_min = kind.interval / 2;
  group.bounds.interval_max = std::min(group.rule.leave_timeout, kind.interval * random.between(1, 4));
  group.bounds.quiet_max = kind.interval * random.between(0, 10);
  return group;
}

GroupList draw_groups(Random& random, const std::vector<ClientKind>& kinds) {
  std::vector<Group> groups;
  groups.reserve(kinds.size());
  for (const ClientKind& kind : kinds) groups.push_back(draw_group(random, kind));
  return GroupList{std::move(groups)};
}

// One of the groups has another rule, and at times another place among them.
GroupList redraw_group(Random& random, const std::vector<ClientKind>& kinds, const GroupList& before) {
  std::vector<Group> groups = before.all();
  const auto index = static_cast<std::size_t>(random.between(0, std::ssize(kinds) - 1));
  const auto found = std::find_if(groups.begin(), groups.end(),
                                  [&](const Group& group) { return group.name == kinds[index].group; });
  *found = draw_group(random, kinds[index]);
  if (random.chance(1, 4)) std::swap(groups.front(), groups.back());
  return GroupList{std::move(groups)};
}

// Another address for each connection: the oracle does not know that an actor without an id that comes back
// is the same program.
Endpoint peer_of(std::uint32_t index, std::uint32_t connections) {
  Endpoint peer{.address = {0x20, 0x01, 0x0d, 0xb8}, .port = 1, .family = Endpoint::Family::V6};
  for (unsigned byte = 0; byte < 4; ++byte) {
    peer.address.at(11 - byte) = static_cast<std::uint8_t>(index >> 8U * byte);
    peer.address.at(15 - byte) = static_cast<std::uint8_t>(connections >> 8U * byte);
  }
  return peer;
}

// Whether time alone made the event, at its instant.
bool is_given_by_time(const Event& event) {
  switch (event.kind) {
    case Event::Kind::Struck:
    case Event::Kind::Returned: return true;
    case Event::Kind::Left: return event.reason == Reason::Silent;
    case Event::Kind::Closed:
      return event.reason == Reason::Silent || event.reason == Reason::Away ||
             event.reason == Reason::NeverSpoke || event.reason == Reason::FrameTimeout;
    default: return false;
  }
}

}  // namespace

World::World(const Scenario& scenario)
    : random_(scenario.seed),
      scenario_(scenario),
      watched_(draw_settings(random_, scenario), draw_slice(random_)),
      turn_(watched_.settings().finest_rule(), start_),
      tick_min_(watched_.settings().rule.tick / 2),
      rest_(std::max<std::int64_t>(1, tick_min_.count() / 8 >> random_.between(0, 4))) {
  watched_.restart_between_slices(random_.chance(1, 2));
  loop_.wake_at(turn_.next_pulse());
  create_actors(scenario.clients);
}

std::string World::run() {
  const MonoTime end = start_ + scenario_.duration;
  while (broken_.empty() && loop_.now() < end) turn();
  if (broken_.empty()) watched_.sweep();
  if (broken_.empty()) watched_.shut_down(now_);
  settle();
  return broken_;
}

Settings World::draw_settings(Random& random, const Scenario& scenario) {
  constexpr std::array<std::int64_t, 5> kTicks{200, 1000, 2000, 5000, 10'000};
  const std::size_t clients = scenario.clients;
  Settings settings;
  Millis tick{kTicks.at(static_cast<std::size_t>(random.between(0, 4)))};
  for (const ClientKind& kind : scenario.kinds) tick = std::min(tick, kind.interval);
  settings.rule = draw_rule(random, tick);
  settings.brake = draw_brake(random, settings.rule);
  settings.bounds = draw_bounds(random, settings.rule);
  draw_terms(random, settings.bounds, settings.rule, settings.rule.tick / 2);
  settings.groups = scenario.kinds.empty() ? draw_groups(random, settings.rule.tick / 2)
                                           : draw_groups(random, scenario.kinds);
  settings.newcomers_max = 0;  // the oracle knows the plain bound
  // In one run of four not all find room.
  settings.clients_max = random.chance(1, 4) ? std::max<std::size_t>(1, clients * 3 / 4) : clients;
  // No client is forgotten: in which order two closes of one instant are forgotten is not defined.  At most
  // one new name in a minute came of a client, in the mean, in 200 seeds.
  const auto half_minutes = static_cast<std::size_t>(scenario.duration / Millis{30'000});
  settings.remember = random.chance(1, 4) ? 0 : clients * (2 + half_minutes);
  return settings;
}

// In one run of two a slice is so small that most orders take several.
SliceSize World::draw_slice(Random& random) {
  if (random.chance(1, 2)) return {};
  return {.clients = static_cast<std::size_t>(random.between(1, 30)),
          .events = static_cast<std::size_t>(random.between(1, 30))};
}

// Of ten clients six are like any, one is faithful, and the others have worse and worse networks.
void World::create_actors(std::size_t count) {
  const Millis tick = watched_.settings().rule.tick;
  actors_.resize(count);
  for (std::uint32_t index = 0; index < count; ++index) {
    Actor& actor = actors_[index];
    const std::int64_t manner = random_.between(0, 9);
    actor.faithful = manner == 0;
    actor.interval = actor.faithful ? tick_min_ / 2 : tick * random_.between(1, 12) / 8;
    actor.loss = manner < 7 ? 0 : static_cast<std::uint16_t>(random_.between(1, 9) * 100);
    const std::int64_t delay_max = (actor.faithful ? tick_min_ / 4 : tick * random_.between(0, 3)).count();
    actor.delay_max = static_cast<std::uint16_t>(std::min<std::int64_t>(delay_max, 30'000));
    actor.asks = random_.chance(1, 8);
    actor.acks = random_.chance(1, 16);
    if (random_.chance(1, 8)) actor.group = "named";
    // A faithful one declares no interval that is shorter than its own.
    if (random_.chance(1, 4)) actor.declares = tick_min_ * random_.between(1, 30);
    if (random_.chance(7, 10)) actor.id = "c" + std::to_string(index);
    // One in a hundred has the id of the one before it, and they fight.
    if (index > 0 && !actor.faithful && !actors_[index - 1].faithful && random_.chance(1, 100)) {
      actor.id = actors_[index - 1].id;
    }
    // As many as of each kind are of none.
    const auto& kinds = scenario_.kinds;
    const auto kind_of =
        kinds.empty() ? std::size_t{0} : static_cast<std::size_t>(random_.between(0, std::ssize(kinds)));
    if (kind_of < kinds.size()) create_of_kind(index, kinds[kind_of]);
    plan(index, Millis{random_.between(0, tick.count())});
  }
}

// As any other, in the rhythm of its kind.  One in three has the id of an earlier one, of any kind, and they
// fight.
void World::create_of_kind(std::uint32_t index, const ClientKind& kind) {
  Actor& actor = actors_[index];
  actor.group = kind.group;
  actor.tick = kind.interval;
  actor.interval = actor.faithful ? kind.interval / 4 : kind.interval * random_.between(1, 12) / 8;
  if (actor.declares > Millis{0}) actor.declares = kind.interval * random_.between(2, 8) / 4;
  const Actor& earlier = actors_[index / 2];
  if (!actor.faithful && !earlier.faithful && random_.chance(1, 3)) actor.id = earlier.id;
}

const Rule& World::rule_for(const Actor& actor) const {
  const Settings& settings = watched_.settings();
  const Group* const group = settings.groups.find(settings.groups.number_of(actor.group));
  return group == nullptr ? settings.rule : group->rule;
}

// --- the daemon -----------------------------------------------------------------------------------------

void World::turn() {
  ++happened_.turns;
  const bool hears = poll();
  woke();
  if (hears) read_arrivals();
  // What operators and networks do may come before the clients that are due are judged, or after.
  const bool misfortune_first = random_.chance(1, 2);
  if (misfortune_first) maybe_misfortune();
  static_cast<void>(turn_.take_pulse());
  if (turn_.polled()) judge();
  if (!misfortune_first) maybe_misfortune();
  maybe_sweep();
  maybe_restart();
  loop_.pass(Millis{random_.between(0, 2)});
  loop_.wake_at(turn_.next_poll(watched_.monitor().next_deadline()));
  rest();
}

// Returns whether it reads what has arrived.  One poll in a hundred is interrupted.  Once in two thousand
// polls the daemon is stopped, for up to ten times the whole window; the signal that continues it interrupts
// the poll.
bool World::poll() {
  const bool stops = random_.chance(1, 2000);
  const bool interrupted = stops ? random_.chance(1, 2) : random_.chance(1, 100);
  const MonoTime readable = steps_.empty() ? MonoTime::never() : steps_.top().at;
  const Millis at_most = interrupted ? Millis{random_.between(0, 50)} : limits::kPulse;
  if (loop_.poll(readable, at_most) > Millis{0}) slept_until_ = now_ + (loop_.now() - woken_at_);
  if (stops) {
    const Rule& rule = watched_.settings().rule;
    const std::int64_t window = rule.tick.count() * rule.threshold * rule.cursor;
    loop_.stop_for(Millis{random_.between(1, random_.chance(1, 4) ? window * 10 : window)});
  }
  return !interrupted;
}

void World::woke() {
  const Millis gap = loop_.now() - woken_at_;
  woken_at_ += gap;
  const auto stall = turn_.woke(loop_.now());
  now_ = turn_.now();
  if (stall) {
    ++happened_.stalls;
    watched_.stalled(*stall, now_);
    settle();
  }
  // What counts as listening: a second at the most, or a tick where that is shorter.
  counted_ += std::min({gap, Millis{1000}, watched_.settings().finest_rule().tick});
  hold(turn_.settled_now() == counted_,
       "the listening clock counts a pause of the daemon's own as a second at the most");
}

void World::judge() {
  now_ = turn_.now();
  watched_.advance(now_);
  settle();
}

void World::rest() {
  if (!turn_.may_rest()) return;
  loop_.wake_at(turn_.next_poll(watched_.next_change(now_ + rest_)));
  const auto length = std::chrono::floor<Millis>(Turn::rest(rest_, loop_.next_sleep()));
  if (length <= Millis{0}) return;
  loop_.pass(length);
  slept_until_ = now_ + (loop_.now() - woken_at_) + length;
}

void World::read_arrivals() {
  while (!steps_.empty() && steps_.top().at <= loop_.now() && broken_.empty()) {
    const Step due = steps_.top();
    steps_.pop();
    if (actors_[due.actor].call != due.call) continue;
    step(due.actor);
  }
}

void World::maybe_misfortune() {
  if (random_.chance(1, 5000)) storm();
  if (random_.chance(1, 10'000)) outage();
  if (watched_.oracle().brake_holds() && random_.chance(1, 300)) end_brake();
  if (random_.chance(1, 3000)) reload();
  if (random_.chance(1, 500)) kick();
  if (random_.chance(1, 2000)) hold_some();
}

// The network breaks for many at once, and they all come back within two seconds.
void World::storm() {
  ++happened_.storms;
  const auto share = static_cast<std::uint64_t>(random_.between(3, 10));
  for (std::uint32_t index = 0; index < actors_.size(); ++index) {
    if (!actors_[index].connected || !random_.chance(share, 10)) continue;
    disconnect(actors_[index], Reason::Reset);
    plan(index, Millis{random_.between(0, 2000)});
  }
}

// A switch fails: most fall silent at one moment, and stay connected.
void World::outage() {
  ++happened_.outages;
  const auto share = static_cast<std::uint64_t>(random_.between(5, 10));
  const Millis length = silence_length(watched_.settings().rule);
  for (std::uint32_t index = 0; index < actors_.size(); ++index) {
    Actor& actor = actors_[index];
    if (!actor.connected || actor.faithful || !random_.chance(share, 10)) continue;
    plan(index, actor.tick > Millis{0} ? silence_length(rule_for(actor)) : length);
  }
}

void World::end_brake() {
  watched_.end_brake(random_.chance(1, 2) ? BrakeEnd::Confirmed : BrakeEnd::Released, now_);
  settle();
}

// The file says something else: half or twice the tick, and any counts.
void World::reload() {
  ++happened_.reloads;
  constexpr std::array kHalves{1, 2, 4};
  Settings settings = watched_.settings();
  const auto halves = kHalves.at(static_cast<std::size_t>(random_.between(0, 2)));
  if (random_.chance(3, 4)) settings.rule = draw_rule(random_, tick_min_ * halves);
  if (random_.chance(1, 2)) settings.brake = draw_brake(random_, settings.rule);
  if (random_.chance(1, 2)) settings.bounds = draw_bounds(random_, settings.rule);
  draw_terms(random_, settings.bounds, settings.rule, tick_min_);
  if (settings.bounds.interval_max > settings.rule.leave_timeout) settings.bounds.interval_max = Millis{0};
  if (!scenario_.kinds.empty()) {
    if (random_.chance(1, 2)) settings.groups = redraw_group(random_, scenario_.kinds, settings.groups);
  } else if (random_.chance(1, 2)) {
    settings.groups = draw_groups(random_, tick_min_);
  }
  watched_.change_settings(settings, now_);
  turn_.set_rule(settings.finest_rule());
  settle();
}

// An operator works on some clients, for a moment or for longer than a leave lasts; or is done with it.
void World::hold_some() {
  ++happened_.holds;
  const std::string pattern = "c*" + std::to_string(random_.between(0, 9));
  if (random_.chance(1, 3)) {
    watched_.release(pattern, now_);
  } else {
    const Actor& any = actors_[static_cast<std::size_t>(random_.between(0, std::ssize(actors_) - 1))];
    const Rule& rule = rule_for(any);
    watched_.place_hold(pattern,
                        Millis{random_.between(1, 2 * (rule.leave_timeout + 10 * rule.tick).count())}, now_);
  }
  settle();
}

void World::kick() {
  ++happened_.kicks;
  const auto index = static_cast<std::size_t>(random_.between(0, std::ssize(actors_) - 1));
  const Actor& actor = actors_[index];
  const Client* const client = actor.connected ? watched_.monitor().clients().find(actor.conn) : nullptr;
  watched_.kick(client != nullptr ? name_of(*client) : "nobody", "maintenance", now_);
  settle();
}

// Each turn where there are few clients; where there are many as often as costs about as much as the rest.
void World::maybe_sweep() {
  looked_at_ += 100;
  if (looked_at_ < actors_.size() * 20) return;
  looked_at_ = 0;
  ++happened_.sweeps;
  watched_.sweep();
  settle();
}

// Once in a thousand turns the daemon is replaced by a new one, which is back within a quarter of a second or
// within up to twice what counts as listening; the clients go on meanwhile.
void World::maybe_restart() {
  if (!random_.chance(1, 1000)) return;
  const Turn::State before = watched_.restart(turn_.state());
  const Rule rule = watched_.settings().finest_rule();
  loop_.stop_for(Millis{random_.between(0, random_.chance(1, 2) ? 250 : 2 * stall_limit(rule).count())});
  turn_ = Turn{rule, before, loop_.now()};
}

// --- the clients ----------------------------------------------------------------------------------------

void World::step(std::uint32_t index) {
  ++looked_at_;
  Actor& actor = actors_[index];
  actor.connected ? act(index) : connect(index);
  settle();
}

void World::connect(std::uint32_t index) {
  Actor& actor = actors_[index];
  const auto conn = watched_.open(peer_of(index, ++actor.connections), now_);
  if (!conn) return plan(index, Millis{random_.between(1000, 60'000)});
  if (conn->slot >= actor_by_slot_.size()) actor_by_slot_.resize(conn->slot + 1, kNobody);
  actor_by_slot_[conn->slot] = index;
  actor.conn = *conn;
  actor.connected = true;
  settle();
  // Most speak at once.
  if (random_.chance(9, 10) || actor.faithful) beat(actor, Status::Alive);
  plan(index, actor.interval);
}

// What a client does next that is connected.
void World::act(std::uint32_t index) {
  Actor& actor = actors_[index];
  Millis later = actor.interval;
  const std::int64_t mood = actor.faithful ? 9999 : random_.between(0, 9999);
  if (mood < 4) {
    beat(actor, Status::Close);
  } else if (mood < 10) {
    disconnect(actor, mood < 7 ? Reason::PeerClosed : Reason::Reset);
  } else if (mood < 15) {
    send_nonsense(actor);
  } else if (mood < 30) {
    beat(actor, Status::Leave);
    later = silence_length(rule_for(actor));
  } else if (mood < 38) {
    later = silence_length(rule_for(actor));
    beat(actor, Status::Alive, later);
  } else if (mood < 60) {
    later = silence_length(rule_for(actor));
  } else if (mood < 160) {
    send_half(actor);
    later = later / 4;
  } else if (!random_.chance(actor.loss, 1000)) {
    beat(actor, Status::Alive);
  }
  plan(index, later);
}

void World::beat(Actor& actor, Status declared, Millis quiet) {
  Heartbeat heartbeat{.ip = "10.0.0.1",
                      .status = declared,
                      .id = actor.id,
                      .pid = 26464,
                      .seq = actor.call,
                      .ack = actor.acks,
                      .notify = actor.asks};
  heartbeat.group = actor.group;
  if (actor.declares > Millis{0} && !actor.faithful && random_.chance(1, 50)) {
    const Millis drawn =
        actor.tick > Millis{0} ? actor.tick * random_.between(2, 8) / 4 : tick_min_ * random_.between(1, 30);
    actor.declares = random_.chance(1, 4) ? Millis{0} : drawn;
    heartbeat.interval_ms = 0;
  }
  if (actor.declares > Millis{0}) heartbeat.interval_ms = static_cast<std::uint32_t>(actor.declares.count());
  if (quiet > Millis{0}) {
    heartbeat.quiet_ms = static_cast<std::uint32_t>(std::min(quiet, limits::kQuietMax).count());
  }
  if (!in_frame(actor)) return watched_.beat(actor.conn, heartbeat, now_);
  watched_.receive(actor.conn, std::string{"\"alive\"}"}, now_);
}

// A frame that the next heartbeat is the rest of.
void World::send_half(Actor& actor) {
  if (in_frame(actor)) return;
  std::string frame;
  append_frame(frame, R"({"ip":"10.0.0.1","status":"alive"})");
  watched_.receive(actor.conn, std::string_view{frame}.substr(0, frame.size() - 8), now_);
  if (random_.chance(1, 10)) watched_.restart();
}

void World::send_nonsense(Actor& actor) {
  constexpr std::array<std::string_view, 3> kNonsense{
      {{"\0\0\0\0", 4}, {"\0\0\0\2[]", 6}, {"\377\1\2\3", 4}}};
  watched_.receive(actor.conn, kNonsense.at(static_cast<std::size_t>(random_.between(0, 2))), now_);
}

// Whether a frame is unfinished.
bool World::in_frame(const Actor& actor) const {
  const Oracle::Client* const client = watched_.oracle().find(actor.conn);
  return client != nullptr && !client->unread.empty();
}

void World::disconnect(Actor& actor, Reason reason) {
  watched_.disconnect(actor.conn, reason, now_);
  settle();
}

// Anything from a missed tick to well beyond the close.
Millis World::silence_length(const Rule& rule) {
  const Millis whole = rule.tick * rule.threshold * rule.cursor + rule.leave_timeout;
  return random_.chance(1, 2) ? Millis{random_.between(1, whole.count() * 3 / 2)}
                              : rule.tick * random_.between(1, 20);
}

// The network adds its delay, and keeps the order of what one client sends.
void World::plan(std::uint32_t index, Millis later) {
  Actor& actor = actors_[index];
  const MonoTime at = loop_.now() + later + Millis{random_.between(0, actor.delay_max)};
  steps_.push({at, ++steps_planned_, index, ++actor.call});
}

// --- what came of it --------------------------------------------------------------------------------------

void World::settle() {
  for (const Event& event : watched_.last_events()) note_event(event);
  happened_.brakes = watched_.oracle().times_braked();
  for (const ConnId conn : watched_.last_closed()) {
    const std::uint32_t index = actor_by_slot_[conn.slot];
    if (index == kNobody || actors_[index].conn != conn) continue;
    Actor& actor = actors_[index];
    actor.connected = false;
    // It learns of it, and comes back after a while; at times a long one.
    plan(index, random_.chance(9, 10) ? Millis{random_.between(1, 30'000)} : silence_length(rule_for(actor)));
  }
  maybe_restart_monitor();
  watched_.forget_last();
  if (broken_.empty()) broken_ = watched_.broken();
}

// At any moment; and more often right after what leaves the monitor with something unfinished or just moved.
void World::maybe_restart_monitor() {
  const auto& events = watched_.last_events();
  const bool moved = std::any_of(events.begin(), events.end(), [](const Event& event) {
    return event.kind == Event::Kind::TakenOver || event.kind == Event::Kind::Braked ||
           event.kind == Event::Kind::BrakeEnded;
  });
  if (moved ? random_.chance(1, 2) : random_.chance(1, 300)) watched_.restart();
  happened_.restarts = watched_.restarts();
}

void World::note_event(const Event& event) {
  if (event.number != 0) ++happened_.events;
  if (is_given_by_time(event)) {
    hold(event.at >= slept_until_,
         "no poll and no rest goes on beyond an instant at which a client is judged");
  }
  const bool silent = event.kind == Event::Kind::Struck ||
                      (event.kind == Event::Kind::Left && event.reason == Reason::Silent);
  if (!silent) return;
  const Oracle::Client* const client = watched_.oracle().find(event.conn);
  if (client == nullptr || client->life.rule().threshold < 3) return;
  const std::uint32_t index = actor_by_slot_[event.conn.slot];
  // An open may first report the verdict on another client, whose slot the new connection then took.
  if (index == kNobody || actors_[index].conn != event.conn) return;
  hold(!actors_[index].faithful,
       "a client that beats in time is never taken for silent, however long the daemon was stopped");
}

}  // namespace heartbeat::sim
