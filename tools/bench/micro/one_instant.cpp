// What it costs the core that something concerns every client at one instant: the number of calls, and of the
// worst call its processor time, events and bytes of effects.  Processor time, not time that passes: another
// program that runs in between is not the core's cost.
//
//     heartbeat-one-instant [CLIENTS]      a million if not given
//
// Every client is accepted and heard at one instant, and asks to be notified of its state.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <span>
#include <string>
#include <vector>

#include "common/frame.h"
#include "common/message.h"
#include "daemon/core/monitor.h"

namespace heartbeat::bench {
namespace {

using Seconds = std::chrono::duration<double>;

// The processor time that this thread has used.
Seconds processor_time() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return Seconds{static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9};
}

constexpr MonoTime kStart{Millis{1'000'000}};
constexpr Rule kRule{.tick = Millis{1000}, .threshold = 1, .cursor = 1, .leave_timeout = Millis{10'000}};
constexpr MonoTime kLeave = kStart + Millis{2000};
constexpr MonoTime kClose = kLeave + kRule.leave_timeout;
constexpr ClosingBrake::Settings kBrake{.window = Millis{2000}, .pause = Millis{5000}};
constexpr ClosingBrake::Settings kNoBrake{.share_percent = 0};

class Fleet {
 public:
  Fleet(std::size_t clients, const ClosingBrake::Settings& brake)
      : monitor_({.rule = kRule, .clients_max = clients, .brake = brake}) {
    std::string frame;
    append_frame(frame, encode({.ip = "10.0.0.1", .notify = true}));
    std::size_t client = 0;
    run("accepted and heard, one a call", [&] {
      const Endpoint peer{
          .address = {10, static_cast<std::uint8_t>(client >> 16U), static_cast<std::uint8_t>(client >> 8U),
                      static_cast<std::uint8_t>(client)},
          .port = 40001};
      const auto conn = monitor_.open(peer, kStart, effects_);
      monitor_.receive(*conn, frame, kStart, effects_);
      return ++client < clients;
    });
  }

  void advance(const char* what, MonoTime at) {
    run(what, [&] { return monitor_.advance(at, effects_); });
  }
  void shut_down(const char* what, MonoTime at) {
    run(what, [&] { return monitor_.shut_down(at, effects_); });
  }
  // The order is the first call.
  void end_brake(const char* what, BrakeEnd how, MonoTime at) {
    bool ordered = false;
    run(what, [&] {
      if (ordered) return monitor_.advance(at, effects_);
      monitor_.end_brake(how, at, effects_);
      return ordered = true;
    });
  }
  void change_tick(const char* what, Millis tick, MonoTime at) {
    Settings settings = monitor_.settings();
    settings.rule.tick = tick;
    bool ordered = false;
    run(what, [&] {
      if (ordered) return monitor_.advance(at, effects_);
      monitor_.change_settings(settings, at, effects_);
      return ordered = true;
    });
  }

 private:
  template <class Call>
  void run(const char* what, Call call) {
    std::size_t calls = 0;
    std::size_t events = 0;
    std::size_t bytes = 0;
    Seconds worst{0};
    Seconds all{0};
    for (bool more = true; more;) {
      const Seconds begin = processor_time();
      more = call();
      const Seconds length = processor_time() - begin;
      ++calls;
      all += length;
      worst = std::max(worst, length);
      events = std::max(events, effects_.events().size());
      bytes = std::max(bytes, bytes_held());
      effects_.clear();
    }
    std::printf("| %s | %zu | %.0f | %.2f | %zu | %zu |\n", what, calls, all.count() * 1e3,
                worst.count() * 1e3, events, bytes / 1024);
  }

  [[nodiscard]] std::size_t bytes_held() const {
    std::size_t bytes = effects_.room();
    for (const Event& event : effects_.events()) {
      bytes += sizeof(Event::Extra) + event.extra->detail.capacity();
    }
    return bytes;
  }

  Monitor monitor_;
  Effects effects_;
};

void print_table(std::size_t clients) {
  std::printf("| %zu clients at one instant | calls | in all, ms | worst call, ms | events | KiB |\n",
              clients);
  std::printf("|---|---|---|---|---|---|\n");
  {
    Fleet fleet{clients, kNoBrake};
    fleet.change_tick("a reload of the tick", Millis{900}, kStart + Millis{500});
    fleet.change_tick("and back", kRule.tick, kStart + Millis{600});
    fleet.advance("strike and leave", kLeave);
    fleet.advance("closed as silent", kClose);
  }
  {
    Fleet fleet{clients, kBrake};
    fleet.advance("with the brake: strike and leave", kLeave);
    fleet.advance("the brake takes hold", kClose);
    fleet.end_brake("an operator releases", BrakeEnd::Released, kClose + Millis{1000});
    fleet.advance("the brake takes hold again", kClose + Millis{11'000});
    fleet.end_brake("an operator confirms", BrakeEnd::Confirmed, kClose + Millis{12'000});
  }
  Fleet fleet{clients, kNoBrake};
  fleet.shut_down("shutdown", kStart + Millis{500});
}

}  // namespace
}  // namespace heartbeat::bench

int main(int argc, char** argv) {
  const std::span arguments{argv, static_cast<std::size_t>(argc)};
  heartbeat::bench::print_table(arguments.size() > 1 ? std::strtoul(arguments[1], nullptr, 10) : 1'000'000);
}
