// What a relay needs of the engine that holds the fleet's view: six verbs.
//
// Each call ends in exactly one call of the listener, in the order of the calls, unless the connection ends
// first: then what is under way is lost, and may or may not have been done.  The top of the stream settles
// that, never a reply.  An engine carries its calls out in order, and refuses a position in a stream that is
// not above the newest one that the stream ever had.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "tools/relay/position.h"
#include "tools/relay/record.h"

namespace heartbeat::relay {

// Why an engine did not do what it was asked.
struct EngineError {
  enum class Kind : std::uint8_t {
    Later,     // it cannot at present: out of memory, loading, no master; the same call works after a while
    NotAbove,  // the position is not above the newest one of the stream
    Refused,   // an operator has to change something: a password, a right
    Moved,     // the server is one of many, and another has it
  };
  Kind kind = Kind::Later;
  std::string text{};  // the engine's own sentence
};

// The copy of a node's rows that its stream goes on from: `from` is the number at which the copy was begun.
struct Copy {
  std::uint64_t incarnation = 0;
  std::uint64_t from = 0;

  friend bool operator==(const Copy&, const Copy&) = default;
};

// One change of a row: of the client's present state, or none any more.
struct RowChange {
  std::string client{};
  std::optional<Row> row{};
};

// `begin` of an incarnation, or `gap` where records are missing: from here on the rows of `copy` count.
struct Mark {
  bool is_gap = false;
  Position at{};
  Copy copy{};
  std::uint64_t missing_from = 0;  // of a gap: the first number that no record has
  std::optional<Copy> old{};       // rows that are not needed any more
};

// The newest position of the node's stream, and the engine's clock.
struct Top {
  Position at{};
  // Of attach(): no number between this one and the newest is missing, as far back as was asked for.
  std::uint64_t unbroken_from = 0;
  std::uint64_t engine_ms = 0;  // since 1970
};

// How a publish() ended.
struct Published {
  std::size_t accepted = 0;  // records, from the first on; 0 where a row was refused
  std::optional<EngineError>
      error{};  // of the first row or record that was refused; later ones may be stored
};

struct Claim {
  enum class Kind : std::uint8_t {
    Join,   // the client has just come here: it is ours, and the node that had it gets an order
    Copy,   // the client was here before the copy that is being made: ours only where no node has it
    Sweep,  // the same for a client that was claimed before
  };
  Kind kind = Kind::Join;
  std::string client{};
  Owner mine{};
};

// How a claim ended.
struct Claimed {
  Claim claim{};
  std::optional<Owner> other{};  // Join: the owner until now.  Copy, Sweep: the owner, where it is not `mine`
  bool was_in_leave = false;     // Join: it was in leave there
};

struct Inbox {
  std::vector<Order> orders{};
  std::string last{};  // where to read on
};

class EngineListener {
 public:
  template <class T>
  using Result = tl::expected<T, EngineError>;

  EngineListener() = default;
  EngineListener(const EngineListener&) = delete;
  EngineListener& operator=(const EngineListener&) = delete;
  EngineListener(EngineListener&&) = delete;
  EngineListener& operator=(EngineListener&&) = delete;
  virtual ~EngineListener() = default;

  virtual void on_attached(const Result<Top>& top) = 0;
  virtual void on_begun(const Result<void>& begun) = 0;
  virtual void on_published(const Published& published) = 0;
  virtual void on_renewed(const Result<Top>& top) = 0;
  virtual void on_claimed(const Result<Claimed>& claimed) = 0;
  virtual void on_inbox(const Result<Inbox>& inbox) = 0;
};

class FleetEngine {
 public:
  FleetEngine() = default;
  FleetEngine(const FleetEngine&) = delete;
  FleetEngine& operator=(const FleetEngine&) = delete;
  FleetEngine(FleetEngine&&) = delete;
  FleetEngine& operator=(FleetEngine&&) = delete;
  virtual ~FleetEngine() = default;

  // Reads the top of the node's stream, with its newest `tail` positions; from 1 on.
  virtual void attach(std::size_t tail) = 0;
  // Writes a mark; the rows of its copy have been published.
  virtual void begin(const Mark& mark) = 0;
  // Writes the rows into the copy, and then the records.
  virtual void publish(const Copy& copy, std::span<const RowChange> rows,
                       std::span<const Record> records) = 0;
  // Keeps the lease of the incarnation with that summary, and the rows of the copy; and reads the top.
  virtual void renew(const Copy& copy, std::string_view summary) = 0;
  virtual void claim(const Claim& claim) = 0;
  // Reads the orders behind that place.
  virtual void read_inbox(std::string_view behind) = 0;
};

}  // namespace heartbeat::relay
