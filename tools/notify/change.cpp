#include "tools/notify/change.h"

namespace heartbeat::notify {

Change change_of(const EventFacts& facts) {
  if (facts.client.empty()) return Change::None;
  if (facts.event == "leave") return Change::Lost;
  if (facts.event == "return" || facts.event == "joined") return Change::Back;
  if (facts.event != "close") return Change::None;
  if (facts.reason == "goodbye" || facts.reason == "kicked") return Change::Settled;
  if (facts.by != "daemon") return Change::None;
  return facts.reason == "silent" || facts.reason == "away" ? Change::Worse : Change::Lost;
}

}  // namespace heartbeat::notify
