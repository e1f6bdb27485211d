// Writes the list of the connected clients beside the event journal (known_clients_json.h), now and then.
//
// The clients are walked a slice a turn, while others come and go: the list is begun behind an event, and
// what happened since stands in the journal, so that both together are right whatever the walk has missed.
// Memory for one piece; the file is written on a thread, and renamed when it is whole.  A disk that refuses
// costs the list alone: the one before stays, with more of the journal to read behind it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/limits.h"
#include "common/mono_time.h"
#include "common/uv/loop.h"
#include "common/uv/work.h"
#include "daemon/core/monitor.h"

namespace heartbeat {

class KnownClientsFile {
 public:
  // `directory` is the journal's; empty: nothing is written.  `boot` is the run that its events have.
  // The first list is begun in `first`.
  KnownClientsFile(uv::Loop& loop, std::string directory, std::string boot,
                   Millis first = limits::kKnownClientsFirst);

  void after_turn(const Monitor& monitor);

 private:
  // What the thread works on.  It outlives this object while it is running.
  struct Job;

  void begin(const Monitor& monitor);
  void go_on(const Monitor& monitor);
  void write_piece(bool is_last);

  uv::Loop& loop_;
  std::string directory_;
  std::string boot_;
  std::shared_ptr<Job> job_;
  std::uint32_t slot_ = 0;  // the next to look at
  bool is_walking_ = false;
  bool has_failed_ = false;  // which was logged
  MonoTime next_{};
  std::string piece_;
  uv::Work writing_;
};

}  // namespace heartbeat
