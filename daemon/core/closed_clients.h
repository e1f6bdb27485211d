// The clients that were closed last, so that one that comes back is known for who it was.
//
// Bounded: one past the bound, the one closed longest ago is forgotten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/endpoint.h"
#include "common/mono_time.h"
#include "common/status.h"
#include "daemon/core/history.h"
#include "daemon/core/reason.h"

namespace heartbeat {

struct ClosedClient {
  std::string name;  // its id, or its address where it had none
  Endpoint peer;
  std::string claimed_ip;
  std::optional<std::uint32_t> pid;
  Status status = Status::Alive;  // when it was closed: alive or leave
  bool away = false;              // it was in leave by its own declaration
  Reason reason = Reason::PeerClosed;
  Party by = Party::Client;
  MonoTime connected_at;
  MonoTime last_heard;
  MonoTime closed_at;
  std::uint64_t heartbeats = 0;
  std::uint32_t nearest_to_leave = 0;  // silent ticks, see client.h
  std::string detail;                  // of the close: a sentence, or empty
  std::unique_ptr<History> history;    // null where there was nothing to tell
};

class ClosedClients {
 public:
  explicit ClosedClients(std::size_t max) : max_(max) {}

  // Where more are remembered than the new bound allows, the ones closed longest ago are forgotten.
  void set_max(std::size_t max);

  // A client of the same name that is remembered already is forgotten for it.
  void remember(ClosedClient closed);

  // The client of that name, which is then no longer remembered.
  [[nodiscard]] std::optional<ClosedClient> take(std::string_view name);

  [[nodiscard]] const ClosedClient* find(std::string_view name) const;
  [[nodiscard]] std::size_t size() const { return oldest_first_.size(); }

 private:
  using Place = std::list<ClosedClient>::iterator;

  void forget(Place place);

  std::size_t max_;
  std::list<ClosedClient> oldest_first_;
  std::unordered_map<std::string_view, Place> by_name_;  // views of the names in the list
};

}  // namespace heartbeat
