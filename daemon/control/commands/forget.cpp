// forget: removes from memory the closed clients whose names match, which will not come back.
#include <string>
#include <utility>

#include "common/glob.h"
#include "common/json_frame.h"
#include "common/limits.h"
#include "common/text.h"
#include "daemon/control/commands/all.h"
#include "daemon/control/one_answer.h"

namespace heartbeat::commands {
namespace {

struct ForgetRequest {
  std::string match;
  Glob names;
};

class ForgetAnswer final : public Answer {
 public:
  ForgetAnswer(OperatorDesk& desk, Operator who, ForgetRequest request)
      : desk_(desk), who_(who), request_(std::move(request)) {}

  State go_on(std::string& slice, Steps& steps) override {
    // A reload may change how many places there are.
    for (; may_go_on(slice, steps) && place_ < desk_.monitor().closed_clients().max(); ++place_) {
      steps.spend(1);
      const ClosedClient* const client = desk_.monitor().closed_clients().at(place_);
      if (client == nullptr || !request_.names.matches(client->name)) continue;
      steps.spend(limits::kStepsPerKick);
      const std::string name{client->name};
      if (desk_.forget(name)) ++count_;
    }
    if (place_ < desk_.monitor().closed_clients().max()) return State::Unfinished;
    log_change("forget", who_, " match=" + log_value(request_.match) + " clients=" + std::to_string(count_));
    append_json_frame(slice, [&](JsonWriter& json) {
      json.add("type", "done");
      json.add("count", count_);
    });
    return State::Done;
  }

 private:
  OperatorDesk& desk_;
  Operator who_;
  ForgetRequest request_;
  std::size_t place_ = 0;
  std::size_t count_ = 0;
};

}  // namespace

Reading read_forget(Members& request) {
  ForgetRequest forget{.match = request.required_text("match"), .names = {}};
  if (!forget.match.empty()) {
    auto names = Glob::compile(forget.match);
    if (!names) request.refuse("match", names.error(), ": ");
    if (names) forget.names = std::move(*names);
    if (!is_printable(forget.match)) request.refuse("match", "is not printable text");
  }
  return request.made(Order{[forget = std::move(forget)](Operator who, ControlContext& context) {
    return std::make_unique<ForgetAnswer>(context.desk, who, forget);
  }});
}

}  // namespace heartbeat::commands
