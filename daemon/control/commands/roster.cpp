// roster: the clients that are expected and not connected, or the clients that are connected and not
// expected.
#include "daemon/report/roster.h"

#include <memory>
#include <string>

#include "common/json_frame.h"
#include "daemon/control/commands/all.h"
#include "daemon/control/one_answer.h"

namespace heartbeat::commands {
namespace {

void append_name(std::string& slice, std::string_view type, std::string_view name) {
  append_json_frame(slice, [&](JsonWriter& json) {
    json.add("type", type);
    json.add("client", name);
  });
}

// A reload may bring another roster meanwhile, or none: each piece looks at the one in force.
class RosterAnswer final : public Answer {
 public:
  RosterAnswer(const OperatorDesk& desk, bool unexpected) : desk_(desk), unexpected_(unexpected) {}

  State go_on(std::string& slice, Steps& steps) override {
    const Attendance* const roster = desk_.attendance();
    if (roster == nullptr) {
      append_error(slice, "no_roster", "there is no roster: the setting roster is empty");
      return State::Done;
    }
    const std::size_t end = unexpected_ ? desk_.monitor().clients().slots() : roster->roster().ids().size();
    for (; may_go_on(slice, steps) && at_ < end; ++at_) {
      steps.spend(1);
      unexpected_ ? look_at_slot(slice, steps, *roster) : look_at_id(slice, steps, *roster);
    }
    if (at_ < end) return State::Unfinished;
    append_json_frame(slice, [&](JsonWriter& json) {
      json.add("type", "done");
      json.add("count", count_);
      json.add("expected", roster->roster().ids().size());
      json.add("missing", roster->missing());
    });
    return State::Done;
  }

 private:
  void look_at_id(std::string& slice, Steps& steps, const Attendance& roster) {
    if (roster.is_there(at_)) return;
    append(slice, steps, "missing", roster.roster().ids()[at_]);
  }

  // Of clients without an id there is nothing to expect.
  void look_at_slot(std::string& slice, Steps& steps, const Attendance& roster) {
    const Client* const client = desk_.monitor().clients().at(static_cast<std::uint32_t>(at_));
    if (client == nullptr || client->id.empty()) return;
    if (roster.roster().find(client->id.view()) < roster.roster().ids().size()) return;
    append(slice, steps, "unexpected", client->id.view());
  }

  void append(std::string& slice, Steps& steps, std::string_view type, std::string_view name) {
    append_name(slice, type, name);
    steps.spend(limits::kStepsPerObject);
    ++count_;
  }

  const OperatorDesk& desk_;
  bool unexpected_;
  std::size_t at_ = 0;
  std::size_t count_ = 0;
};

}  // namespace

Reading read_roster(Members& request) {
  const std::string list = request.text("list").value_or("missing");
  if (list != "missing" && list != "unexpected") request.refuse("list", "is not one of missing, unexpected");
  return request.made(Order{[list](Operator, ControlContext& context) {
    return std::make_unique<RosterAnswer>(context.desk, list == "unexpected");
  }});
}

}  // namespace heartbeat::commands
