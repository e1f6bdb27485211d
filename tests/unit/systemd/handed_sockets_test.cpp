#include "daemon/systemd/handed_sockets.h"

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace heartbeat::testing {
namespace {

constexpr int kFirst = 3;  // where handed descriptors begin, by systemd's protocol

int bound_socket(int family, int type, bool listening) {
  const int descriptor = ::socket(family, type, 0);
  sockaddr_storage address{};
  address.ss_family = static_cast<sa_family_t>(family);
  // Port 0, any address; for Unix an abstract name that the kernel chooses.
  const socklen_t size = family == AF_UNIX   ? sizeof address.ss_family
                         : family == AF_INET ? sizeof(sockaddr_in)
                                             : sizeof(sockaddr_in6);
  REQUIRE(::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  if (listening) REQUIRE(::listen(descriptor, 1) == 0);
  return descriptor;
}

int tcp() {
  return bound_socket(AF_INET, SOCK_STREAM, true);
}
int unix_stream() {
  return bound_socket(AF_UNIX, SOCK_STREAM, true);
}

// Puts the descriptors where a service manager would, with these names, while what was there is kept aside.
class Handed {
 public:
  explicit Handed(const std::vector<std::pair<int, std::string>>& sockets) {
    std::string names;
    for (std::size_t i = 0; i < sockets.size(); ++i) {
      kept_.push_back(::fcntl(kFirst + static_cast<int>(i), F_DUPFD_CLOEXEC, 100));
      // Away from the places first: the sockets may have been opened there.
      high_.push_back(::fcntl(sockets[i].first, F_DUPFD_CLOEXEC, 200));
      names += (i == 0 ? "" : ":") + sockets[i].second;
    }
    for (std::size_t i = 0; i < high_.size(); ++i) ::dup2(high_[i], kFirst + static_cast<int>(i));
    setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
    setenv("LISTEN_FDS", std::to_string(sockets.size()).c_str(), 1);
    setenv("LISTEN_FDNAMES", names.c_str(), 1);
  }
  ~Handed() {
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      const int place = kFirst + static_cast<int>(i);
      kept_[i] >= 0 ? static_cast<void>(::dup2(kept_[i], place)) : static_cast<void>(::close(place));
      if (kept_[i] >= 0) ::close(kept_[i]);
      ::close(high_[i]);
    }
  }
  Handed(const Handed&) = delete;
  Handed& operator=(const Handed&) = delete;
  Handed(Handed&&) = delete;
  Handed& operator=(Handed&&) = delete;

 private:
  std::vector<int> kept_;
  std::vector<int> high_;
};

TEST_CASE("without a service manager nothing is handed over") {
  const auto sockets = take_handed_sockets();
  REQUIRE(sockets);
  CHECK(sockets->clients.empty());
  CHECK_FALSE(sockets->control);
}

TEST_CASE("TCP sockets of any name are for clients, and the one named control for control") {
  const Handed handed{{{tcp(), "heartbeatd.socket"},
                       {unix_stream(), "control"},
                       {bound_socket(AF_INET6, SOCK_STREAM, true), "clients"}}};
  const auto sockets = take_handed_sockets();
  REQUIRE(sockets);
  CHECK(sockets->clients == std::vector<int>{3, 5});
  CHECK(sockets->control == 4);
  CHECK(getenv("LISTEN_FDS") == nullptr);
}

TEST_CASE("a socket that is not what its name says is refused, by name") {
  const auto error_of = [](const std::vector<std::pair<int, std::string>>& sockets) {
    const Handed handed{sockets};
    const auto taken = take_handed_sockets();
    return taken ? std::string{"none"} : taken.error();
  };
  const std::string that = "the service manager handed over a socket named ";
  CHECK(error_of({{tcp(), "control"}}) == that + "control that is not a Unix socket");
  CHECK(error_of({{unix_stream(), "clients"}}) ==
        that + "clients that is not a TCP socket (a Unix socket must be named 'control')");
  CHECK(error_of({{bound_socket(AF_INET, SOCK_DGRAM, false), "clients"}}) ==
        that + "clients that is not a listening stream socket");
  CHECK(error_of({{bound_socket(AF_INET, SOCK_STREAM, false), "clients"}}) ==
        that + "clients that is not a listening stream socket");
  CHECK(error_of({{unix_stream(), "control"}, {unix_stream(), "control"}}) ==
        that + "control that is the second of that name");
}

}  // namespace
}  // namespace heartbeat::testing
