// The control protocol: any requests, in any order and interleaved with the life of the clients, are answered
// with frames of JSON that end, in slices that have a bound, and are logged without a forged line.
//
// Input: lines.  A line that begins with '!' does something to the fleet (see act()); any other is a request.
// Each line also lets every answer that is not ended yet go on by one slice.
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include "common/text.h"
#include "daemon/config/load.h"
#include "tests/control/support/desk.h"
#include "tests/fuzz/promise.h"

using namespace heartbeat;
using heartbeat::fuzz::hold;
using heartbeat::test::Desk;

namespace {

constexpr std::size_t kLinesMax = 200;
constexpr std::size_t kAnswersMax = 20;

// What is logged has to be a line of its own.
class PrintableOnly final : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    hold(is_printable({message.payload.data(), message.payload.size()}), "a log line is one printable line");
  }
  void flush_() override {}
};

void log_to_the_judge() {
  static const bool done = [] {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("fuzz", std::make_shared<PrintableOnly>()));
    return true;
  }();
  static_cast<void>(done);
  spdlog::set_level(spdlog::level::info);
}

Settings with_little_memory() {
  Settings settings;
  settings.remember = 64;
  return settings;
}

// A daemon with an operator that sends requests.
class World {
 public:
  World() {
    desk_.settings = list_settings(LoadedConfig{});
    make_reload();
  }

  void line(std::string_view text) {
    if (text.starts_with('!')) {
      act(text.substr(1));
    } else if (answers_.size() < kAnswersMax) {
      answers_.push_back(desk_.ask(text));
    }
    for (auto& answer : answers_) go_on(answer, steps_);
    std::erase(answers_, nullptr);
  }

  // Every session is read to its end, except one that watches.
  void finish() {
    for (auto& answer : answers_) {
      for (unsigned turns = 0; answer != nullptr && !answer->is_endless(); ++turns) {
        hold(turns < 100'000, "an answer comes to its end");
        go_on(answer, limits::kControlStepsPerTurn);
      }
    }
  }

 private:
  void act(std::string_view order) {
    const char what = order.empty() ? '\0' : order.front();
    const std::string_view name = order.substr(order.empty() ? 0 : 1, limits::kIdMax);
    switch (what) {
      case 'j': join(name); break;     // !jNAME  joins; without a name too
      case 'b': beat("alive"); break;  // the client that connected last, as in the next cases
      case 'l': beat("leave"); break;
      case 'g': beat("close"); break;
      case 'd': desk_.disconnect(last_, Reason::Reset); break;
      case 'p': desk_.pass(Millis{number(name)}); break;              // !pMILLISECONDS
      case 's': desk_.stall(Millis{number(name)}); break;             // !sMILLISECONDS
      case 't': steps_ = static_cast<unsigned>(number(name)); break;  // !tSTEPS in a turn
      case 'a': answers_.clear(); break;                              // the caller goes away
      case 'f':
        reload_fails_ = !reload_fails_;
        make_reload();
        break;
      default: break;
    }
  }

  static std::int64_t number(std::string_view digits) {
    std::int64_t value = 0;
    for (const char digit : digits.substr(0, 9)) {
      if (digit < '0' || digit > '9') break;
      value = value * 10 + (digit - '0');
    }
    return value;
  }

  void join(std::string_view name) {
    last_ = desk_.connect();
    desk_.beat(last_, is_printable(name) ? name : std::string_view{});
  }

  void beat(std::string_view status) { desk_.beat(last_, {}, status); }

  void go_on(std::unique_ptr<Answer>& answer, unsigned steps) {
    std::string slice;
    Steps left{steps};
    const Answer::State state = answer->go_on(slice, left);
    const bool endless = answer->is_endless();
    hold(!endless || state != Answer::State::Done, "an endless answer does not end");
    hold(endless || state != Answer::State::WaitsForEvents, "an answer that ends waits for nothing");
    hold(slice.size() <= limits::kControlSliceBytes + limits::kControlFrameMax + limits::kFramePrefixSize ||
             state == Answer::State::Done,
         "a slice has its bound");
    hold_frames(slice, state);
    if (state == Answer::State::Done) answer.reset();
  }

  static void hold_frames(std::string_view slice, Answer::State state) {
    const auto bodies = test::bodies_of(slice);  // throws where it is not frames
    for (const std::string& body : bodies) {
      hold(is_printable(body), "an answer's frame is printable UTF-8");
      hold(test::parsed(body).IsObject(), "an answer's frame is an object");
    }
    if (state != Answer::State::Done) return;
    hold(!bodies.empty(), "an answer has a last frame");
    const std::string type = test::member(bodies.back(), "type");
    hold(type == "done" || type == "error", "the last frame says done, or what was wrong");
  }

  void make_reload() {
    desk_.next_reload = {
        .changed = {{"tick", "10s", "5s"}}, .needs_restart = {{"backlog", "1", "2"}}, .errors = {}};
    if (reload_fails_)
      desk_.next_reload = {.changed = {}, .needs_restart = {}, .errors = {"the file is gone"}};
  }

  Desk desk_{with_little_memory()};
  std::vector<std::unique_ptr<Answer>> answers_;
  ConnId last_;
  unsigned steps_ = limits::kControlStepsPerTurn;
  bool reload_fails_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  log_to_the_judge();
  std::string_view rest{reinterpret_cast<const char*>(data), size};
  World world;
  for (std::size_t lines = 0; lines < kLinesMax && !rest.empty(); ++lines) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    world.line(rest.substr(0, end));
    rest.remove_prefix(std::min(rest.size(), end + 1));
  }
  world.finish();
  return 0;
}
