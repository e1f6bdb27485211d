// Clients of several rhythms in one daemon, for a month of virtual time.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tools/sim/virtual/random.h"
#include "tools/sim/virtual/watched_monitor.h"

namespace heartbeat::sim {
namespace {

using namespace std::chrono_literals;

constexpr Millis kMonth = 30 * 24h;
constexpr std::size_t kSilent = std::numeric_limits<std::size_t>::max();  // in place of a client's number
const MonoTime kStart{Millis{1'000'000}};

Settings settings() {
  Group battery{.name = "battery", .by_name = true};
  battery.rule = {.tick = 15min, .threshold = 2, .cursor = 1, .recover = 1, .leave_timeout = 48h};
  Settings settings;  // the default rule: silence of 150 s, from the end of a tick of 10 s, is a leave
  settings.groups = GroupList{{battery}};
  return settings;
}

// What beats next, and when.
struct Due {
  MonoTime at;
  std::size_t client;

  friend bool operator>(const Due& a, const Due& b) { return a.at > b.at; }
};

class Month {
 public:
  // Batteries, each with a heartbeat in 15 minutes and up to a minute of delay; and one client that beats
  // each 10 s.
  explicit Month(std::size_t batteries) {
    for (std::size_t client = 0; client <= batteries; ++client) {
      conns_.push_back(*watched_.open(peer_of(client), kStart));
      plan_.push({kStart, client});
    }
  }

  void run() {
    for (std::size_t hour = 0; hour < 30 * 24; ++hour) {
      const MonoTime now = kStart + hour * Millis{1h};
      run_until(now);
      fall_silent(now);
    }
    run_until(kStart + kMonth);
    watched_.sweep();
  }

  [[nodiscard]] const std::string& broken() const { return watched_.broken(); }
  [[nodiscard]] const std::vector<Millis>& silences() const { return silences_; }
  [[nodiscard]] std::size_t leaves_of_others() const { return leaves_of_others_; }

 private:
  static Endpoint peer_of(std::size_t number) {
    return {.address = {10, static_cast<std::uint8_t>(number >> 16U), static_cast<std::uint8_t>(number >> 8U),
                        static_cast<std::uint8_t>(number)},
            .port = 50000};
  }

  void run_until(MonoTime end) {
    for (;;) {
      const MonoTime judged = watched_.monitor().next_deadline();
      const MonoTime beats = plan_.top().at;
      if (std::min(judged, beats) > end) return;
      if (judged < beats) {
        watched_.advance(judged);
      } else {
        beat_next();
      }
      note();
    }
  }

  void beat_next() {
    const Due due = plan_.top();
    plan_.pop();
    const bool is_silent = due.client == kSilent;
    const std::string id =
        is_silent ? "silent" + std::to_string(silent_so_far_) : "c" + std::to_string(due.client);
    Heartbeat heartbeat{.ip = "10.0.0.1", .status = Status::Alive, .id = id};
    if (due.client > 0 && !is_silent) heartbeat.group = "battery";
    watched_.beat(is_silent ? *silent_ : conns_[due.client], heartbeat, due.at);
    if (is_silent) return;
    const Millis later = due.client == 0 ? Millis{10s} : 15min + Millis{random_.between(0, 60'000)};
    plan_.push({due.at + later, due.client});
  }

  // A client that beats once, at any time within its first tick, and then no more.
  void fall_silent(MonoTime now) {
    if (silent_) watched_.disconnect(*silent_, Reason::PeerClosed, now);
    silent_ = watched_.open(peer_of(1'000'000 + ++silent_so_far_), now);
    last_beat_ = now + Millis{random_.between(0, 9'999)};
    plan_.push({last_beat_, kSilent});
    note();
  }

  void note() {
    for (const Event& event : watched_.last_events()) {
      if (event.kind != Event::Kind::Left) continue;
      if (silent_ && event.conn == *silent_)
        silences_.push_back(event.at - last_beat_);
      else
        ++leaves_of_others_;
    }
    watched_.forget_last();
  }

  Random random_{16};
  WatchedMonitor watched_{settings()};
  std::vector<ConnId> conns_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> plan_;
  std::optional<ConnId> silent_;
  std::size_t silent_so_far_ = 0;
  MonoTime last_beat_;
  std::vector<Millis> silences_;
  std::size_t leaves_of_others_ = 0;
};

TEST_CASE("in a month no battery leaves, while clients of 10 s that fall silent do within 160 s") {
  Month month{20};
  month.run();
  CHECK(month.broken() == "");
  CHECK(month.leaves_of_others() == 0);
  CHECK(month.silences().size() == 30 * 24);
  CHECK(*std::min_element(month.silences().begin(), month.silences().end()) > 150s);
  CHECK(*std::max_element(month.silences().begin(), month.silences().end()) <= 160s);
}

}  // namespace
}  // namespace heartbeat::sim
