#include "tools/sim/report.h"

#include <doctest/doctest.h>

#include "common/limits.h"
#include "sim_support.h"

namespace heartbeat::sim {
namespace {

using namespace std::chrono_literals;

const std::vector<Pace> kPaces{default_pace()};

Record client(Behaviour behaviour) {
  Record record;
  record.behaviour = behaviour;
  record.connecting_at = record.connected_at = kStart;
  record.beat(kStart);
  return record;
}

TEST_CASE("the table says for each behaviour that took part what happened, and the verdict") {
  std::vector<Record> records{client(Behaviour::Steady), client(Behaviour::Silent),
                              client(Behaviour::Steady)};
  records[2].closed = {kStart + 5s, Reason::Kicked};
  const Report report = make_report(records, kPaces, {kStart + 10s}, "sim1");
  CHECK(table(report) ==
        "behaviour    clients connected     beats     leave  returned    closed  verdict\n"
        "steady             2         2         2         0         0         1  1 BROKEN; 1 ok\n"
        "silent             1         1         1         0         0         0  1 waiting: not yet led to "
        "leave\n");
  REQUIRE(report.told.size() == 1);
  CHECK(report.told[0] == "broken: steady client sim1-2 was closed (kicked) 5.0s after it connected");
  CHECK(report.count(Verdict::Broken) == 1);
  CHECK(report.count(Verdict::NotYet) == 1);
}

TEST_CASE("each client is judged by the pace of its kind") {
  Pace fast = default_pace();
  fast.interval = fast.rule.tick = Millis{1000};
  Record left = client(Behaviour::Silent);
  left.left = {kStart + 16s, Reason::Silent};
  std::vector<Record> records{left, left};
  records[1].kind = 1;
  const Report report = make_report(records, std::vector<Pace>{default_pace(), fast}, {kStart + 20s}, "sim1");
  REQUIRE(report.told.size() == 1);
  CHECK(report.told[0].find("silent client sim1-0 was led to leave") != std::string::npos);
  CHECK(report.count(Verdict::NotYet) == 1);  // the other one, which is not closed yet
}

TEST_CASE("broken promises are printed up to a bound, and then counted") {
  Record kicked = client(Behaviour::Steady);
  kicked.closed = {kStart + 5s, Reason::Kicked};
  const auto report_of = [&](std::size_t count) {
    return make_report(std::vector<Record>(count, kicked), kPaces, {kStart + 10s}, "sim1");
  };
  CHECK(report_of(limits::kViolationsTold).told.size() == limits::kViolationsTold);
  CHECK(report_of(limits::kViolationsTold).untold == 0);
  CHECK(report_of(limits::kViolationsTold + 1).told.size() == limits::kViolationsTold);
  CHECK(report_of(limits::kViolationsTold + 1).untold == 1);
}

TEST_CASE("the progress line counts each client once") {
  std::vector<Record> records(5, client(Behaviour::Steady));
  records[0].status = Status::Leave;
  records[1].closed = {kStart + 5s, Reason::Silent};
  records[2].closed = {kStart + 5s, Reason::Goodbye};
  CHECK(progress_line(records, 12) == "5 of 12 added: 2 alive, 1 leave, 1 kicked, 1 closed; 5 beats");
}

}  // namespace
}  // namespace heartbeat::sim
