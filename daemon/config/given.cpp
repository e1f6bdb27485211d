#include "daemon/config/given.h"

#include "common/limits.h"

namespace heartbeat {
namespace {

std::string to_string(const Mistake& mistake) {
  if (mistake.where.kind == Origin::Kind::File) {
    const std::string key = mistake.key.empty() ? "" : mistake.key + ": ";
    return mistake.where.text + ":" + std::to_string(mistake.where.column) + ": " + key + mistake.what;
  }
  const auto row = find_setting(mistake.key);
  const bool by_flag = mistake.where.kind == Origin::Kind::Flag && row.has_value();
  return "heartbeatd: " + (by_flag ? flag_of(all_settings()[*row]) : mistake.key) + ": " + mistake.what;
}

}  // namespace

std::vector<std::string> lines_of(const std::vector<Mistake>& mistakes) {
  std::vector<std::string> lines;
  for (const Mistake& mistake : mistakes) {
    if (lines.size() == limits::kConfigErrorsShown) {
      lines.push_back("heartbeatd: and " + std::to_string(mistakes.size() - lines.size()) +
                      " more mistakes like these");
      break;
    }
    lines.push_back(to_string(mistake));
  }
  return lines;
}

}  // namespace heartbeat
