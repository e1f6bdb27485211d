// Ids that programs at two nodes take from each other for as long as it lasts.
//
// That an id comes to another node once is a client that moved.  From the third time on, none more than ten
// minutes after the one before, it is a fight: two programs have one id, and each closes the other's
// connection for ever.  A fight is reported at its beginning and at its end, and the lease names it with both
// nodes.
//
// Bounded: kFollowedMax ids are followed at once; one more takes the place of the one that was quiet longest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/mono_time.h"

namespace heartbeat::relay {

class Fights {
 public:
  static constexpr std::uint64_t kTimes = 3;  // that an id was taken
  static constexpr Millis kQuiet{10LL * 60 * 1000};
  static constexpr std::size_t kFollowedMax = 256;

  struct Fight {
    std::string client{};
    std::string other{};  // the node that took it last
    std::string peer{};   // of the connection that was closed for it last
    std::uint64_t count = 0;
    MonoTime began{};
    MonoTime latest{};
    std::uint64_t began_ms = 0;  // the same as `began` on the wall clock, since 1970
  };

  // The id came to the other node, and the connection from `peer` is closed here for it.  That connection
  // counts once, however often the order for it comes.  Returns whether a fight begins.
  struct Taken {
    std::string client;
    std::string peer;
    std::string other;
  };
  bool taken(const Taken& taken, MonoTime now, std::uint64_t wall_ms);

  // The fights that have ended by now; ids that were quiet for as long are forgotten.
  [[nodiscard]] std::vector<Fight> take_ended(MonoTime now);

  // Those that last, by id.
  [[nodiscard]] std::vector<Fight> lasting() const;
  [[nodiscard]] const Fight* find(const std::string& client) const;

 private:
  void make_room();

  std::map<std::string, Fight> followed_;
};

}  // namespace heartbeat::relay
