#include "daemon/core/holds.h"

#include <algorithm>
#include <utility>

#include "common/limits.h"

namespace heartbeat {
namespace {

bool ends_earlier(const Hold& a, const Hold& b) {
  return a.until < b.until;
}

}  // namespace

bool Holds::put(Hold&& hold) {
  const auto same = std::find_if(holds_.begin(), holds_.end(),
                                 [&](const Hold& other) { return other.clients == hold.clients; });
  if (same != holds_.end()) {
    *same = std::move(hold);
  } else if (holds_.size() < limits::kHoldsMax) {
    holds_.push_back(std::move(hold));
  } else {
    return false;
  }
  find_next();
  return true;
}

std::optional<Hold> Holds::take(std::string_view pattern) {
  const auto found = std::find_if(holds_.begin(), holds_.end(),
                                  [&](const Hold& hold) { return hold.clients.text == pattern; });
  if (found == holds_.end()) return {};
  Hold hold = std::move(*found);
  holds_.erase(found);
  find_next();
  return hold;
}

Hold Holds::take_first() {
  const auto first = std::min_element(holds_.begin(), holds_.end(), ends_earlier);
  Hold hold = std::move(*first);
  holds_.erase(first);
  find_next();
  return hold;
}

void Holds::find_next() noexcept {
  const auto first = std::min_element(holds_.begin(), holds_.end(), ends_earlier);
  next_ = first == holds_.end() ? MonoTime::never() : first->until;
}

const Hold* Holds::find(std::string_view client, MonoTime at) const {
  const Hold* last = nullptr;
  for (const Hold& hold : holds_) {
    const bool lasts = hold.since <= at && at < hold.until;
    if (lasts && hold.clients.glob.matches(client) && (last == nullptr || ends_earlier(*last, hold))) {
      last = &hold;
    }
  }
  return last;
}

}  // namespace heartbeat
