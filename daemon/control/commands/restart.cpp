// restart: another process takes the daemon's place, and goes on with the connected clients.
//
// If there is no restart, the answer is an error that says why.  If there is one, the next process answers on
// the same connection (daemon/restarter.h): done.
#include "daemon/control/commands/all.h"
#include "daemon/control/one_answer.h"

namespace heartbeat::commands {
namespace {

class RestartAnswer final : public Answer {
 public:
  explicit RestartAnswer(const OperatorDesk& desk) : desk_(desk) {}

  State go_on(std::string& slice, Steps& /*steps*/) override {
    const RestartAttempt& attempt = desk_.restart_attempt();
    if (attempt.under_way) return State::WaitsForEvents;
    append_error(slice, "restart_refused", attempt.error);
    return State::Done;
  }

  [[nodiscard]] bool waits_for_restart() const override { return true; }

 private:
  const OperatorDesk& desk_;
};

}  // namespace

Reading read_restart(Members& request) {
  return request.made(Order{[](Operator who, ControlContext& context) -> std::unique_ptr<Answer> {
    log_change("restart", who, "");
    context.desk.begin_restart();
    return std::make_unique<RestartAnswer>(context.desk);
  }});
}

}  // namespace heartbeat::commands
