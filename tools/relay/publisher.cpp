#include "tools/relay/publisher.h"

#include <algorithm>
#include <utility>

namespace heartbeat::relay {
namespace {

// A slice is small enough for one turn of the loop, and for the engine's other users to come between two.
constexpr std::size_t kRowsPerSlice = 64;
constexpr std::size_t kRecordsPerSlice = 64;
constexpr std::size_t kSlicesUnderWayMax = 8;
constexpr std::size_t kClaimsUnderWayMax = 1024;

bool joins(Record::Kind kind) {
  return kind == Record::Kind::Joined || kind == Record::Kind::Named || kind == Record::Kind::Takeover;
}

}  // namespace

std::string_view to_string(Publisher::State state) {
  switch (state) {
    case Publisher::State::Away: return "away";
    case Publisher::State::Attaching: return "attaching";
    case Publisher::State::Attached: return "attached";
    case Publisher::State::Copying: return "copying";
    case Publisher::State::Marking: return "marking";
    case Publisher::State::Publishing: return "publishing";
    case Publisher::State::Failed: return "failed";
    case Publisher::State::Fenced: return "fenced";
  }
  return {};
}

Publisher::Publisher(Options options, FleetEngine& engine) : options_(std::move(options)), engine_(engine) {}

// --- from the daemon --------------------------------------------------------------------------------------

void Publisher::begin_view(bool is_new_run) {
  has_view_ = false;
  is_new_run_ = is_new_run_ || is_new_run;
  clients_.clear();
  in_leave_ = 0;
  last_closed_.reset();
}

void Publisher::put(const ListedClient& listed) {
  Client& client = clients_[listed.name];
  if (client.row.status == Status::Leave) --in_leave_;
  client = {.row = {.sequence = is_new_run_ ? 0 : sequence_,
                    .status = listed.status,
                    .since = listed.since,
                    .peer = listed.peer},
            .connected = listed.connected,
            .has_id = listed.has_id};
  if (listed.status == Status::Leave) ++in_leave_;
}

void Publisher::end_view() {
  has_view_ = true;
  if (std::exchange(is_new_run_, false)) {
    incarnation_ = 0;
    is_elected_ = false;
    sequence_ = sent_ = accepted_ = 0;
    ring_.clear();
    needs_gap_ = false;
    live_ = {};
    gap_ = {};
    unanswered_claims_.clear();
    inbox_place_.clear();
    for (auto& [name, client] : clients_) client.row.sequence = client.claim = 0;
  } else {
    needs_gap_ = true;
  }
  // What is under way belongs to the view before; the top shows how far it came.
  if (state_ == State::Copying || state_ == State::Marking || state_ == State::Publishing) {
    fail({.kind = EngineError::Kind::Later, .text = "the list of clients was read anew"});
  }
}

void Publisher::apply(const DaemonEvent& event, MonoTime now) {
  const auto found = clients_.find(event.client);
  const bool is_known = found != clients_.end();
  Record record{.kind = event.kind,
                .client = event.client,
                .previous = event.previous,
                .peer = event.peer,
                .reason = event.reason,
                .at = event.at,
                .feed = event.number,
                .since = event.at_ms};
  switch (event.kind) {
    case Record::Kind::Close: {
      // The end of an earlier connection of the same id, whose successor is listed already.
      if (!is_known || found->second.row.peer != event.peer) return;
      last_closed_ = LastClosed{event.client, found->second};
      remove(event.client);
      append(std::move(record), now);
      return;
    }
    case Record::Kind::Leave:
    case Record::Kind::Return: {
      if (!is_known) return;
      const Status status = event.kind == Record::Kind::Leave ? Status::Leave : Status::Alive;
      set_status(found->second, status);
      found->second.row.since = event.at_ms;
      append(std::move(record), now);
      found->second.row.sequence = sequence_;
      return;
    }
    case Record::Kind::Joined:
    case Record::Kind::Named:
    case Record::Kind::Takeover: break;
  }
  Client client{.row = {.since = event.at_ms, .peer = event.peer},
                .connected = event.at_ms,
                .has_id = event.client != event.peer};
  if (event.kind == Record::Kind::Named) {
    if (const auto previous = clients_.find(event.previous); previous != clients_.end()) {
      client.row.status = previous->second.row.status;
      client.row.since = previous->second.row.since;
      client.connected = previous->second.connected;
      remove(event.previous);
    }
  }
  if (event.kind == Record::Kind::Takeover && last_closed_ && last_closed_->client == event.client) {
    client.row.status = last_closed_->was.row.status;
    client.row.since = last_closed_->was.row.since;
  }
  remove(event.client);
  if (client.row.status == Status::Leave) ++in_leave_;
  append(std::move(record), now);
  client.row.sequence = client.claim = sequence_;
  clients_[event.client] = std::move(client);
}

void Publisher::set_status(Client& client, Status status) {
  if (client.row.status == Status::Leave) --in_leave_;
  client.row.status = status;
  if (status == Status::Leave) ++in_leave_;
}

void Publisher::remove(const std::string& name) {
  const auto found = clients_.find(name);
  if (found == clients_.end()) return;
  if (found->second.row.status == Status::Leave) --in_leave_;
  clients_.erase(found);
}

// While the list is not whole, its end begins what is published anew.
void Publisher::append(Record record, MonoTime now) {
  if (!has_view_) return;
  record.sequence = ++sequence_;
  ++figures_.records;
  ring_.push_back({std::move(record), now});
  if (ring_.size() > options_.records_max) ring_.pop_front();
}

// --- the connection ---------------------------------------------------------------------------------------

void Publisher::connected() {
  if (state_ == State::Fenced) return;
  trouble_.reset();
  was_accepted_ = false;
  state_ = State::Attaching;
  // What was under way shows in the stream: a record may have been refused, and one behind it stored.
  engine_.attach(static_cast<std::size_t>(sent_ - accepted_) + 1);
}

void Publisher::disconnected() {
  under_way_.clear();
  records_under_way_ = claims_under_way_ = 0;
  inbox_under_way_ = false;
  if (state_ != State::Fenced) state_ = State::Away;
  // Whether our `begin` was stored is not known, and another relay may have drawn the same number.
  if (!is_elected_) incarnation_ = 0;
}

void Publisher::fence() {
  state_ = State::Fenced;
}

void Publisher::fail(const EngineError& error) {
  if (state_ == State::Fenced || state_ == State::Failed) return;
  state_ = State::Failed;
  trouble_ = error;
}

void Publisher::on_attached(const Result<Top>& top) {
  if (state_ != State::Attaching) return;
  if (!top) return fail(top.error());
  top_ = *top;
  state_ = State::Attached;
}

void Publisher::go_on() {
  // While a list is being read, the rows are not whole.
  if (!has_view_) return;
  if (state_ == State::Attached) decide();
  if (state_ == State::Copying) copy_slice();
  if (state_ == State::Publishing) publish_slice();
}

// The top of the stream decides how to go on; see the head of publisher.h.
void Publisher::decide() {
  const Position top = top_.at;
  if (incarnation_ == 0) {
    incarnation_ = std::max(top_.engine_ms, top.incarnation + 1);
    return copy(false);
  }
  if (top.incarnation > incarnation_) return fence();
  if (top.incarnation < incarnation_) return copy(false);
  const bool has_hole = top.sequence > accepted_ && top_.unbroken_from > accepted_ + 1;
  // The stream went back to before a gap, and has the hole that it named.
  const bool lost_gap = gap_.at.sequence > top.sequence && gap_.missing_from <= top.sequence;
  if (needs_gap_ || has_hole || lost_gap) {
    if (sequence_ <= top.sequence) {
      // The gap needs a number of its own; the records that are kept end before it.
      sequence_ = top.sequence + 1;
      ring_.clear();
    }
    return copy(true);
  }
  // A relay that drew the same number as this one.
  if (top.sequence > sequence_) return fence();
  const std::uint64_t oldest = sequence_ - ring_.size() + 1;
  // Records that were stored, but not answered, may have had their rows refused: these are written again.
  const std::uint64_t first = std::min(accepted_, top.sequence) + 1;
  if (first < oldest) return copy(true);
  sent_ = top.sequence;
  state_ = State::Publishing;
  accepted_ = first - 1;
  if (first <= top.sequence) {
    const auto begin = static_cast<std::size_t>(first - oldest);
    const auto count = static_cast<std::size_t>(top.sequence + 1 - first);
    under_way_.push_back({first, count});
    engine_.publish(live_, rows_of(begin, count), {});
  }
  // Claims without an answer are made again.
  for (const std::string& id : std::exchange(unanswered_claims_, {})) {
    const auto found = clients_.find(id);
    if (found != clients_.end() && found->second.has_id) make_claim(Claim::Kind::Join, id, found->second);
  }
}

// --- rows -------------------------------------------------------------------------------------------------

void Publisher::copy(bool is_gap) {
  mark_ = {.is_gap = is_gap,
           .at = {incarnation_, sequence_},
           .copy = {incarnation_, sequence_},
           .missing_from = is_gap ? std::min(accepted_, top_.at.sequence) + 1 : 0};
  if (is_gap && gap_.at.sequence > top_.at.sequence)
    mark_.missing_from = std::min(mark_.missing_from, gap_.missing_from);
  if (live_.incarnation != 0 && !(live_ == mark_.copy)) mark_.old = live_;
  copied_.clear();
  copied_all_ = false;
  needs_gap_ = true;
  state_ = State::Copying;
}

// Clients that come during the copy have a record behind it, and need no place in it.
void Publisher::copy_slice() {
  while (!copied_all_ && under_way_.size() < kSlicesUnderWayMax && claims_under_way_ < kClaimsUnderWayMax) {
    std::vector<RowChange> rows;
    auto next = copied_.empty() ? clients_.begin() : clients_.upper_bound(copied_);
    for (; next != clients_.end() && rows.size() < kRowsPerSlice; ++next) {
      rows.push_back({next->first, next->second.row});
      copied_ = next->first;
    }
    copied_all_ = next == clients_.end();
    if (rows.empty()) break;
    under_way_.push_back({});
    engine_.publish(mark_.copy, rows, {});
    for (const RowChange& row : rows) {
      Client& client = clients_.find(row.client)->second;
      if (!client.has_id) continue;
      if (client.claim == 0) client.claim = mark_.at.sequence;
      make_claim(Claim::Kind::Copy, row.client, client);
    }
  }
  if (!copied_all_ || !under_way_.empty()) return;
  state_ = State::Marking;
  engine_.begin(mark_);
}

void Publisher::on_begun(const Result<void>& begun) {
  if (state_ != State::Marking) return;
  if (!begun) {
    const bool is_empty = top_.at.incarnation == 0;
    const bool is_refused = begun.error().kind == EngineError::Kind::NotAbove;
    // Another relay was elected meanwhile; or the stream was emptied, and its newest number cannot be read.
    if (is_refused && (!is_elected_ || is_empty)) {
      is_elected_ = false;
      incarnation_ = 0;
      live_ = {};
    }
    return fail(begun.error());
  }
  ++(mark_.is_gap ? figures_.gaps : figures_.begins);
  is_elected_ = was_accepted_ = true;
  live_ = mark_.copy;
  if (mark_.is_gap) gap_ = mark_;
  sent_ = accepted_ = mark_.at.sequence;
  while (!ring_.empty() && ring_.front().record.sequence <= accepted_) ring_.pop_front();
  needs_gap_ = false;
  if (inbox_place_.empty()) inbox_place_ = std::to_string(incarnation_) + "-0";
  state_ = State::Publishing;
}

// --- records ----------------------------------------------------------------------------------------------

void Publisher::publish_slice() {
  while (sent_ < sequence_ && under_way_.size() < kSlicesUnderWayMax &&
         claims_under_way_ < kClaimsUnderWayMax) {
    const std::uint64_t oldest = sequence_ - ring_.size() + 1;
    if (sent_ + 1 < oldest) {
      // More came than is kept.  What is under way is refused or accepted before the gap, which is above it.
      top_.at = {incarnation_, accepted_};
      return under_way_.empty() ? copy(true) : void();
    }
    const auto begin = static_cast<std::size_t>(sent_ + 1 - oldest);
    const std::size_t count = std::min(kRecordsPerSlice, ring_.size() - begin);
    std::vector<Record> records;
    for (std::size_t at = begin; at < begin + count; ++at) records.push_back(ring_[at].record);
    under_way_.push_back({sent_ + 1, count});
    sent_ += count;
    engine_.publish(live_, rows_of(begin, count), records);
    for (const Record& record : records) {
      if (!joins(record.kind)) continue;
      const auto found = clients_.find(record.client);
      // Not of one that has gone since, or come anew: that one is claimed by its own record.
      if (found == clients_.end() || !found->second.has_id || found->second.claim != record.sequence)
        continue;
      make_claim(Claim::Kind::Join, record.client, found->second);
    }
  }
}

// The clients of these records as they are now.
std::vector<RowChange> Publisher::rows_of(std::size_t begin, std::size_t count) const {
  std::vector<RowChange> rows;
  for (std::size_t at = begin; at < begin + count; ++at) {
    const Record& record = ring_[at].record;
    if (!record.previous.empty()) rows.push_back({record.previous, row_of(record.previous)});
    rows.push_back({record.client, row_of(record.client)});
  }
  return rows;
}

void Publisher::on_published(const Published& published) {
  if (under_way_.empty()) return;
  const Batch batch = under_way_.front();
  under_way_.pop_front();
  if (published.error) return fail(*published.error);
  if (state_ == State::Failed || state_ == State::Fenced) return;
  was_accepted_ = true;
  if (batch.records > 0) accepted_ = batch.first + batch.records - 1;
}

std::optional<Row> Publisher::row_of(const std::string& client) const {
  const auto found = clients_.find(client);
  return found == clients_.end() ? std::nullopt : std::optional{found->second.row};
}

Millis Publisher::behind(MonoTime now) const {
  if (accepted_ >= sequence_ || ring_.empty()) return Millis{0};
  const std::uint64_t oldest = sequence_ - ring_.size() + 1;
  const std::uint64_t waiting = std::max(accepted_ + 1, oldest);
  return now - ring_[static_cast<std::size_t>(waiting - oldest)].made;
}

// --- lease, owners, inbox ---------------------------------------------------------------------------------

void Publisher::renew(std::string_view summary) {
  if (state_ == State::Publishing && has_view_) engine_.renew(live_, summary);
}

void Publisher::on_renewed(const Result<Top>& top) {
  if (state_ == State::Failed || state_ == State::Fenced) return;
  if (!top) return fail(top.error());
  if (top->at.incarnation > incarnation_) return fence();
  if (state_ != State::Publishing) return;
  // The engine has forgotten what it had accepted: another took its place, or it was emptied.
  if (top->at < Position{incarnation_, accepted_}) {
    fail({.kind = EngineError::Kind::Later,
          .text = "the stream ends at " + to_string(top->at) + ", before what was accepted"});
  }
}

void Publisher::make_claim(Claim::Kind kind, const std::string& name, const Client& client) {
  ++claims_under_way_;
  if (kind == Claim::Kind::Join) unanswered_claims_.insert(name);
  engine_.claim(
      {.kind = kind,
       .client = name,
       .mine = {.node = options_.node, .at = {incarnation_, client.claim}, .since = client.connected}});
}

void Publisher::sweep(std::size_t looks) {
  if (state_ != State::Publishing || clients_.empty()) return;
  const std::size_t count =
      std::min(clients_.size() / std::max<std::size_t>(looks, 1) + 1, kClaimsUnderWayMax / 2);
  auto next = clients_.upper_bound(swept_);
  for (std::size_t each = 0; each < count && claims_under_way_ < kClaimsUnderWayMax; ++each, ++next) {
    if (next == clients_.end()) {
      swept_.clear();
      return;
    }
    swept_ = next->first;
    // A record that has not been sent yet brings its own claim.
    if (next->second.has_id && next->second.claim <= sent_)
      make_claim(Claim::Kind::Sweep, next->first, next->second);
  }
}

void Publisher::on_claimed(const Result<Claimed>& claimed) {
  if (claims_under_way_ > 0) --claims_under_way_;
  if (state_ == State::Fenced) return;
  if (!claimed) return fail(claimed.error());
  if (claimed->claim.kind == Claim::Kind::Join) unanswered_claims_.erase(claimed->claim.client);
  settle(*claimed);
}

void Publisher::settle(const Claimed& claimed) {
  const Claim& claim = claimed.claim;
  const auto found = clients_.find(claim.client);
  const bool is_the_same =
      found != clients_.end() && claim.mine.at == Position{incarnation_, found->second.claim};
  if (!is_the_same || !claimed.other) return;
  const Owner& other = *claimed.other;
  if (claim.kind == Claim::Kind::Join) {
    if (claimed.was_in_leave && other.node != options_.node) {
      orders_.push_back({.kind = DaemonOrder::Kind::Remember,
                         .client = claim.client,
                         .peer = found->second.row.peer,
                         .by = other.node});
    }
    return;
  }
  // Owners are lost with the engine's memory; then the later connection wins, and otherwise the later claim.
  const bool is_later = claim.kind == Claim::Kind::Copy && other.since <= claim.mine.since;
  if (other.node == options_.node || is_later) {
    return make_claim(Claim::Kind::Join, claim.client, found->second);
  }
  ++figures_.superseded;
  orders_.push_back({.kind = DaemonOrder::Kind::Supersede,
                     .client = claim.client,
                     .peer = found->second.row.peer,
                     .by = other.node});
}

void Publisher::read_inbox() {
  if (state_ != State::Publishing || inbox_under_way_) return;
  inbox_under_way_ = true;
  engine_.read_inbox(inbox_place_);
}

void Publisher::on_inbox(const Result<Inbox>& inbox) {
  inbox_under_way_ = false;
  if (state_ == State::Failed || state_ == State::Fenced) return;
  if (!inbox) return fail(inbox.error());
  if (!inbox->last.empty()) inbox_place_ = inbox->last;
  for (const Order& order : inbox->orders) obey(order);
}

void Publisher::obey(const Order& order) {
  const auto found = clients_.find(order.client);
  switch (order.kind) {
    case Order::Kind::Superseded:
      // The claim names one connection; a later one of the same id has another number.
      if (found == clients_.end() || order.claim != Position{incarnation_, found->second.claim}) return;
      ++figures_.superseded;
      orders_.push_back({.kind = DaemonOrder::Kind::Supersede,
                         .client = order.client,
                         .peer = found->second.row.peer,
                         .by = order.by});
      return;
    case Order::Kind::Kick:
      if (found == clients_.end()) return;
      orders_.push_back({.kind = DaemonOrder::Kind::Kick, .client = order.client, .by = order.by});
      return;
    case Order::Kind::Drain:
      orders_.push_back({.kind = DaemonOrder::Kind::Drain, .by = order.by, .rate = order.rate});
      return;
  }
}

std::vector<DaemonOrder> Publisher::take_orders() {
  return std::exchange(orders_, {});
}

}  // namespace heartbeat::relay
