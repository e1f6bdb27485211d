#include "daemon/http/metrics.h"

#include <doctest/doctest.h>

#include "tests/control/support/desk.h"

namespace heartbeat::http {
namespace {

std::string scraped(const test::Desk& desk) {
  return metrics_text(desk.figures());
}

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST_CASE("a histogram's buckets are those of its lengths, in seconds") {
  test::Desk desk;
  for (const int millis : {0, 1, 2, 3, 4, 100'000}) desk.loop_lateness.add(Millis{millis});
  const std::string text = scraped(desk);
  for (const char* const line :
       {"# TYPE heartbeatd_loop_lateness_seconds histogram", "heartbeatd_loop_lateness_seconds_count 6",
        "heartbeatd_loop_lateness_seconds_sum 100.01", "heartbeatd_loop_lateness_seconds_bucket{le=\"0\"} 1",
        "heartbeatd_loop_lateness_seconds_bucket{le=\"0.001\"} 2",
        "heartbeatd_loop_lateness_seconds_bucket{le=\"0.003\"} 4",
        "heartbeatd_loop_lateness_seconds_bucket{le=\"0.007\"} 5",
        "heartbeatd_loop_lateness_seconds_bucket{le=\"65.535\"} 5",
        "heartbeatd_loop_lateness_seconds_bucket{le=\"+Inf\"} 6"}) {
    CAPTURE(std::string{line});
    CHECK(has_line(text, line));
  }
}

TEST_CASE("what never occurred but can stands at 0, and what should not occur is added when it does") {
  test::Desk desk;
  const std::string odd = "heartbeatd_closes_total{reason=\"shutdown\",by=\"operator\"} 1";
  CHECK(has_line(scraped(desk), "heartbeatd_closes_total{reason=\"kicked\",by=\"operator\"} 0"));
  CHECK_FALSE(has_line(scraped(desk), odd));
  Event event{.kind = Event::Kind::Closed};
  event.to = Status::Close;
  event.reason = Reason::Shutdown;
  event.by = Party::Operator;
  desk.tally.add(event);
  CHECK(has_line(scraped(desk), odd));
}

TEST_CASE("where there are groups, the clients are counted in each of them, and else in all") {
  const std::string all = "heartbeatd_clients{status=\"alive\"} 1";
  test::Desk without;
  without.join("game-1");
  CHECK(has_line(scraped(without), all));

  Settings settings;
  const NamePattern pattern{.text = "game-*", .glob = *Glob::compile("game-*")};
  settings.groups =
      GroupList{{Group{.name = "games", .ids = {pattern}}, Group{.name = "empty", .by_name = true}}};
  test::Desk desk{settings};
  desk.join("game-1");
  desk.beat(desk.join("game-2"), {}, "leave");
  desk.join("pump-1");
  const std::string text = scraped(desk);
  for (const char* const line : {R"(heartbeatd_clients{status="alive",group="games"} 1)",
                                 R"(heartbeatd_clients{status="leave",group="games"} 1)",
                                 R"(heartbeatd_clients{status="alive",group="empty"} 0)",
                                 R"(heartbeatd_clients{status="alive",group="default"} 1)",
                                 R"(heartbeatd_clients{status="leave",group="default"} 0)"}) {
    CAPTURE(std::string{line});
    CHECK(has_line(text, line));
  }
  CHECK_FALSE(has_line(text, all));
}

TEST_CASE("the rule in force and the results of reloads are gauges") {
  test::Desk desk{{.rule = {.tick = Millis{1500},
                            .threshold = 4,
                            .cursor = 2,
                            .recover = 6,
                            .leave_timeout = Millis{60'000}}}};
  desk.reloads = {.done = 2, .refused = 1, .last_refused = true};
  const std::string text = scraped(desk);
  for (const char* const line :
       {"heartbeatd_rule_tick_seconds 1.5", "heartbeatd_rule_threshold_ticks 4",
        "heartbeatd_rule_cursor_strikes 2", "heartbeatd_rule_recover_ticks 6",
        "heartbeatd_rule_leave_timeout_seconds 60", "heartbeatd_reloads_total{result=\"done\"} 2",
        "heartbeatd_reloads_total{result=\"refused\"} 1", "heartbeatd_last_reload_refused 1"}) {
    CAPTURE(std::string{line});
    CHECK(has_line(text, line));
  }
}

TEST_CASE("gaps and margins are those of the heartbeats") {
  test::Desk desk;
  desk.http = HttpFigures{.responses = {{200, 3}}};
  const ConnId client = desk.join("pump-7");
  desk.pass(Millis{10'000});
  desk.beat(client, "pump-7");
  desk.pass(Millis{30'000});  // with the default tick of 10 s, two silent ones
  desk.beat(client, "pump-7");
  const std::string text = scraped(desk);
  for (const char* const line :
       {"heartbeatd_heartbeat_gap_seconds_count 2", "heartbeatd_heartbeat_gap_seconds_sum 40",
        "heartbeatd_heartbeat_gap_seconds_bucket{le=\"5.119\"} 0",
        "heartbeatd_heartbeat_gap_seconds_bucket{le=\"10.239\"} 1",
        "heartbeatd_heartbeat_gap_seconds_bucket{le=\"30.719\"} 2", "heartbeatd_margin_ratio_count 3",
        // Two of the 15 silent ticks that make a leave.
        "heartbeatd_margin_ratio_bucket{le=\"0.8\"} 0", "heartbeatd_margin_ratio_bucket{le=\"0.9\"} 1",
        "heartbeatd_margin_ratio_bucket{le=\"0.9\"} 1", "heartbeatd_margin_ratio_bucket{le=\"1\"} 3",
        "process_cpu_seconds_total 1.5", "process_resident_memory_bytes 5000000", "process_open_fds 17",
        "process_max_fds 1024", "heartbeatd_http_responses_total{code=\"200\"} 3",
        "heartbeatd_build_info{version=\"" HEARTBEAT_VERSION "\"} 1"}) {
    CAPTURE(std::string{line});
    CHECK(has_line(text, line));
  }
}

TEST_CASE("each file of TLS shows when it expires, and without TLS there is no such family") {
  test::Desk desk;
  CHECK(scraped(desk).find("heartbeatd_certificate_expires") == std::string::npos);
  desk.certificates = {{"/etc/ca.pem", WallTime{Millis{1'800'000'000'000}}},
                       {"/etc/server.pem", WallTime{Millis{1'790'000'000'000}}}};
  const std::string text = scraped(desk);
  CHECK(has_line(text, "heartbeatd_certificate_expires_timestamp_seconds{file=\"/etc/ca.pem\"} 1800000000"));
  CHECK(has_line(text,
                 "heartbeatd_certificate_expires_timestamp_seconds{file=\"/etc/server.pem\"} 1790000000"));
}

TEST_CASE("probes, clients that beat too fast, and each cause of a refusal are counted") {
  test::Desk desk{{.clients_max = 2, .newcomers_max = 0, .bounds = {.max_rate = 1}}};
  desk.leave(desk.connect());  // not a byte
  const ConnId fast = desk.join("pump-7");
  for (unsigned beat = 0; beat <= limits::kBeatBurstMin; ++beat) desk.beat(fast, "pump-7");
  desk.join("pump-8");
  CHECK_THROWS(desk.connect());  // one more than there may be
  const std::string text = scraped(desk);
  for (const char* const line : {"# TYPE heartbeatd_probes_total counter", "heartbeatd_probes_total 1",
                                 "# TYPE heartbeatd_limited_total counter", "heartbeatd_limited_total 1",
                                 "heartbeatd_refused_total{cause=\"max_clients\"} 1",
                                 "heartbeatd_refused_total{cause=\"max_clients_per_ip\"} 0",
                                 "heartbeatd_refused_total{cause=\"out_of_memory\"} 0"}) {
    CAPTURE(std::string{line});
    CHECK(has_line(text, line));
  }
}

TEST_CASE(
    "pauses of accepting, connections that could not be accepted, and the control socket's bound are "
    "counted") {
  test::Desk desk;
  desk.accepting = {
      .paused = false, .pauses = 4, .length = Millis{1500}, .waiting = 2, .displaced = 5, .rate = 10};
  desk.shortages = {.clients = 7, .control = 8, .http = 9};
  desk.control = {.sessions = 3, .displaced = 2, .refused = 1};
  const std::string text = scraped(desk);
  for (const char* const line :
       {"# TYPE heartbeatd_accept_pauses_total counter", "heartbeatd_accept_pauses_total 4",
        "heartbeatd_accept_pause_seconds_total 1.5", "heartbeatd_preamble_connections 2",
        "heartbeatd_preamble_displaced_total 5", "# TYPE heartbeatd_accept_shortages_total counter",
        "heartbeatd_accept_shortages_total{door=\"clients\"} 7",
        "heartbeatd_accept_shortages_total{door=\"control\"} 8",
        "heartbeatd_accept_shortages_total{door=\"http\"} 9", "heartbeatd_control_sessions 3",
        "heartbeatd_control_displaced_total 2", "heartbeatd_control_refused_total 1"}) {
    CAPTURE(std::string{line});
    CHECK(has_line(text, line));
  }
}

TEST_CASE("every figure of the table stands in the metrics, once, with its type and a sentence") {
  const test::Desk desk;
  const std::string text = scraped(desk);
  std::string_view family;
  for (const Figure& figure : all_figures()) {
    if (figure.metric.empty()) continue;
    const std::string name{figure.metric};
    CAPTURE(name);
    const bool counts = figure.kind == Figure::Kind::Counter;
    CHECK(has_line(text, "# TYPE " + name + (counts ? " counter" : " gauge")));
    CHECK(text.find("# TYPE " + name + " ") == text.rfind("# TYPE " + name + " "));
    if (figure.metric != family) CHECK_FALSE(figure.help.empty());
    family = figure.metric;
    const std::string label =
        "{" + std::string{figure.label_name} + "=\"" + std::string{figure.label_value} + "\"}";
    CHECK(text.find("\n" + name + (figure.label_name.empty() ? "" : label) + " ") != std::string::npos);
    CHECK(counts == name.ends_with("_total"));
  }
}

TEST_CASE("a takeover closes a connection and moves no client") {
  Tally tally;
  tally.add({.kind = Event::Kind::TakenOver});
  CHECK(tally.closes(Reason::Superseded, Party::Client) == 1);
  for (const Status from : {Status::Alive, Status::Leave, Status::Close}) {
    for (const Status to : {Status::Alive, Status::Leave, Status::Close}) {
      CHECK(tally.transitions(from, to, Reason::Superseded) == 0);
    }
  }
}

}  // namespace
}  // namespace heartbeat::http
