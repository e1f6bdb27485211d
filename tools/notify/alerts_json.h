// The alerts of one hook for an Alertmanager: one a client that is in leave or was closed by the daemon,
// until it is back or said goodbye.
//
// An Alertmanager keeps alerts in memory and lets them end by themselves, so firing alerts are sent again
// and again.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/wall_time.h"
#include "tools/notify/body_json.h"

namespace heartbeat::notify {

class AlertBook {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  // Clients with an alert at one time.  A client beyond that fires no alert of its own.
  static constexpr std::size_t kFiringMax = 20'000;

  explicit AlertBook(Labels labels) : labels_(std::move(labels)) {}

  // Takes the events in.  Returns what version 2 of the API takes: an array with each alert that began,
  // changed or ended; empty where none did.
  [[nodiscard]] std::string apply(const std::vector<Record>& records, WallTime now);

  // All alerts that fire, for being sent again; empty where there is none.
  [[nodiscard]] std::string firing(WallTime now) const;
  [[nodiscard]] std::size_t count() const { return firing_.size(); }

  // For a CursorFile.
  [[nodiscard]] std::string save() const;
  void load(const std::string& object);

 private:
  struct Alert {
    std::string since;
    std::string event;
    std::string reason;
    std::string peer;
  };

  void add_alert(std::string& body, const std::string& client, const Alert& alert,
                 std::string_view ends_at) const;

  Labels labels_;
  std::map<std::string, Alert> firing_;  // by client
};

}  // namespace heartbeat::notify
