// Many sockets kept open in few descriptors: they lie in flight in Unix sockets, the bags.
//
// The service manager compares each descriptor that it is given with all that it has, so 10 000 of them would
// keep it busy for 22 s.  Of these it gets one for each bag.  A bag is its receiving end: what is in flight
// to it stays there without the sending end.  Looking into a bag leaves it full, so a process that dies while
// it looks loses nothing.
//
// A socket in a bag is open: a close of its last other descriptor sends nothing to the peer.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <tl/expected.hpp>

#include "common/descriptor.h"

namespace heartbeat {

class SocketBags {
 public:
  // Messages in a bag, each with at most os::kDescriptorsPerMessage sockets.  With the kernel's default
  // net.core.wmem_default (212992) the queue of a Unix socket holds 278 messages; this bound is less than
  // half of that, so that a machine with a smaller default takes it, too.
  static constexpr std::size_t kMessagesPerBag = 128;

  explicit SocketBags(std::size_t messages_per_bag = kMessagesPerBag) : messages_max_(messages_per_bag) {}

  // Adds duplicates of these sockets, in further bags where the present ones are full.  Returns 0 or an
  // error of errno, and then a part of the sockets may be in.
  [[nodiscard]] int put(std::span<const int> sockets);

  // The receiving ends.
  [[nodiscard]] const std::vector<Descriptor>& bags() const { return bags_; }
  // How many sockets were put in.
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  [[nodiscard]] int add_bag();

  std::size_t messages_max_;
  std::vector<Descriptor> bags_;
  Descriptor sending_{-1};    // to the last bag
  std::size_t messages_ = 0;  // in the last bag
  std::size_t size_ = 0;
};

// Duplicates of all sockets in a bag, closed on exec.  The error is of errno.
[[nodiscard]] tl::expected<std::vector<Descriptor>, int> look_into_bag(int bag);

}  // namespace heartbeat
