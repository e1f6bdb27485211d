// heartbeatd under measurement: with a control socket in a folder of its own, asked for what it has handled.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/descriptor.h"
#include "tools/bench/server.h"

namespace heartbeat::bench {

// How late verdicts were, from the daemon's own histogram, in milliseconds.
struct Lateness {
  std::int64_t count = 0;
  std::int64_t p50 = 0;
  std::int64_t p99 = 0;
  std::int64_t max = 0;
};

// A folder that goes away with its scope, with what is in it.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  Folder(Folder&&) = delete;
  Folder& operator=(Folder&&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class DaemonServer final : public Server {
 public:
  DaemonServer(const DaemonOptions& options, int core);

  [[nodiscard]] ServerKind kind() const override { return ServerKind::Daemon; }
  [[nodiscard]] const Endpoint& address() const override { return address_; }
  [[nodiscard]] Account account() const override { return process_->account(); }
  [[nodiscard]] Handled handled() override;

  [[nodiscard]] Lateness verdict_lateness() const;
  [[nodiscard]] std::int64_t stalls() const;

  // Asks for a list of all clients, page by page, and returns how many were named.  May be called by another
  // thread than everything else.
  [[nodiscard]] std::uint64_t list_all() const;

  // What it said on standard error.
  [[nodiscard]] std::string log() const;

 private:
  void wait_for_start();

  Folder folder_;
  std::string control_;
  Descriptor log_;
  std::unique_ptr<Process> process_;
  Endpoint address_;
};

}  // namespace heartbeat::bench
