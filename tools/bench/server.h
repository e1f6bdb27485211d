// A server under measurement: a process of its own on a core of its own, and what it says it has handled.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/endpoint.h"
#include "tools/bench/dialect.h"
#include "tools/bench/machine.h"
#include "tools/bench/server_kind.h"

namespace heartbeat::bench {

// Totals since its start.
struct Handled {
  std::uint64_t accepted = 0;
  std::uint64_t closed = 0;
  std::uint64_t bytes = 0;       // of a reference server, which knows no heartbeats
  std::uint64_t heartbeats = 0;  // of the daemon
};

struct Memory {
  std::uint64_t rss = 0;  // bytes
  std::uint64_t pss = 0;
};

// What the kernel says of a process.
class Account {
 public:
  explicit Account(int process) : process_(process) {}

  // The time that it has run for, in all its threads: in nanoseconds, from the scheduler's own account.
  [[nodiscard]] Nanos cpu() const;
  [[nodiscard]] Memory memory() const;

 private:
  int process_;
};

// A child process; it is ended, and waited for, when this goes away.
class Process {
 public:
  // Runs the program on that core.  `keep` are descriptors that it gets as 3, 4 and so on; what it says on
  // standard error goes to `log`.
  Process(const std::vector<std::string>& command, int core, const std::vector<int>& keep, int log);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  Process(Process&&) = delete;
  Process& operator=(Process&&) = delete;

  [[nodiscard]] Account account() const { return Account{id_}; }
  [[nodiscard]] bool has_ended();

 private:
  int id_;
  bool ended_ = false;
};

class Server {
 public:
  Server() = default;
  virtual ~Server() = default;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  Server(Server&&) = delete;
  Server& operator=(Server&&) = delete;

  [[nodiscard]] virtual ServerKind kind() const = 0;
  [[nodiscard]] virtual std::string name() const { return std::string{to_string(kind())}; }
  [[nodiscard]] virtual const Endpoint& address() const = 0;
  [[nodiscard]] virtual Account account() const = 0;
  // What its clients speak.
  [[nodiscard]] virtual Dialect::Kind dialect() const { return Dialect::Kind::Heartbeat; }

  // Asks it; of the daemon, through its control socket, which costs it some time.  Nothing of a peer: what it
  // has handled it has answered.
  [[nodiscard]] virtual Handled handled() = 0;
};

// Another project's program that runs already, on loopback.
struct Peer {
  std::string name;
  Dialect::Kind dialect;
  std::uint16_t port;
  int process;
};

// What the daemon is started with.
struct DaemonOptions {
  std::string program;             // its path
  std::vector<std::string> flags;  // as a user would give them
  int backlog = 4096;              // of every server
};

[[nodiscard]] std::unique_ptr<Server> start_server(ServerKind kind, const DaemonOptions& options, int core);
[[nodiscard]] std::unique_ptr<Server> attach_to(const Peer& peer);

// What main() does where it finds itself started as a reference server; does not return then.
void become_reference_server(int argc, const char* const* argv);

}  // namespace heartbeat::bench
