// What the monitor wants done: bytes to send and connections to close, in order, and what happened meanwhile.
//
// The core never calls out; it fills one of these, and the owner of the sockets applies it afterwards.  Made
// to be cleared and used again, so that an ordinary heartbeat allocates nothing; but what a thousand verdicts
// of one instant took goes back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/connection_id.h"
#include "daemon/core/event.h"

namespace heartbeat {

class Effects {
 public:
  struct Order {
    enum class Kind : std::uint8_t { Send, Close };
    Kind kind;
    ConnId conn;
    std::size_t begin;  // of Send: its bytes, in the common buffer
    std::size_t end;
  };

  // Orders what `append` adds to the buffer it is given to be sent.
  template <class Append>
  void send(ConnId conn, Append append) {
    const std::size_t begin = bytes_.size();
    append(bytes_);
    orders_.push_back({Order::Kind::Send, conn, begin, bytes_.size()});
  }
  // After everything that was ordered to be sent; the monitor has forgotten the connection already.
  void close(ConnId conn) { orders_.push_back({Order::Kind::Close, conn, 0, 0}); }
  void tell(Event&& event) { events_.push_back(std::move(event)); }
  // The next event can be added without allocating.
  void make_room() {
    if (events_.size() == events_.capacity()) events_.reserve(2 * events_.size() + 1);
  }

  // Not to be read, or to be read again: before the orders are carried out, and in this order.
  struct Reading {
    ConnId conn;
    bool on;
  };
  void read(ConnId conn, bool on) { readings_.push_back({conn, on}); }
  [[nodiscard]] const std::vector<Reading>& readings() const { return readings_; }

  [[nodiscard]] const std::vector<Order>& orders() const { return orders_; }
  [[nodiscard]] const std::vector<Event>& events() const { return events_; }
  [[nodiscard]] std::string_view bytes(const Order& order) const {
    return std::string_view{bytes_}.substr(order.begin, order.end - order.begin);
  }

  void clear() {
    // As after nearly every heartbeat; and none has more room than it was left the last time.
    const bool is_empty = orders_.empty() && readings_.empty() && events_.empty() && bytes_.empty();
    if (!is_empty) clear_all();
  }

  // Bytes that it holds for the next time.
  [[nodiscard]] std::size_t room() const {
    return orders_.capacity() * sizeof(Order) + readings_.capacity() * sizeof(Reading) +
           events_.capacity() * sizeof(Event) + bytes_.capacity();
  }

 private:
  [[gnu::noinline]] void clear_all() {
    clear(orders_);
    clear(readings_);
    clear(events_);
    clear(bytes_);
  }

  template <class Container>
  static void clear(Container& container) {
    constexpr std::size_t kKept = 64UL * 1024 / sizeof(typename Container::value_type);
    container.clear();
    if (container.capacity() > kKept) container.shrink_to_fit();
  }

  std::vector<Order> orders_;
  std::vector<Reading> readings_;
  std::vector<Event> events_;
  std::string bytes_;
};

}  // namespace heartbeat
