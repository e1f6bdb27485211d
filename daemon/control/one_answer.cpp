#include "daemon/control/one_answer.h"

#include <utility>

#include <spdlog/spdlog.h>

#include "common/json_frame.h"
#include "common/limits.h"

namespace heartbeat {
namespace {

// `desk`: null where the answer waits for nothing.
class OneAnswer final : public Answer {
 public:
  OneAnswer(const OperatorDesk* desk, std::function<void(std::string&)> make)
      : desk_(desk), make_(std::move(make)) {}

  State go_on(std::string& slice, Steps& steps) override {
    if (desk_ != nullptr && desk_->is_judging()) return State::WaitsForTurn;
    steps.spend(limits::kStepsPerOnce);
    make_(slice);
    return State::Done;
  }

 private:
  const OperatorDesk* desk_;
  std::function<void(std::string&)> make_;
};

}  // namespace

std::unique_ptr<Answer> one_answer(std::function<void(std::string& out)> make) {
  return std::make_unique<OneAnswer>(nullptr, std::move(make));
}

std::unique_ptr<Answer> answer_after_judging(const OperatorDesk& desk,
                                             std::function<void(std::string& out)> make) {
  return std::make_unique<OneAnswer>(&desk, std::move(make));
}

std::unique_ptr<Answer> error_answer(std::string_view code, std::string message) {
  return one_answer([code = std::string{code}, message = std::move(message)](std::string& out) {
    append_error(out, code, message);
  });
}

void append_error(std::string& out, std::string_view code, std::string_view message) {
  append_json_frame(out, [&](JsonWriter& json) {
    json.add("type", "error");
    json.add("code", code);
    json.add("message", message);
  });
}

void append_done(std::string& out) {
  append_json_frame(out, [](JsonWriter& json) { json.add("type", "done"); });
}

void log_change(std::string_view command, Operator who, std::string_view what) {
  spdlog::info("operator command={} uid={} pid={}{}", command, who.uid, who.pid, what);
}

}  // namespace heartbeat
