// The roster in force (daemon/report/roster.h): reads its file when the daemon starts, and again at a reload.
//
// The file is read on another thread, and compared with the connected clients a step in each turn of the
// loop: 100 000 names take no time from verdicts.  Until that is done, and where the file is wrong, the
// roster of before is in force.  A wrong file does not keep the daemon from starting, as no verdict depends
// on it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/uv/loop.h"
#include "common/uv/work.h"
#include "daemon/core/event.h"
#include "daemon/core/registry.h"
#include "daemon/report/figures.h"
#include "daemon/report/roster.h"

namespace heartbeat {

class RosterKeeper {
 public:
  explicit RosterKeeper(uv::Loop& loop) : reading_(loop) {}

  // Begins to read this file; an empty path is for no roster.  What is wrong with the file is logged, and
  // shown by figures().
  void read(const std::string& path);

  void note(const Event& event) noexcept;
  void after_turn(const Registry& clients, MonoTime now) noexcept;

  // In force; null: there is none.
  [[nodiscard]] const Attendance* attendance() const { return in_force_.get(); }
  // Nothing where there is no roster.
  [[nodiscard]] std::optional<RosterFigures> figures() const;

 private:
  struct Outcome;
  void take(Outcome& outcome);

  uv::Work reading_;
  bool is_asked_again_ = false;  // for another reading, while one is under way
  std::string path_;
  std::string error_;  // of the last reading; empty: it went well
  std::unique_ptr<Attendance> in_force_;
  std::unique_ptr<Attendance> next_;  // that is not compared yet
  MonoTime next_look_;
};

}  // namespace heartbeat
