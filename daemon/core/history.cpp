#include "daemon/core/history.h"

#include <algorithm>

#include "common/limits.h"

namespace heartbeat {

void History::add(const Moment& moment) {
  if (moments_.size() == limits::kMomentsMax) {
    const auto is_gap = [](const Moment& known) { return known.kind == Moment::Kind::Gap; };
    const auto gap = std::find_if(moments_.begin(), moments_.end(), is_gap);
    moments_.erase(gap != moments_.end() ? gap : moments_.begin());
    ++forgotten_;
  }
  moments_.push_back(moment);
}

}  // namespace heartbeat
