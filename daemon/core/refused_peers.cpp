#include "daemon/core/refused_peers.h"

#include <utility>

namespace heartbeat {
namespace {

Endpoint without_port(Endpoint address) {
  address.port = 0;
  return address;
}

// The diagnosis without its numbers and quotations, a byte at a time.
class Essence {
 public:
  explicit Essence(std::string_view text) : text_(text) {}

  // '\0' at the end.
  char next() {
    while (!text_.empty()) {
      const char byte = text_.front();
      text_.remove_prefix(1);
      if (byte == '"') {
        skip_quotation();
      } else if (byte < '0' || byte > '9') {
        return byte;
      }
    }
    return '\0';
  }

 private:
  void skip_quotation() {
    for (bool is_escaped = false; !text_.empty();) {
      const char byte = text_.front();
      text_.remove_prefix(1);
      if (byte == '"' && !is_escaped) return;
      is_escaped = byte == '\\' && !is_escaped;
    }
  }

  std::string_view text_;
};

bool have_one_essence(std::string_view one, std::string_view other) {
  Essence first{one};
  Essence second{other};
  for (;;) {
    const char byte = first.next();
    if (byte != second.next()) return false;
    if (byte == '\0') return true;
  }
}

}  // namespace

bool is_alike(const Refused& one, const Refused& other) {
  return one.reason == other.reason && one.bad_input == other.bad_input &&
         have_one_essence(one.detail, other.detail);
}

const RefusedPeer& RefusedPeers::add(Refused&& refused) {
  const Endpoint address = without_port(refused.peer);
  if (const auto known = index_.find(address); known != index_.end()) {
    RefusedPeer& peer = *known->second;
    const bool follows = refused.at - peer.latest.at < kConditionQuiet && is_alike(peer.latest, refused);
    peer.alike = follows ? peer.alike + 1 : 1;
    ++peer.count;
    peer.latest = std::move(refused);
    peers_.splice(peers_.begin(), peers_, known->second);
    return peer;
  }
  const MonoTime since = refused.at;
  restore({.latest = std::move(refused), .since = since, .count = 1, .alike = 1});
  return peers_.front();
}

void RefusedPeers::restore(RefusedPeer&& peer) {
  const Endpoint address = without_port(peer.latest.peer);
  std::list<RefusedPeer> added;
  added.push_back(std::move(peer));
  index_.emplace(address, added.begin());
  peers_.splice(peers_.begin(), added);  // cannot fail, and the index's iterator stays valid
  if (peers_.size() <= max_) return;
  index_.erase(without_port(peers_.back().latest.peer));
  peers_.pop_back();
}

const RefusedPeer* RefusedPeers::find(const Endpoint& address) const {
  const auto known = index_.find(without_port(address));
  return known == index_.end() ? nullptr : &*known->second;
}

std::size_t RefusedPeers::Hash::operator()(const Endpoint& address) const {
  return keyed_hash(key, {reinterpret_cast<const char*>(address.address.data()), address.address.size()});
}

}  // namespace heartbeat
