#include "tools/bench/server.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fstream>
#include <new>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "common/descriptors.h"
#include "tools/bench/daemon_server.h"
#include "tools/bench/reference_server.h"
#include "tools/bench/trouble.h"

namespace heartbeat::bench {
namespace {

constexpr std::string_view kServeFlag = "--serve=";
constexpr int kFirstKept = 3;

ReferenceCounters& map_counters(int memory) {
  void* const place = mmap(nullptr, sizeof(ReferenceCounters), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  if (place == MAP_FAILED) throw system_trouble("cannot map the counters");
  return *static_cast<ReferenceCounters*>(place);
}

int listen_on_loopback(int backlog, Endpoint& local) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener, generic, size) != 0 || listen(listener, backlog) != 0 ||
      getsockname(listener, generic, &size) != 0) {
    throw system_trouble("cannot listen on 127.0.0.1");
  }
  local = *parse_endpoint("127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
  return listener;
}

class ReferenceServer final : public Server {
 public:
  ReferenceServer(ServerKind kind, int backlog, int core)
      : kind_(kind),
        memory_(memfd_create("counters", MFD_CLOEXEC)),
        listener_(listen_on_loopback(backlog, address_)) {
    if (ftruncate(memory_.get(), sizeof(ReferenceCounters)) != 0)
      throw system_trouble("cannot make counters");
    counters_ = new (&map_counters(memory_.get())) ReferenceCounters;
    const std::string mode = std::string{kServeFlag} + std::string{to_string(kind)};
    process_ = std::make_unique<Process>(std::vector<std::string>{"/proc/self/exe", mode}, core,
                                         std::vector<int>{listener_.get(), memory_.get()}, STDERR_FILENO);
  }
  ~ReferenceServer() override { munmap(counters_, sizeof(ReferenceCounters)); }
  ReferenceServer(const ReferenceServer&) = delete;
  ReferenceServer& operator=(const ReferenceServer&) = delete;
  ReferenceServer(ReferenceServer&&) = delete;
  ReferenceServer& operator=(ReferenceServer&&) = delete;

  [[nodiscard]] ServerKind kind() const override { return kind_; }
  [[nodiscard]] const Endpoint& address() const override { return address_; }
  [[nodiscard]] Account account() const override { return process_->account(); }
  [[nodiscard]] Dialect::Kind dialect() const override {
    return kind_ == ServerKind::RawAnswering ? Dialect::Kind::Echo : Dialect::Kind::Heartbeat;
  }
  [[nodiscard]] Handled handled() override {
    if (process_->has_ended()) throw Trouble{"the " + std::string{to_string(kind_)} + " server has ended"};
    return {.accepted = counters_->accepted, .closed = counters_->closed, .bytes = counters_->bytes};
  }

 private:
  ServerKind kind_;
  Endpoint address_;
  Descriptor memory_;
  Descriptor listener_;
  ReferenceCounters* counters_;
  std::unique_ptr<Process> process_;
};

class PeerServer final : public Server {
 public:
  explicit PeerServer(const Peer& peer)
      : peer_(peer), address_(*parse_endpoint("127.0.0.1:" + std::to_string(peer.port))) {}

  [[nodiscard]] ServerKind kind() const override { return ServerKind::Peer; }
  [[nodiscard]] std::string name() const override { return peer_.name; }
  [[nodiscard]] const Endpoint& address() const override { return address_; }
  [[nodiscard]] Account account() const override { return Account{peer_.process}; }
  [[nodiscard]] Dialect::Kind dialect() const override { return peer_.dialect; }
  [[nodiscard]] Handled handled() override { return {}; }

 private:
  Peer peer_;
  Endpoint address_;
};

[[noreturn]] void become(const std::vector<std::string>& command, int core, const std::vector<int>& keep,
                         int log) {
  // Should this program be killed, nothing that it started is left.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  stay_on(core);
  dup2(log, STDERR_FILENO);
  // Out of the way first: a place may still be that of another one.
  std::vector<int> moved;
  moved.reserve(keep.size());
  for (const int descriptor : keep) moved.push_back(fcntl(descriptor, F_DUPFD_CLOEXEC, 100));
  for (std::size_t index = 0; index < moved.size(); ++index) {
    dup2(moved[index], kFirstKept + static_cast<int>(index));
  }
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));  // NOLINT
  arguments.push_back(nullptr);
  execv(arguments.front(), arguments.data());
  _exit(127);
}

}  // namespace

Process::Process(const std::vector<std::string>& command, int core, const std::vector<int>& keep, int log)
    : id_(fork()) {
  if (id_ < 0) throw system_trouble("cannot start a process");
  if (id_ == 0) become(command, core, keep, log);
}

Process::~Process() {
  if (ended_) return;
  kill(id_, SIGKILL);
  waitpid(id_, nullptr, 0);
}

Nanos Account::cpu() const {
  clockid_t clock = 0;
  timespec used{};
  if (clock_getcpuclockid(process_, &clock) != 0 || clock_gettime(clock, &used) != 0) {
    throw Trouble{"the server has ended"};
  }
  return std::chrono::seconds{used.tv_sec} + Nanos{used.tv_nsec};
}

Memory Account::memory() const {
  std::ifstream file{"/proc/" + std::to_string(process_) + "/smaps_rollup"};
  Memory memory;
  std::string word;
  while (file >> word) {
    if (word == "Rss:") file >> memory.rss;
    if (word == "Pss:") file >> memory.pss;
  }
  if (memory.rss == 0) throw Trouble{"the server's smaps_rollup cannot be read"};
  constexpr std::uint64_t kKibi = 1024;
  return {.rss = memory.rss * kKibi, .pss = memory.pss * kKibi};
}

bool Process::has_ended() {
  if (!ended_) ended_ = waitpid(id_, nullptr, WNOHANG) == id_;
  return ended_;
}

std::unique_ptr<Server> start_server(ServerKind kind, const DaemonOptions& options, int core) {
  if (kind == ServerKind::Daemon) return std::make_unique<DaemonServer>(options, core);
  return std::make_unique<ReferenceServer>(kind, options.backlog, core);
}

std::unique_ptr<Server> attach_to(const Peer& peer) {
  return std::make_unique<PeerServer>(peer);
}

void become_reference_server(int argc, const char* const* argv) {
  if (argc != 2 || !std::string_view{argv[1]}.starts_with(kServeFlag)) return;
  raise_descriptor_limit();
  ReferenceCounters& counters = map_counters(kFirstKept + 1);
  const std::string_view kind = std::string_view{argv[1]}.substr(kServeFlag.size());
  if (kind == to_string(ServerKind::Libuv)) serve_with_libuv(kFirstKept, counters);
  Manner manner = Manner::Plain;
  if (kind == to_string(ServerKind::RawPaused)) manner = Manner::Pausing;
  if (kind == to_string(ServerKind::RawAnswering)) manner = Manner::Answering;
  serve_with_epoll(kFirstKept, counters, manner);
}

}  // namespace heartbeat::bench
