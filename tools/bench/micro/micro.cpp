// What the parts of a heartbeat's way through the core cost, each by itself (Google Benchmark).
//
// For finding out where time goes; what the daemon as a whole costs is heartbeat-bench's.
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "common/frame.h"
#include "common/limits.h"
#include "common/message.h"
#include "common/text.h"
#include "daemon/core/deadlines.h"
#include "daemon/core/histogram.h"
#include "daemon/core/liveness.h"
#include "daemon/core/monitor.h"

namespace heartbeat {
namespace {

const std::string kBody = R"({"ip": "192.168.1.105", "status": "alive", "pid": 26464})";
constexpr Millis kTick{10'000};

std::string framed(const std::string& body) {
  std::string frame;
  append_frame(frame, body);
  return frame;
}

// --- framing ----------------------------------------------------------------------------------------------

void decode(benchmark::State& state, const std::vector<std::string>& reads) {
  FrameDecoder decoder;
  for ([[maybe_unused]] auto _ : state) {
    for (std::string_view bytes : reads) {
      while (decoder.next(bytes, limits::kFrameMax).state == FrameDecoder::State::Frame) {
      }
    }
  }
}
void decoder_whole_frame(benchmark::State& state) {
  decode(state, {framed(kBody)});
}
void decoder_frame_in_two_reads(benchmark::State& state) {
  const std::string frame = framed(kBody);
  decode(state, {frame.substr(0, 30), frame.substr(30)});
}

// --- JSON -------------------------------------------------------------------------------------------------

void parse(benchmark::State& state, const std::string& body) {
  HeartbeatParser parser;
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(parser.parse(body));
}
void parser_plain(benchmark::State& state) {
  parse(state, kBody);
}
void parser_plain_encoded_twice(benchmark::State& state) {
  parse(state, encode_twice({.ip = "192.168.1.105", .pid = 26464}));
}
void parser_every_member(benchmark::State& state) {
  parse(state, encode({.ip = "192.168.1.105", .id = "pump-7", .pid = 26464, .seq = 1'000'000, .ack = true}));
}
void parser_not_plain(benchmark::State& state) {
  parse(state, R"({"ip": "192.168.1.105", "status": "alive", "pid": 26464, "x": 1})");
}
void parser_library_alone(benchmark::State& state) {
  HeartbeatParser parser;
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(parser.parse_in_full(kBody));
}
void utf8_check(benchmark::State& state) {
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(is_utf8(kBody));
}

// --- the rule ---------------------------------------------------------------------------------------------

void rule_within_a_tick(benchmark::State& state) {
  const Rule rule{.tick = kTick};
  Liveness liveness{MonoTime{}};
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(liveness.advance(rule, MonoTime{Millis{1}}));
    liveness.heard();
  }
}
// A heartbeat a tick, or with the given number of silent ticks before it; strikes are folded like everything
// else.
void rule_ticks(benchmark::State& state) {
  const Rule rule{.tick = kTick};
  Liveness liveness{MonoTime{}};
  MonoTime now;
  for ([[maybe_unused]] auto _ : state) {
    now += kTick * state.range(0);
    while (liveness.advance(rule, now)) {
    }
    liveness.heard();
  }
}

// --- deadlines --------------------------------------------------------------------------------------------

// The slot that is due is armed anew, behind all others, as the core does with clients that beat.
void deadlines_next_round(benchmark::State& state) {
  Deadlines deadlines;
  const auto slots = static_cast<std::uint32_t>(state.range(0));
  for (std::uint32_t slot = 0; slot < slots; ++slot) {
    deadlines.arm(slot, MonoTime{kTick * static_cast<std::int64_t>(slot) / slots});
  }
  for ([[maybe_unused]] auto _ : state) {
    const MonoTime now = deadlines.next();
    deadlines.arm(deadlines.first(), now + kTick);
  }
}
void deadlines_move_any(benchmark::State& state) {
  Deadlines deadlines;
  const auto slots = static_cast<std::uint32_t>(state.range(0));
  std::mt19937 random{1};
  std::uniform_int_distribution<std::int64_t> at{0, kTick.count()};
  for (std::uint32_t slot = 0; slot < slots; ++slot) deadlines.arm(slot, MonoTime{Millis{at(random)}});
  std::uint32_t slot = 0;
  for ([[maybe_unused]] auto _ : state) {
    slot = (slot + 7919) % slots;
    deadlines.arm(slot, MonoTime{Millis{at(random)}});
  }
}

// --- all of it --------------------------------------------------------------------------------------------

void core_heartbeat(benchmark::State& state) {
  Monitor monitor{{}};
  Effects effects;
  const std::string frame = framed(kBody);
  std::vector<ConnId> clients;
  for (std::int64_t client = 0; client < state.range(0); ++client) {
    clients.push_back(*monitor.open({}, MonoTime{}, effects));
    effects.clear();
  }
  MonoTime now;
  std::size_t next = 0;
  for ([[maybe_unused]] auto _ : state) {
    if (++next == clients.size()) {
      next = 0;
      now += kTick;
      while (monitor.advance(now, effects)) effects.clear();
    }
    monitor.receive(clients[next], frame, now, effects);
    effects.clear();
  }
}

void histogram_add(benchmark::State& state) {
  Histogram histogram;
  std::int64_t length = 0;
  for ([[maybe_unused]] auto _ : state) histogram.add(Millis{++length % 1'000});
}

BENCHMARK(decoder_whole_frame);
BENCHMARK(decoder_frame_in_two_reads);
BENCHMARK(parser_plain);
BENCHMARK(parser_plain_encoded_twice);
BENCHMARK(parser_every_member);
BENCHMARK(parser_not_plain);
BENCHMARK(parser_library_alone);
BENCHMARK(utf8_check);
BENCHMARK(rule_within_a_tick);
BENCHMARK(rule_ticks)->Arg(1)->Arg(100);
BENCHMARK(deadlines_next_round)->RangeMultiplier(10)->Range(1'000, 1'000'000);
BENCHMARK(deadlines_move_any)->RangeMultiplier(10)->Range(1'000, 1'000'000);
BENCHMARK(core_heartbeat)->RangeMultiplier(10)->Range(1'000, 100'000);
BENCHMARK(histogram_add);

}  // namespace
}  // namespace heartbeat

BENCHMARK_MAIN();
