#include "daemon/systemd/service_manager.h"

#include <cstdlib>
#include <cstring>
#include <string>

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/log/records.h"

namespace heartbeat::testing {
namespace {

// A service manager's end: a datagram socket that the daemon's environment names.
class Manager {
 public:
  explicit Manager(const char* watchdog_us = nullptr)
      : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    // Abstract, and of a name that the kernel chooses.
    REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address.sun_family) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    const std::string name{&address.sun_path[1], size - sizeof address.sun_family - 1};
    setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
    if (watchdog_us != nullptr) setenv("WATCHDOG_USEC", watchdog_us, 1);
  }
  ~Manager() {
    ::close(socket_);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;
  Manager(Manager&&) = delete;
  Manager& operator=(Manager&&) = delete;

  // The next message; empty when there is none.
  [[nodiscard]] std::string heard() const {
    std::array<char, 4096> buffer{};
    const ssize_t size = ::recv(socket_, buffer.data(), buffer.size(), 0);
    return size > 0 ? std::string{buffer.data(), static_cast<std::size_t>(size)} : "";
  }

 private:
  int socket_;
};

constexpr Endpoint endpoint(std::uint16_t port) {
  return {.address = {127, 0, 0, 1}, .port = port};
}

TEST_CASE("ready comes with the status, and the life of a service in its order") {
  Manager manager;
  ServiceManager service;
  service.listening_on({endpoint(14000)});
  service.ready();
  CHECK(manager.heard() == "READY=1\nSTATUS=0 alive, 0 leave; listening on 127.0.0.1:14000");
  service.reloading();
  CHECK(manager.heard().starts_with("RELOADING=1\nMONOTONIC_USEC="));
  service.ready();
  CHECK(manager.heard().starts_with("READY=1\n"));
  service.stopping();
  CHECK(manager.heard() == "STOPPING=1\nSTATUS=closing 0 clients");
  CHECK(manager.heard().empty());
}

TEST_CASE("the status line changes when the counts do, and once a second at most") {
  Manager manager;
  ServiceManager service;
  service.listening_on({endpoint(14000)});
  service.ready();
  static_cast<void>(manager.heard());

  service.turn(kStart, {.alive = 142, .leave = 3});
  CHECK(manager.heard() == "STATUS=142 alive, 3 leave; listening on 127.0.0.1:14000");
  service.turn(kStart + 999ms, {.alive = 141, .leave = 4});
  CHECK(manager.heard().empty());
  service.turn(kStart + 1s, {.alive = 141, .leave = 4});
  CHECK(manager.heard() == "STATUS=141 alive, 4 leave; listening on 127.0.0.1:14000");
  service.turn(kStart + 60s, {.alive = 141, .leave = 4});
  CHECK(manager.heard().empty());
}

TEST_CASE("the status line says that the brake on mass closing holds") {
  Manager manager;
  ServiceManager service;
  service.listening_on({endpoint(14000)});
  service.ready();
  static_cast<void>(manager.heard());
  service.turn(kStart, {.alive = 2, .leave = 40, .braked = true});
  CHECK(manager.heard() ==
        "STATUS=2 alive, 40 leave; closing for silence pauses; listening on 127.0.0.1:14000");
  service.turn(kStart + 1s, {.alive = 2, .leave = 40, .braked = false});
  CHECK(manager.heard() == "STATUS=2 alive, 40 leave; listening on 127.0.0.1:14000");
}

TEST_CASE("while it reloads or stops, the status line says that and nothing else") {
  Manager manager;
  ServiceManager service;
  service.ready();
  service.reloading();
  static_cast<void>(manager.heard());
  static_cast<void>(manager.heard());
  service.turn(kStart, {.alive = 1, .leave = 0});
  CHECK(manager.heard().empty());
  service.stopping();
  static_cast<void>(manager.heard());
  service.turn(kStart + 2s, {.alive = 2, .leave = 0});
  CHECK(manager.heard().empty());
}

TEST_CASE("the status line names three addresses and counts the rest") {
  Manager manager;
  ServiceManager service;
  service.listening_on({endpoint(1), endpoint(2), endpoint(3), endpoint(4), endpoint(5)});
  service.ready();
  CHECK(manager.heard().ends_with("listening on 127.0.0.1:1, 127.0.0.1:2, 127.0.0.1:3 and 2 more"));
}

TEST_CASE("the watchdog is fed at half its interval, also while the daemon stops") {
  Manager manager{"10000000"};
  ServiceManager service;
  service.turn(kStart, {});
  CHECK(manager.heard() == "WATCHDOG=1");
  service.turn(kStart + 4999ms, {});
  CHECK(manager.heard().empty());
  service.turn(kStart + 5s, {});
  CHECK(manager.heard() == "WATCHDOG=1");
  service.stopping();
  static_cast<void>(manager.heard());
  service.turn(kStart + 10s, {});
  CHECK(manager.heard() == "WATCHDOG=1");
}

TEST_CASE("without a watchdog there is nothing to feed") {
  Manager manager;
  ServiceManager service;
  service.turn(kStart, {});
  CHECK(manager.heard().empty());
}

}  // namespace
}  // namespace heartbeat::testing
