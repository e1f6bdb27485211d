#include "daemon/core/brake_report.h"

#include <algorithm>
#include <bit>

namespace heartbeat {
namespace {

unsigned bits_of(const Endpoint& endpoint) {
  return endpoint.family == Endpoint::Family::V4 ? 32 : 128;
}

// How many leading bits two addresses of one family share.
unsigned shared_bits(const Endpoint& a, const Endpoint& b) {
  unsigned shared = 0;
  for (std::size_t at = 0; at < bits_of(a) / 8; ++at) {
    const auto differing = static_cast<std::uint8_t>(a.address.at(at) ^ b.address.at(at));
    if (differing != 0) return shared + static_cast<unsigned>(std::countl_zero(differing));
    shared += 8;
  }
  return shared;
}

}  // namespace

void CommonSubnet::add(const Endpoint& endpoint) {
  if (!first_) {
    first_ = endpoint;
    bits_ = bits_of(endpoint);
  } else if (endpoint.family != first_->family) {
    bits_ = 0;
  } else {
    bits_ = std::min(bits_, shared_bits(*first_, endpoint));
  }
}

std::string CommonSubnet::text() const {
  if (!first_ || bits_ == 0) return {};
  if (bits_ == bits_of(*first_)) return address_string(*first_);
  Endpoint network = *first_;
  for (unsigned bit = bits_; bit < bits_of(network); ++bit) {
    network.address.at(bit / 8) &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
  }
  return address_string(network) + "/" + std::to_string(bits_);
}

void CommonTraits::add(const Client& client) {
  subnet_.add(client.peer);
  one_group_ = one_group_ && (!listener_ || group_ == client.group);
  group_ = client.group;
  one_listener_ = one_listener_ && (!listener_ || *listener_ == client.listener);
  listener_ = client.listener;
  heard_first_ = std::min(heard_first_, client.last_heard);
  heard_last_ = std::max(heard_last_, client.last_heard);
}

BrakeReport CommonTraits::report(const BrakeSpan& span, const std::vector<Endpoint>& listeners,
                                 const GroupList& groups) const {
  BrakeReport report{.span = span, .subnet = subnet_.text()};
  if (!listener_) return report;  // every client concerned is gone again
  report.heard_first = heard_first_;
  report.heard_last = heard_last_;
  if (one_listener_ && *listener_ != kNoListener) report.listener = listeners.at(*listener_);
  const Group* const group = groups.find(group_);
  if (one_group_ && group != nullptr) report.group = group->name;
  return report;
}

}  // namespace heartbeat
