// The whole core under an arbitrary schedule of connections, bytes, ends, times, kicks, reloads and stalls:
// the monitor and the oracle of heartbeat-sim --virtual side by side must tell, send and count the same, at
// the same instants.
//
// Input: the settings (10 bytes), then one letter for each thing that happens, with its arguments behind it;
// see Schedule::step().  Any other byte stands for one of the letters.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "common/frame.h"
#include "common/message.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/promise.h"
#include "tools/sim/virtual/watched_monitor.h"

using namespace heartbeat;
using heartbeat::fuzz::hold;
using heartbeat::fuzz::Input;
using heartbeat::sim::WatchedMonitor;

namespace {

constexpr std::size_t kStepsMax = 400;
constexpr unsigned kClientsMax = 16;
constexpr std::string_view kLetters = "obhrfcxlkwtasRSe";

Rule rule_from(Input& input) {
  constexpr std::array<std::int64_t, 4> kTicks{10, 1000, 37, 10'000};
  const auto count = [&] { return static_cast<std::uint16_t>(1 + input.below(6)); };
  Rule rule;
  rule.tick = Millis{kTicks.at(input.below(kTicks.size()))};
  rule.threshold = count();
  rule.cursor = count();
  rule.recover = count();
  const unsigned leave = input.byte();
  rule.leave_timeout = rule.tick * (1 + leave % 32) + Millis{leave / 32};
  return rule;
}

ClosingBrake::Settings brake_from(Input& input, const Rule& rule) {
  const unsigned share = input.byte() % 100;
  const unsigned times = input.byte();
  return {.share_percent = share,
          .clients_min = 1 + share % 4,
          .window = rule.tick * (1 + times % 8),
          .pause = rule.tick * (1 + times / 8)};
}

// The rate of heartbeats has no bound: it is kept by not reading, and here everything is read.
Bounds bounds_from(Input& input, const Rule& rule) {
  const unsigned ticks = input.byte();
  return {.hello_timeout = rule.tick * (ticks % 16) / 2,
          .frame_timeout = rule.tick * (ticks / 16) / 2,
          .max_rate = 0,
          .max_clients_per_ip = input.below(6)};
}

Settings settings_from(Input& input) {
  Settings settings;
  settings.rule = rule_from(input);
  settings.brake = brake_from(input, settings.rule);
  settings.bounds = bounds_from(input, settings.rule);
  const unsigned bits = input.byte();
  settings.newcomers_max = 0;  // the oracle knows the plain bound
  settings.clients_max = (bits & 1U) != 0 ? kClientsMax : 3;
  // No client is forgotten: the order of two at one instant is not specified.  Each takes an open and a beat.
  settings.remember = (bits & 2U) != 0 ? 0 : kStepsMax / 2;
  settings.report_heartbeats = (bits & 4U) != 0;
  settings.frame_max = (bits & 8U) != 0 ? 100 : limits::kFrameMax;
  return settings;
}

class Schedule {
 public:
  explicit Schedule(Input& input) : input_(input), watched_(settings_from(input)) {}

  void run() {
    for (std::size_t steps = 0; steps < kStepsMax && !input_.at_end(); ++steps) {
      step(static_cast<char>(input_.byte()));
      check();
    }
    watched_.advance(now_);
    check();
    watched_.shut_down(now_);
    check();
  }

 private:
  void step(char what) {
    switch (what) {
      case 'o': open(); break;
      case 'b': beat(); break;
      case 'h': part_of_a_beat(); break;
      case 'r': watched_.receive(anybody(), input_.bytes(input_.byte()), now_); break;  // raw bytes
      case 'f': receive_body(input_.bytes(input_.byte())); break;                       // of a frame
      case 'c': watched_.disconnect(anybody(), Reason::PeerClosed, now_); break;
      case 'x': watched_.disconnect(anybody(), Reason::Reset, now_); break;
      case 'l': watched_.disconnect(anybody(), Reason::Limit, now_); break;
      case 'k': kick(); break;
      case 'w': wait_until_due(); break;
      case 't': now_ += watched_.settings().rule.tick * input_.byte() / 16; break;
      case 'a': watched_.advance(now_); break;
      case 's': watched_.stalled(Millis{1 + input_.byte()}, now_); break;
      case 'R': reload(); break;
      case 'e':
        watched_.end_brake(input_.below(2) == 0 ? BrakeEnd::Confirmed : BrakeEnd::Released, now_);
        break;
      case 'S': watched_.shut_down(now_); break;
      case 'm': watched_.restart(); break;  // made anew
      default: step(kLetters[static_cast<std::uint8_t>(what) % kLetters.size()]); break;
    }
  }

  void check() {
    watched_.sweep();
    hold(watched_.broken().empty(), watched_.broken());
  }

  void open() {
    // One address each, as the oracle knows no programs; of one network, which counts for max_clients_per_ip.
    ++connections_;
    Endpoint peer{.address = {0x20, 0x01, 0x0d, 0xb8}, .port = 1, .family = Endpoint::Family::V6};
    peer.address[14] = static_cast<std::uint8_t>(connections_ >> 8U);
    peer.address[15] = static_cast<std::uint8_t>(connections_);
    if (const auto conn = watched_.open(peer, now_)) opened_.push_back(*conn);
  }

  // A client that was opened, and may be gone; no client where none was.
  ConnId anybody() {
    const std::size_t back = input_.below(kClientsMax);
    return opened_.empty() ? ConnId{} : opened_[opened_.size() - 1 - std::min(back, opened_.size() - 1)];
  }

  static std::string framed(std::string_view body) {
    std::string frame;
    append_frame(frame, body);
    return frame;
  }

  void receive_body(std::string_view body) {
    if (!body.empty()) watched_.receive(anybody(), framed(body), now_);
  }

  std::string any_beat() {
    constexpr std::array kIds{"", "a", "b", "c", "", "10.0.0.1:1", "a", ""};
    constexpr std::array kStatuses{Status::Alive, Status::Alive, Status::Leave, Status::Close};
    const unsigned bits = input_.byte();
    Heartbeat heartbeat{.ip = "x", .status = kStatuses.at(bits & 3U), .id = kIds.at(bits >> 2U & 7U)};
    heartbeat.ack = (bits & 32U) != 0;
    heartbeat.notify = (bits & 64U) != 0;
    if ((bits & 128U) != 0) heartbeat.seq = heartbeat.pid = bits;
    return framed(encode(heartbeat));
  }

  void beat() {
    const ConnId conn = anybody();
    watched_.receive(conn, any_beat(), now_);
  }

  void part_of_a_beat() {
    const ConnId conn = anybody();
    const std::string frame = any_beat();
    const std::size_t from = input_.byte() % frame.size();
    watched_.receive(conn, std::string_view{frame}.substr(from, input_.byte()), now_);
  }

  void kick() {
    constexpr std::array kNames{
        "a", "b", "c", "nobody", "[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3]:1", ""};
    watched_.kick(kNames.at(input_.below(kNames.size())), "go", now_);
  }

  // To the next deadline, or one millisecond to either side of it.
  void wait_until_due() {
    const MonoTime due = watched_.monitor().next_deadline();
    const Millis off{static_cast<std::int64_t>(input_.below(3)) - 1};
    if (due != MonoTime::never()) now_ = std::max(now_, due + off);
  }

  void reload() {
    Settings settings = watched_.settings();
    const unsigned what = input_.byte();
    if ((what & 1U) != 0) settings.rule = rule_from(input_);
    if ((what & 2U) != 0) settings.brake = brake_from(input_, settings.rule);
    if ((what & 4U) != 0) settings.bounds = bounds_from(input_, settings.rule);
    settings.clients_max = 1 + input_.below(kClientsMax);
    settings.report_heartbeats = !settings.report_heartbeats;
    watched_.change_settings(settings, now_);
  }

  Input& input_;
  WatchedMonitor watched_;
  std::vector<ConnId> opened_;
  MonoTime now_{Millis{1'234'567}};
  unsigned connections_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input{data, size};
  Schedule{input}.run();
  return 0;
}
