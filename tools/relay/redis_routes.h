// Which server of a Cluster gets which command, so that many servers look like one: commands in, and their
// replies out in the order of the commands.
//
// A key's slot says where it lives.  The table of the slots is learned from the servers' own answers
// (`MOVED`): a command that came to a wrong server is sent to the right one.  All commands of a slot go one
// way: while one of them is under way to a server, the next one follows it there, so that none overtakes
// another when their slot moves.  Were it to move twice within one answer, a record might come too late; its
// stream refuses it then, and the publisher begins a copy.
//
// Knows no socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/relay/redis_protocol.h"

namespace heartbeat::relay {

// The slot of a key: of its hash tag, where it has one.
[[nodiscard]] std::uint16_t slot_of(std::string_view key);

// The server that a reply names, HOST:PORT, where it says that another one has the key; `answered` is the one
// that said so.
[[nodiscard]] std::optional<std::string> place_of_moved(const RedisReply& reply, const std::string& answered);

class RedisRoutes {
 public:
  // A command that is sent on more often than this gets its error: the servers disagree.
  static constexpr unsigned kMovesMax = 5;

  // `seed`: HOST:PORT of the server that gets the commands of which nothing is known yet.
  explicit RedisRoutes(std::string seed) : seed_(std::move(seed)) {}

  // Whole commands, one behind the other.
  void add(std::string_view commands);

  struct Outgoing {
    std::string where;
    std::string bytes;
  };
  // What must be sent now, in this order.
  [[nodiscard]] std::vector<Outgoing> take_outgoing();

  // The next reply of this server.  One that nothing is due of is ignored.
  void take(const std::string& where, const RedisReply& reply);
  // The reply to the earliest command that has none yet; nothing: it has not come.
  [[nodiscard]] std::optional<RedisReply> next();

  // Whether a reply of that server is due.
  [[nodiscard]] bool expects(const std::string& where) const;

 private:
  struct Command {
    std::string bytes;
    std::optional<std::uint16_t> slot;  // none: any server will do
    std::optional<RedisReply> reply{};
    unsigned moves = 0;
    bool is_on_its_way = false;  // among Way::under_way
  };
  struct Way {
    std::string where;                      // of the commands that are under way
    std::size_t under_way = 0;              // to there, without those that were sent on
    std::optional<std::string> moved_to{};  // of the commands after them
  };

  void send(std::uint64_t number);
  [[nodiscard]] const std::string& place_for(const Command& command);

  std::string seed_;
  std::map<std::uint16_t, Way> ways_;
  std::deque<Command> commands_;  // that have no reply, or wait for that of an earlier one
  std::uint64_t first_ = 0;       // the number of the first of these
  std::map<std::string, std::deque<std::uint64_t>> under_way_;  // by server, in order
  std::vector<Outgoing> outgoing_;
};

}  // namespace heartbeat::relay
