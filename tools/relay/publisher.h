// Publishes the clients of one daemon to the fleet: rows, records and claims, exactly once and in order.
//
// Knows no socket, clock or Redis.  The caller passes what the daemon reports and what the engine answers,
// and calls go_on() after each; orders to the daemon are taken from take_orders().
//
// Records are numbered here, 1, 2, 3 … in each incarnation, and the engine refuses a number that is not above
// the newest: so a record that is sent twice is stored once.  The newest `records_max` records are kept, also
// after they were accepted.  Each new connection reads the top of the stream, and the top decides:
//
//   top of a higher incarnation   fenced: another relay has this node's name, and this one ends publishing
//   top of a lower one, or none   the rows are copied under a new key, then `begin`, then the records
//   top of ours                   the records behind it; where they are not kept any more, or are known to
//   have
//                                 a hole, the rows under a new key, then `gap`, then the records
//
// So a failover, a restart from an old dump and an empty engine are one case.  Nothing is published before
// the view is whole, and a row is written before its record, so rows are never behind the stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/mono_time.h"
#include "common/status.h"
#include "tools/relay/fleet_engine.h"
#include "tools/relay/position.h"
#include "tools/relay/record.h"

namespace heartbeat::relay {

inline constexpr std::size_t kRecordsMaxDefault = 65'536;  // about 7 MB

// A connected client as the daemon lists it.
struct ListedClient {
  std::string name{};
  bool has_id = false;
  std::string peer{};
  Status status = Status::Alive;
  std::uint64_t since = 0;      // in this status; this and the next in ms since 1970
  std::uint64_t connected = 0;  // its connection
};

// An event of the daemon that changes which clients there are.
struct DaemonEvent {
  Record::Kind kind{};
  std::string client{};
  std::string previous{};  // of Named
  std::string peer{};
  std::string reason{};
  std::string at{};          // as the daemon words it
  std::uint64_t at_ms = 0;   // the same in ms since 1970
  std::uint64_t number = 0;  // in the daemon's feed
};

// What the daemon must do, as the fleet decided it.
struct DaemonOrder {
  enum class Kind : std::uint8_t {
    Supersede,  // close the connection of `client` from `peer`, and no other: it has come to the node `by`
    Remember,   // the client was in leave at the node that it came from
    Kick,       // an operator closes it
    Drain,      // the daemon drains at `rate` clients a second; 0 ends its drain
  };
  Kind kind{};
  std::string client{};
  std::string peer{};
  std::string by{};
  std::uint64_t rate = 0;
};

class Publisher final : public EngineListener {
 public:
  enum class State : std::uint8_t {
    Away,        // there is no connection
    Attaching,   // the top has been asked for
    Attached,    // the top is known; the view may not be whole yet
    Copying,     // rows are being written
    Marking,     // `begin` or `gap` has been sent
    Publishing,  // records go out as they come
    Failed,      // see trouble(): the caller has to end the connection
    Fenced,      // for good
  };

  struct Options {
    std::string node{};
    std::size_t records_max = kRecordsMaxDefault;
  };

  struct Figures {
    std::uint64_t records = 0;  // made
    std::uint64_t begins = 0;   // copies that ended in `begin`, and in `gap`
    std::uint64_t gaps = 0;
    std::uint64_t superseded = 0;  // connections of ours that were superseded from elsewhere
  };

  Publisher(Options options, FleetEngine& engine);

  // --- from the daemon ---
  // A list of all clients follows.  `is_new_run`: of another run of the daemon than the one before; otherwise
  // events of this run were missed.
  void begin_view(bool is_new_run);
  void put(const ListedClient& listed);
  // The list was whole, and so were the events since it began.
  void end_view();
  [[nodiscard]] bool has_view() const { return has_view_; }
  // An event, in order: during a list, too, of which it may be part already.
  void apply(const DaemonEvent& event, MonoTime now);

  // --- from the connection to the engine ---
  void connected();
  void disconnected();
  // Sends what can be sent now.
  void go_on();
  // Keeps the lease.  Does nothing unless Publishing: a node that cannot publish should become unknown.
  void renew(std::string_view summary);
  // Looks at the orders of others, and at the owners of some clients (all within `looks` calls).
  void read_inbox();
  void sweep(std::size_t looks);

  [[nodiscard]] State state() const { return state_; }
  // Why the connection has to be ended, since connected().
  [[nodiscard]] const std::optional<EngineError>& trouble() const { return trouble_; }
  // Whether anything was accepted since connected(): this, and not the connection, resets a back-off.
  [[nodiscard]] bool was_accepted() const { return was_accepted_; }
  [[nodiscard]] std::vector<DaemonOrder> take_orders();

  // --- for the lease, the log and the figures ---
  // Every record up to here is in the stream.
  [[nodiscard]] Position watermark() const { return {incarnation_, accepted_}; }
  [[nodiscard]] std::uint64_t copied_from() const { return live_.from; }
  // How long the oldest record has waited that is not accepted; 0 without one.
  [[nodiscard]] Millis behind(MonoTime now) const;
  [[nodiscard]] std::size_t waiting() const { return static_cast<std::size_t>(sequence_ - accepted_); }
  [[nodiscard]] std::size_t kept() const { return ring_.size(); }
  [[nodiscard]] std::size_t clients() const { return clients_.size(); }
  [[nodiscard]] std::size_t clients_in_leave() const { return in_leave_; }
  [[nodiscard]] const Figures& figures() const { return figures_; }
  [[nodiscard]] std::optional<Row> row_of(const std::string& client) const;

  // --- the engine's answers ---
  void on_attached(const Result<Top>& top) override;
  void on_begun(const Result<void>& begun) override;
  void on_published(const Published& published) override;
  void on_renewed(const Result<Top>& top) override;
  void on_claimed(const Result<Claimed>& claimed) override;
  void on_inbox(const Result<Inbox>& inbox) override;

 private:
  struct Client {
    Row row{};
    std::uint64_t connected = 0;
    std::uint64_t claim = 0;  // the number by which this connection is claimed
    bool has_id = false;
  };
  struct Kept {
    Record record{};
    MonoTime made{};
  };
  // A publish() that is under way.
  struct Batch {
    std::uint64_t first = 0;  // number of the first record
    std::size_t records = 0;  // 0: rows of a copy
  };
  struct LastClosed {
    std::string client{};
    Client was{};
  };

  void set_status(Client& client, Status status);
  void remove(const std::string& name);
  void append(Record record, MonoTime now);
  void decide();
  void copy(bool is_gap);
  void copy_slice();
  void publish_slice();
  [[nodiscard]] std::vector<RowChange> rows_of(std::size_t begin, std::size_t count) const;
  void fence();
  void fail(const EngineError& error);
  void make_claim(Claim::Kind kind, const std::string& name, const Client& client);
  void settle(const Claimed& claimed);
  void obey(const Order& order);

  Options options_;
  FleetEngine& engine_;

  std::map<std::string, Client> clients_;
  std::size_t in_leave_ = 0;
  std::optional<LastClosed> last_closed_;  // a takeover goes on with the status of what it closed
  bool has_view_ = false;
  bool is_new_run_ = true;

  std::uint64_t incarnation_ = 0;  // 0: not elected
  bool is_elected_ = false;        // a `begin` of the incarnation was accepted
  std::uint64_t sequence_ = 0;     // of the newest record
  std::uint64_t sent_ = 0;
  std::uint64_t accepted_ = 0;
  std::deque<Kept> ring_;  // ends with sequence_
  // Events were missed, or a copy was begun whose mark is not known to be stored.
  bool needs_gap_ = false;

  State state_ = State::Away;
  Top top_{};
  Mark mark_{};         // that is being written
  Mark gap_{};          // the last gap of the incarnation
  Copy live_{};         // the rows that the stream goes on from
  std::string copied_;  // the last name that was copied
  bool copied_all_ = false;
  std::deque<Batch> under_way_;
  std::size_t records_under_way_ = 0;
  std::size_t claims_under_way_ = 0;
  std::set<std::string> unanswered_claims_;  // of kind Join; at most as many as may be under way
  bool inbox_under_way_ = false;
  std::string inbox_place_;
  std::string swept_;  // the last name that was looked at
  std::optional<EngineError> trouble_;
  bool was_accepted_ = false;
  std::vector<DaemonOrder> orders_;
  Figures figures_;
};

[[nodiscard]] std::string_view to_string(Publisher::State state);

}  // namespace heartbeat::relay
