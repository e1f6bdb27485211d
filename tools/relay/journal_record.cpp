#include "tools/relay/journal_record.h"

#include <algorithm>
#include <array>
#include <utility>

namespace heartbeat::relay {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kMessageIds{{
    {"publishing", "1c99d5b34ecc4c8d9d871c5cf80158c5"},
    {"fenced", "de0683a9055f42868f7d352e90394559"},
    {"redis_away", "ba9fd74f48fb45c2b077b6f911de0700"},
    {"redis_refused", "078856cd9903433291aab460ae8b33d1"},
    {"daemon_away", "c7d8e4d131e74f7b830b2f32d0403597"},
    {"order", "5544e109b8b94773b11bbc3d3a903d97"},
    {"order_refused", "03eb9013d6b24deb8ecc642f16ddf8b0"},
    {"reload_refused", "b0334fec6fca422c8a399f05c4955450"},
    {"fight", "392c2c87c8cc470f8d021b1837f283a9"},
}};

}  // namespace

std::string_view message_id(std::string_view line) {
  const std::string_view word = line.substr(0, line.find(' '));
  const auto* const found = std::find_if(kMessageIds.begin(), kMessageIds.end(),
                                         [&](const auto& each) { return each.first == word; });
  return found == kMessageIds.end() ? std::string_view{} : found->second;
}

// A line has no end of line in it: what others said is escaped there.
std::string journal_record(std::string_view line, int priority) {
  std::string record = "MESSAGE=";
  record.append(line).append("\nPRIORITY=").append(std::to_string(priority));
  record += "\nSYSLOG_IDENTIFIER=heartbeat-relay\n";
  if (const std::string_view id = message_id(line); !id.empty())
    record.append("MESSAGE_ID=").append(id).append("\n");
  return record;
}

}  // namespace heartbeat::relay
