// The totals and dates that operators see go on over a restart.
#include "daemon/report/saved_report.h"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "tests/unit/support/instants.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

constexpr WallTime kNoon{1'700'000'000'000ms};

struct Report {
  Tally tally;
  Reloads reloads{.done = 3, .refused = 2, .last_refused = true};
  WallClock clock{kNoon, t0};
};

Report eventful() {
  Report report;
  report.tally.add(
      {.kind = Event::Kind::Left, .from = Status::Alive, .to = Status::Leave, .reason = Reason::Silent});
  Event closed{
      .kind = Event::Kind::Closed, .from = Status::Leave, .to = Status::Close, .reason = Reason::Kicked};
  closed.by = Party::Operator;
  report.tally.add(closed);
  report.tally.add(closed);
  report.clock.agree(kNoon + 1s, t0 + 1s);
  report.clock.agree(kNoon + 1h, t0 + 2s);  // a stall of nearly an hour
  return report;
}

std::string save(const Report& report) {
  return save_report(report.tally, report.reloads, report.clock);
}

}  // namespace

TEST_CASE("totals, reloads and the dates of earlier instants are read as they were written") {
  const std::string saved = save(eventful());
  Report report{.tally = {}, .reloads = {}, .clock = {kNoon + 2h, t0 + 3s}};
  restore_report(saved, report.tally, report.reloads, report.clock);
  CHECK(save(report) == saved);
  CHECK(report.tally.transitions(Status::Alive, Status::Leave, Reason::Silent) == 1);
  CHECK(report.tally.closes(Reason::Kicked, Party::Operator) == 2);
  CHECK(report.reloads.done == 3);
  CHECK(report.reloads.refused == 2);
  CHECK(report.reloads.last_refused);
  CHECK(report.clock.at(t0) == kNoon);
  CHECK(report.clock.at(t0 + 2s) == kNoon + 1h);

  report.clock.agree(kNoon + 2h, t0 + 3s);
  CHECK(report.clock.at(t0 + 3s) == kNoon + 2h);
  CHECK(report.clock.at(t0 + 2s) == kNoon + 1h);
}

TEST_CASE("of bytes that are cut off anywhere, what can be read is restored") {
  const std::string saved = save(eventful());
  for (std::size_t size = 0; size <= saved.size(); ++size) {
    Report report{.tally = {}, .reloads = {}, .clock = {kNoon + 2h, t0 + 3s}};
    restore_report(std::string_view{saved}.substr(0, size), report.tally, report.reloads, report.clock);
    CHECK(report.tally.closes(Reason::Kicked, Party::Operator) <= 2);
  }
}
