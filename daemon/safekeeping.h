// What the service manager keeps for the next process: the clients' sockets, the listening sockets, and a
// file with the state and the calls of the monitor since.
//
// It is kept up to date at the end of each turn of the loop, so that a process that is killed or crashes
// leaves all of it, too.  A planned restart leaves the same, with the state written last of all.
//
// Another file begins, with the state of now, when the log of the last one is nearly full, or lacks a call.
// As writing the state takes as long as looking at each client, a forked process writes it from its copy of
// the memory, while this one goes on; until it is written, both files are kept.  Sockets of connections that
// have ended stay in their bags; the bags are filled anew before these are many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <sys/types.h>

#include "common/mono_time.h"
#include "daemon/io/server.h"
#include "daemon/restart/handover.h"
#include "daemon/restart/socket_bag.h"
#include "daemon/restart/state_file.h"

namespace heartbeat {

class Safekeeping {
 public:
  // The state of now, and the listening sockets that it names, which stay their owners'.
  struct Snapshot {
    Handover handover;
    std::vector<int> listening;
  };

  // `take_snapshot` is called outside of calls of the server.  Both outlive this.
  Safekeeping(Server& server, std::function<Snapshot()> take_snapshot);

  // What the process before this one left is with the manager, under these names.  The next begin(), leave()
  // or forget() lets go of it.
  void inherit(const std::vector<std::string>& names);

  // From now on the manager has everything at the end of each turn.
  void begin();
  void after_turn(MonoTime machine_now);

  // The process ends and another one goes on.  Returns whether the manager has everything; if so, the
  // connections are no longer this process's to shut down.  If not, the manager keeps nothing.
  [[nodiscard]] bool leave();

  // The manager lets go of everything.
  void forget();

 private:
  [[nodiscard]] bool put_into_bags(const std::vector<int>& sockets);
  [[nodiscard]] bool fill_bags_anew();
  [[nodiscard]] bool bags_are_worn(MonoTime machine_now) const;
  enum class Writer : std::uint8_t { ThisProcess, Fork };
  [[nodiscard]] bool begin_file(const StateFile::Label& label, Writer writer);
  [[nodiscard]] bool begin_file(Writer writer) { return begin_file({.number = number_ + 1}, writer); }
  [[nodiscard]] bool renew_file();
  [[nodiscard]] int write_state();
  [[nodiscard]] bool fork_to_write_state();
  struct Stored;
  static void forget(std::unique_ptr<Stored> stored);
  void store_listening(const std::vector<int>& sockets);
  void give_up(const char* what, int error);

  Server& server_;
  std::function<Snapshot()> take_snapshot_;
  bool is_on_ = false;
  std::set<std::string> earlier_;  // names of what the process before left
  std::uint64_t number_ = 0;       // of the last state file
  struct Stored {
    StateFile file;
    std::string name;
  };
  std::unique_ptr<Stored> file_;         // whose log has the latest calls
  std::unique_ptr<Stored> file_before_;  // while the state is being written into file_
  pid_t fork_ = 0;                       // that writes it; 0: none
  SocketBags bags_;
  std::vector<std::string> bag_names_;
  std::set<std::string> listening_names_;
  MonoTime filled_at_;  // on the machine's clock
  MonoTime machine_now_;
  MonoTime next_try_;
};

}  // namespace heartbeat
