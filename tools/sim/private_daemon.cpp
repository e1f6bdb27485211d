#include "tools/sim/private_daemon.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "common/descriptor.h"
#include "common/limits.h"
#include "common/uv/address.h"
#include "common/uv/listening_socket.h"

namespace heartbeat::sim {
namespace {

constexpr Endpoint kAnywhere{.address = {127, 0, 0, 1}};
constexpr Millis kLookAgain{20};

// In the build tree the programs are in one folder; installed, the daemon is in sbin.
std::string find_heartbeatd() {
  std::array<char, 4096> own{};
  std::size_t size = own.size();
  if (uv_exepath(own.data(), &size) == 0) {
    const std::filesystem::path folder = std::filesystem::path{std::string{own.data(), size}}.parent_path();
    for (const auto& path : {folder / "heartbeatd", folder.parent_path() / "sbin" / "heartbeatd"}) {
      if (access(path.c_str(), X_OK) == 0) return path;
    }
  }
  return "heartbeatd";
}

// A port that is free at this moment; nothing if no port is free.
std::optional<HostPort> free_port() {
  const auto socket = uv::listening_socket(kAnywhere, 1);
  if (!socket) return {};
  return HostPort{"127.0.0.1", uv::local_endpoint(socket->get()).port};
}

bool is_listened_on(const HostPort& where) {
  const Descriptor probe{::socket(AF_INET, SOCK_STREAM, 0)};
  const uv::SocketAddress address{*parse_endpoint(to_string(where))};
  return ::connect(probe.get(), address.get(), address.size()) == 0;
}

}  // namespace

tl::expected<PrivateDaemon, std::string> PrivateDaemon::start() {
  PrivateDaemon daemon;
  const auto clients = free_port();
  const auto page = free_port();
  if (!clients || !page) return tl::unexpected<std::string>("no port of 127.0.0.1 is free");
  daemon.clients_ = *clients;
  daemon.page_ = *page;

  std::string folder = (std::filesystem::temp_directory_path() / "heartbeat-demo-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    return tl::unexpected("no folder can be made for the demonstration: " +
                          std::string{std::strerror(errno)});
  }
  daemon.folder_ = folder;

  const std::string program = find_heartbeatd();
  std::vector<std::string> arguments{program,
                                     "--config",
                                     "/dev/null",
                                     "--listen",
                                     to_string(*clients),
                                     "--http-listen",
                                     to_string(*page),
                                     "--control",
                                     daemon.control_path(),
                                     "--tick",
                                     "1s",
                                     "--leave-timeout",
                                     "15s",
                                     "--log-target",
                                     "stderr"};
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  if (const int error = posix_spawnp(&daemon.pid_, program.c_str(), nullptr, nullptr, argv.data(), environ);
      error != 0) {
    daemon.pid_ = -1;
    return tl::unexpected("cannot start " + program + ": " + std::strerror(error));
  }
  for (Millis waited{0}; !is_listened_on(*page); waited += kLookAgain) {
    if (daemon.has_ended()) return tl::unexpected<std::string>("the daemon of the demonstration ended");
    if (waited > limits::kConnectMax) {
      return tl::unexpected<std::string>("the daemon of the demonstration does not listen");
    }
    poll(nullptr, 0, static_cast<int>(kLookAgain.count()));
  }
  return daemon;
}

PrivateDaemon::PrivateDaemon(PrivateDaemon&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      clients_(std::move(other.clients_)),
      page_(std::move(other.page_)),
      folder_(std::exchange(other.folder_, {})) {}

PrivateDaemon::~PrivateDaemon() {
  if (!has_ended()) {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  std::error_code unimportant;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, unimportant);
}

bool PrivateDaemon::has_ended() {
  if (pid_ >= 0 && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ < 0;
}

}  // namespace heartbeat::sim
