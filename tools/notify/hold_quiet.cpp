#include "tools/notify/hold_quiet.h"

#include "tools/notify/change.h"

namespace heartbeat::notify {

bool HoldQuiet::leaves_out(const EventFacts& facts) {
  const Change change = change_of(facts);
  if (change == Change::Back || change == Change::Settled) {
    const bool loss_was_left_out = clients_.erase(facts.client) > 0;
    // A comeback ends what was told before the hold: an alert would fire for ever without it.
    return loss_was_left_out || (change == Change::Settled && !facts.on_hold.empty());
  }
  if (facts.on_hold.empty()) {
    // Told from here on, and so is the comeback.
    if (change == Change::Lost || change == Change::Worse) clients_.erase(facts.client);
    return false;
  }
  if (change == Change::Lost && clients_.size() < kClientsMax) clients_.insert(facts.client);
  return true;
}

}  // namespace heartbeat::notify
