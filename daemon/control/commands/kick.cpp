// kick: closes clients by name, a frame for each.
#include <utility>

#include "common/json_frame.h"
#include "common/text.h"
#include "daemon/control/commands/all.h"
#include "daemon/control/one_answer.h"

namespace heartbeat::commands {
namespace {

struct KickRequest {
  std::vector<std::string> clients;
  std::string message;  // printable; may be empty
};

class KickAnswer final : public Answer {
 public:
  KickAnswer(OperatorDesk& desk, Operator who, KickRequest request)
      : desk_(desk), who_(who), request_(std::move(request)) {}

  State go_on(std::string& slice, Steps& steps) override {
    for (; may_go_on(slice, steps) && next_ < request_.clients.size(); ++next_) {
      const std::string& name = request_.clients[next_];
      steps.spend(limits::kStepsPerKick);
      const bool kicked = desk_.kick(name, request_.message);
      if (kicked) {
        ++count_;
        log_change("kick", who_, " client=" + log_value(name));
      }
      append_json_frame(slice, [&](JsonWriter& json) {
        json.add("type", kicked ? "kicked" : "not_found");
        json.add("client", name);
      });
    }
    if (next_ < request_.clients.size()) return State::Unfinished;
    append_json_frame(slice, [&](JsonWriter& json) {
      json.add("type", "done");
      json.add("count", count_);
    });
    return State::Done;
  }

 private:
  OperatorDesk& desk_;
  Operator who_;
  KickRequest request_;
  std::size_t next_ = 0;
  std::size_t count_ = 0;
};

}  // namespace

Reading read_kick(Members& request) {
  KickRequest kick{.clients = request.texts("clients"), .message = request.text("message").value_or("")};
  if (kick.clients.empty()) request.refuse("clients", "is required: an array of names");
  // The answer repeats the names to the operator's terminal.
  for (const std::string& name : kick.clients) {
    if (is_printable(name)) continue;
    request.refuse("clients",
                   "has one that no client can have: '" + escaped(name, limits::kExcerptMax) + "'");
  }
  if (kick.message.size() > limits::kKickMessageMax || !is_printable(kick.message)) {
    request.refuse("message",
                   "must be at most " + std::to_string(limits::kKickMessageMax) + " bytes of printable text");
  }
  return request.made(Order{[kick = std::move(kick)](Operator who, ControlContext& context) {
    return std::make_unique<KickAnswer>(context.desk, who, kick);
  }});
}

}  // namespace heartbeat::commands
