// Clients that change again and again: a hook is notified of it once, then not until the client is calm.
//
// Forgets what it has counted with its process; the clients that flap are kept by the hook's state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/events/journal_reader.h"
#include "common/wall_time.h"
#include "tools/notify/body_json.h"

namespace heartbeat::notify {

class Flapping {
 public:
  // Changes are counted over this time, and a client without one for as long is calm.
  static constexpr Millis kWindow{10LL * 60 * 1000};
  // Clients whose changes are counted at one time.  A client beyond that is delivered as without damping.
  static constexpr std::size_t kClientsMax = 20'000;

  struct Client {
    std::string name{};
    std::uint64_t changes = 0;  // since it began, and before it within the window
    std::string last{};         // the kind of its last event
    WallTime last_at{};
    JournalCursor cursor{};  // of its last event
  };

  enum class Verdict : std::uint8_t { Tell, Begins, Silent };

  // `most`: changes within the window that are delivered one by one; 0: all are.
  explicit Flapping(unsigned most) : most_(most) {}

  // Counts the event.  With Begins one notice is due, with Silent none.
  [[nodiscard]] Verdict judge(const EventFacts& facts, const JournalCursor& cursor, WallTime at);

  // A client that has become calm, until forget().
  [[nodiscard]] const Client* calm(WallTime now) const;
  void forget(const std::string& name) { flapping_.erase(name); }

  // Null for a client that does not flap.
  [[nodiscard]] const Client* find(const std::string& name) const;

  [[nodiscard]] std::vector<Client> clients() const;
  void load(const std::vector<Client>& clients);

 private:
  unsigned most_;
  std::map<std::string, std::deque<WallTime>> recent_;  // changes within the window, at most `most_` + 1
  std::map<std::string, Client> flapping_;
};

// `{"type":"flapping",…}` as it begins, and `{"type":"calm",…}` as it ends.
[[nodiscard]] std::string flapping_object(const Flapping::Client& client);
[[nodiscard]] std::string calm_object(const Flapping::Client& client);

}  // namespace heartbeat::notify
