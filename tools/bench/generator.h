// The load: clients on real sockets, from one thread.
//
// Each client has a phase of its own, so that heartbeats come as from a fleet of programs that know nothing
// of each other, in an order that is not that of their accepts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/endpoint.h"
#include "tools/bench/dialect.h"
#include "tools/bench/machine.h"

namespace heartbeat::bench {

// What was sent, and whether it was what was asked for.
struct Sent {
  std::uint64_t writes = 0;
  std::uint64_t heartbeats = 0;
  Nanos took{0};
  Nanos worst_late{0};  // a write, behind its instant
  Nanos in_writes{0};   // how long the calls that write took
};

struct Churned {
  std::uint64_t connections = 0;
  Nanos took{0};
};

class Generator {
 public:
  // `precise`: writes each heartbeat at its instant, and takes a core for it.
  Generator(const Endpoint& server, const Dialect& dialect, bool precise)
      : server_(server), dialect_(dialect), precise_(precise) {}
  ~Generator() { close_all(); }
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;
  Generator(Generator&&) = delete;
  Generator& operator=(Generator&&) = delete;

  // Connects that many more clients, evenly at `per_second`, and holds them.
  void connect(std::size_t clients, double per_second);

  // Writes at `per_second` for the time, each write of `batch` heartbeats, spread evenly over the clients
  // from `first` on.
  Sent beat(double per_second, std::chrono::milliseconds length, std::size_t heartbeats_per_write,
            std::size_t first = 0);

  // Connects, sends a heartbeat, shuts its side down, and waits for the server to close as well; this many
  // at once, over and over for the time.
  Churned churn(std::size_t at_once, std::chrono::milliseconds length);

  void close_all();

  [[nodiscard]] std::size_t clients() const { return clients_.size(); }
  [[nodiscard]] std::size_t frame_size() const { return dialect_.beat(0).size(); }
  [[nodiscard]] const Dialect& dialect() const { return dialect_; }

  // Reads what has been answered by now: how many heartbeats were, ever, on connections that are held.
  [[nodiscard]] std::uint64_t answered();

 private:
  [[nodiscard]] int open_socket();
  void greet(int client, std::size_t number);
  void read_answers(int client);

  Endpoint server_;
  Dialect dialect_;
  bool precise_;
  std::vector<int> clients_;
  std::uint64_t answer_bytes_ = 0;
  std::uint32_t opened_ = 0;  // sockets, ever: each source address has ports for a part of them
};

}  // namespace heartbeat::bench
