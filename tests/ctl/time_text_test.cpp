#include "tools/ctl/time_text.h"

#include <cstdlib>
#include <ctime>

#include <doctest/doctest.h>

namespace heartbeat::ctl {
namespace {

void live_in(const char* zone) {
  setenv("TZ", zone, 1);
  tzset();
}

TEST_CASE("an instant is read to the millisecond") {
  CHECK(parse_instant("1970-01-01T00:00:00.001Z") == Millis{1});
  CHECK(parse_instant("2026-11-22T09:55:14.570Z") == Millis{1795341314570});
}

TEST_CASE("what is not written as an instant is none") {
  for (const char* text : {"", "2026-11-22T09:55:14Z", "2026-11-22 09:55:14.570Z", "2026-11-22T09:55:14.570",
                           "2026-11-22T09:55:14.57xZ", "2026-11-22T09:55:14.570Z "}) {
    CAPTURE(text);
    CHECK(!parse_instant(text));
    CHECK(local_time(text) == text);
    CHECK(zone_at(text).empty());
  }
}

TEST_CASE("the instants of a sentence are worded in the zone of the reader") {
  live_in("CET-1CEST,M3.5.0,M10.5.0/3");
  CHECK(in_local_time(
            "kicked at 2020-07-22T23:55:14.007Z: in leave since 2020-01-22T09:55:14.570Z, for 30 min") ==
        "kicked at 2020-07-23 01:55:14 CEST: in leave since 2020-01-22 10:55:14 CET, for 30 min");
  CHECK(in_local_time("no instant: 2020-07-22T23:55:14Z") == "no instant: 2020-07-22T23:55:14Z");
  CHECK(in_local_time("").empty());
  live_in("UTC0");
}

TEST_CASE("an instant is shown in the zone of the reader") {
  live_in("UTC0");
  CHECK(local_time("2026-11-22T09:55:14.570Z") == "2026-11-22 09:55:14.570");
  live_in("CET-1CEST,M3.5.0,M10.5.0/3");
  CHECK(local_time("2026-11-22T23:55:14.007Z") == "2026-11-23 00:55:14.007");
  CHECK(zone_at("2026-11-22T23:55:14.007Z") == "CET");
  CHECK(local_time("2026-07-22T23:55:14.007Z") == "2026-07-23 01:55:14.007");
  CHECK(zone_at("2026-07-22T23:55:14.007Z") == "CEST");
  live_in("UTC0");
}

TEST_CASE("a length is written in its two largest units, cut and not rounded") {
  CHECK(span_text(Millis{0}) == "0ms");
  CHECK(span_text(Millis{999}) == "999ms");
  CHECK(span_text(Millis{1000}) == "1.0s");
  CHECK(span_text(Millis{12'399}) == "12.3s");
  CHECK(span_text(Millis{59'999}) == "59.9s");
  CHECK(span_text(Millis{60'000}) == "1min");
  CHECK(span_text(Millis{245'000}) == "4min5s");
  CHECK(span_text(Millis{3'599'999}) == "59min59s");
  CHECK(span_text(Millis{11'520'000}) == "3h12min");
  CHECK(span_text(Millis{86'399'999}) == "23h59min");
  CHECK(span_text(Millis{86'400'000}) == "1d");
  CHECK(span_text(Millis{457'200'000}) == "5d7h");
}

TEST_CASE("an exact length keeps its milliseconds") {
  CHECK(exact_span(Millis{7}) == "7ms");
  CHECK(exact_span(Millis{1'007}) == "1.007s");
  CHECK(exact_span(Millis{160'000}) == "160.000s");
}

}  // namespace
}  // namespace heartbeat::ctl
