// The measurements: each starts a server, lets clients do something, and sees what it cost.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "tools/bench/generator.h"
#include "tools/bench/options.h"
#include "tools/bench/results.h"

namespace heartbeat::bench {

// How much of everything; less of it for --quick, and where descriptors are few.
struct Size {
  std::size_t clients = 10'000;
  std::size_t clients_held = 15'000;
  std::size_t silent = 1'000;
  double per_second = 50'000;
  double per_second_slow = 1'500;
  double connects_per_second = 10'000;
  std::size_t core_clients_max = 1'000'000;
  std::uint64_t core_heartbeats = 10'000'000;
};

class Sessions {
 public:
  using Progress = std::function<void(const std::string&)>;

  Sessions(const Options& options, const Size& size, Cores cores, Results& results, Progress progress)
      : options_(options), size_(size), cores_(cores), results_(results), progress_(std::move(progress)) {}

  // Every wanted row, round by round.  Throws Trouble; what was measured until then is in the results.
  void run();

 private:
  // Starts a server under measurement, or finds a running one.
  using Start = std::function<std::unique_ptr<Server>()>;

  void round(unsigned number);
  void every_row(const Start& start);
  void busy(Server& server);
  void held(Server& server);
  void churn(Server& server);
  void curve_by_rate(Server& server);
  void curve_by_clients(Server& server);
  void lateness(bool listing);
  void core();

  [[nodiscard]] Start starter(ServerKind kind) const;
  [[nodiscard]] Generator generator_for(const Server& server) const;

  // What each heartbeat of that load costs, in nanoseconds.
  struct Cost {
    double server;       // processor time of the server
    double with_writes;  // and what the generator's calls that write took: on loopback they also receive
  };
  Cost cost_of_beats(Server& server, Generator& generator, double per_second, std::size_t in_a_write,
                     std::chrono::milliseconds length);
  // Each client beats once.
  void beat_once(Server& server, Generator& generator) const;
  void held_memory(Server& server, const Generator& generator, const Memory& before);
  void memory_after(Server& server, Generator& generator, const Memory& before);

  // How many heartbeats the server has handled: by its own count, or by its answers.
  [[nodiscard]] static std::uint64_t handled_by(Server& server, Generator& generator);
  // Waits until the server has handled `count` more than before.
  static void await_heartbeats(Server& server, Generator& generator, std::uint64_t before,
                               std::uint64_t sent);
  static void await_accepted(Server& server, std::uint64_t clients);
  static void await_closed(Server& server);

  void add(std::string metric, const std::string& server, double value) {
    results_.add(std::move(metric), server, round_, value);
  }
  void say(std::string_view server, const std::string& what) const;
  void note(const std::string& what);

  const Options& options_;
  Size size_;
  Cores cores_;
  Results& results_;
  Progress progress_;
  unsigned round_ = 0;
};

}  // namespace heartbeat::bench
