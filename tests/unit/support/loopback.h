// Sockets on 127.0.0.1 for one test, and a loop that turns until something is so.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "common/uv/acceptor.h"
#include "common/uv/handle.h"
#include "common/uv/listening_socket.h"
#include "common/uv/loop.h"
#include "common/uv/stream.h"
#include "common/uv/watchers.h"
#include "tests/unit/support/instants.h"

namespace heartbeat::test {

// Turns the loop until `so`.  The bound is generous and only there so that a failure is red, not endless.
template <class Condition>
[[nodiscard]] bool turn_until(uv::Loop& loop, Condition so) {
  bool expired = false;
  const auto bound = uv::Timer::create(loop, [&] { expired = true; });
  bound->arm(20s);
  while (!so() && !expired) uv_run(loop.get(), UV_RUN_ONCE);
  return so();
}

// A stream that writes down what happens to it.
class Recorder final : public uv::TcpStream {
 public:
  explicit Recorder(uv::Loop& loop) : TcpStream(loop) {}

  std::function<void()> then;  // after each of the following
  std::vector<int> connected;
  std::string bytes;
  std::vector<int> ended;
  std::size_t per_turn = limits::kReadBufferSize;

 private:
  [[nodiscard]] std::size_t read_per_turn() const override { return per_turn; }
  void on_connected(int error) override {
    connected.push_back(error);
    if (then) then();
  }
  void on_bytes(std::string_view more) override {
    bytes += more;
    if (then) then();
  }
  void on_end(int error) override {
    ended.push_back(error);
    if (then) then();
  }
};

// Takes every connection, as a test says.
class AnyDoor final : public uv::Acceptor::Door {
 public:
  std::function<void(uv::Acceptor::Accepted& accepted)> on_accepted;
  bool is_open = true;
  std::vector<std::string> shortages;

 private:
  [[nodiscard]] bool may_accept(uv::Acceptor&) override { return is_open; }
  void take(uv::Acceptor&, uv::Acceptor::Accepted& accepted) override { on_accepted(accepted); }
  void on_shortage(uv::Acceptor&, std::string_view why) override { shortages.emplace_back(why); }
};

inline constexpr Endpoint kAnywhere{.address = {127, 0, 0, 1}};

// An acceptor at any free port of 127.0.0.1.
[[nodiscard]] inline std::unique_ptr<uv::Acceptor> accept_anywhere(uv::Loop& loop, uv::Acceptor::Door& door) {
  auto socket = uv::listening_socket(kAnywhere, 64);
  REQUIRE(socket);
  auto acceptor = uv::Acceptor::create(loop, std::move(*socket), door);
  REQUIRE(acceptor);
  return std::move(*acceptor);
}

// A loop with two streams that are connected to each other.  Checks at its end that nothing is left open.
class Loopback {
 public:
  Loopback() {
    AnyDoor door;
    door.on_accepted = [this](uv::Acceptor::Accepted& accepted) {
      server.reset(new Recorder{loop});
      REQUIRE(server->open(std::move(accepted.socket)) == 0);
    };
    const auto acceptor = accept_anywhere(loop, door);
    client.reset(new Recorder{loop});
    REQUIRE(client->connect(uv::local_endpoint(acceptor->descriptor())) == 0);
    REQUIRE(turn_until(loop, [&] { return server != nullptr && !client->connected.empty(); }));
    REQUIRE(client->connected == std::vector<int>{0});
  }
  ~Loopback() {
    server.reset();
    client.reset();
    CHECK(loop.drain(20s) == std::vector<std::string>{});
  }
  Loopback(const Loopback&) = delete;
  Loopback& operator=(const Loopback&) = delete;
  Loopback(Loopback&&) = delete;
  Loopback& operator=(Loopback&&) = delete;

  uv::Loop loop;
  uv::Owned<Recorder> client;
  uv::Owned<Recorder> server;
};

}  // namespace heartbeat::test
