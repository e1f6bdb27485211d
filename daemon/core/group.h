// A kind of clients with a rule of its own: a [[group]] of the configuration.
//
// A client is matched at its accept by what is known of it then, again at its first heartbeat, and again when
// it gives its id: it is in the first group of the list all of whose conditions it meets.  A client that is
// in none of them has the settings of the configuration's top level.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/endpoint.h"
#include "common/glob.h"
#include "daemon/core/bounds.h"
#include "daemon/core/rule.h"

namespace heartbeat {

// A client's number for its group: the place in the list, from 1.
using GroupNumber = std::uint8_t;
inline constexpr GroupNumber kNoGroup = 0;
// What the clients that are in no group are called where a name is needed; no group may have it.
inline constexpr std::string_view kDefaultGroup = "default";

// What is known of a client that decides which group it is in.
struct GroupTraits {
  std::string_view id{};               // empty: none yet
  std::string_view credential{};       // the name of its token or certificate; empty: it has none
  const Endpoint* listener = nullptr;  // where it connected to; null: not known
  std::string_view named{};            // the group that its heartbeat names; empty: none
};

// A pattern, which is compared by its text.
struct NamePattern {
  std::string text;
  Glob glob;

  friend bool operator==(const NamePattern& a, const NamePattern& b) { return a.text == b.text; }
};

struct Group {
  std::string name;

  // The conditions.  A list that is empty is met by every client.
  std::vector<NamePattern> ids{};
  std::vector<NamePattern> credentials{};
  std::vector<Endpoint> listeners{};
  bool by_name = false;  // its heartbeat must name the group

  Rule rule{};
  Bounds bounds{};  // frame_timeout and max_clients_per_ip are those of every client

  [[nodiscard]] bool matches(const GroupTraits& traits) const;

  friend bool operator==(const Group&, const Group&) = default;
};

// The groups in the order in which they are tried, at most limits::kGroupsMax.  Immutable and shared: a copy
// costs no memory, and cannot fail.
class GroupList {
 public:
  GroupList() = default;
  explicit GroupList(std::vector<Group> groups)
      : groups_(std::make_shared<const std::vector<Group>>(std::move(groups))) {}

  [[nodiscard]] const std::vector<Group>& all() const;

  // Null for kNoGroup, and for a number that the list has not.
  [[nodiscard]] const Group* find(GroupNumber number) const {
    return number == kNoGroup || groups_ == nullptr || number > groups_->size() ? nullptr
                                                                                : &(*groups_)[number - 1U];
  }

  // kNoGroup where no group has the name.
  [[nodiscard]] GroupNumber number_of(std::string_view name) const;

  [[nodiscard]] GroupNumber match(const GroupTraits& traits) const;

  friend bool operator==(const GroupList& a, const GroupList& b) {
    return a.groups_ == b.groups_ || a.all() == b.all();
  }

 private:
  std::shared_ptr<const std::vector<Group>> groups_;  // null: there are none
};

}  // namespace heartbeat
