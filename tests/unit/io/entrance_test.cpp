#include "daemon/io/entrance.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>

#include "tests/unit/support/loopback.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

// A host that keeps the sockets that come in.
class Guestbook final : public Entrance::Host {
 public:
  std::vector<Descriptor> sockets;
  std::vector<Endpoint> peers;
  std::vector<Endpoint> listeners;
  std::vector<std::string> pauses;
  std::string first_bytes;
  std::size_t room_for = 8;

 private:
  void arrived(Descriptor& socket, Introduction& introduction, std::string_view more) override {
    first_bytes += more;
    sockets.push_back(std::move(socket));
    peers.push_back(introduction.peer);
    listeners.push_back(*introduction.arrival.listener);
  }
  void work_waits() override {}
  MonoTime instant() override { return {}; }
  [[nodiscard]] Millis hello_timeout() const override { return Millis{0}; }
  [[nodiscard]] std::size_t places() const override { return room_for; }
  void accepting_pauses(std::string_view why) override { pauses.emplace_back(why); }
};

}  // namespace

TEST_CASE("a connection is handed over with its address and that of the listener") {
  uv::Loop loop;
  {
    Guestbook book;
    Entrance entrance{loop, book};
    const auto change = entrance.listen_on({{kAnywhere}, {kAnywhere}}, 8);
    REQUIRE(change);
    REQUIRE(change->opened.size() == 2);
    for (const Endpoint& at : change->opened) {
      const uv::Owned<Recorder> client{new Recorder{loop}};
      REQUIRE(client->connect(at) == 0);
      REQUIRE(turn_until(loop, [&] { return !book.listeners.empty() && book.listeners.back() == at; }));
      CHECK(book.peers.back() == client->local());
    }
  }
  CHECK(loop.drain(20s) == std::vector<std::string>{});
}

TEST_CASE(
    "where a preamble is demanded, the connection is handed over behind it, with the address it gives") {
  // One digit, the last of 10.0.0.x, in the place of a real proxy's header.
  class From final : public Preamble {
    State read(std::string_view& input, Introduction& introduction, std::string&) override {
      introduction.peer = Endpoint{.address = {10, 0, 0, static_cast<std::uint8_t>(input.front() - '0')}};
      input.remove_prefix(1);
      return State::Done;
    }
  };
  uv::Loop loop;
  {
    Guestbook book;
    Entrance entrance{loop, book};
    const auto make_from = [](const Endpoint&) {
      Preambles owed;
      owed.push_back(std::make_unique<From>());
      return owed;
    };
    const auto change = entrance.listen_on({{kAnywhere, {make_from}}, {kAnywhere}}, 8);
    REQUIRE(change);
    const auto listen_again = [&](const MakePreambles& make) {
      const auto again = entrance.listen_on({{change->opened[0], {make}}, {change->opened[1]}}, 8);
      REQUIRE(again);
      CHECK(again->opened.empty());
      CHECK(again->closed.empty());
    };

    const uv::Owned<Recorder> plain{new Recorder{loop}};
    REQUIRE(plain->connect(change->opened[1]) == 0);
    REQUIRE(turn_until(loop, [&] { return book.sockets.size() == 1; }));  // without a byte

    const uv::Owned<Recorder> client{new Recorder{loop}};
    REQUIRE(client->connect(change->opened[0]) == 0);
    REQUIRE(turn_until(loop, [&] { return entrance.anteroom().size() == 1; }));
    CHECK(entrance.descriptors() == 3);
    CHECK(client->write("7") == 0);
    CHECK(client->write("hello") == 0);
    REQUIRE(turn_until(loop, [&] { return book.sockets.size() == 2; }));
    CHECK(book.peers.back() == Endpoint{.address = {10, 0, 0, 7}});
    CHECK(book.listeners.back() == change->opened[0]);
    CHECK(book.first_bytes == "hello");
    CHECK(entrance.anteroom().size() == 0);

    listen_again({});
    const uv::Owned<Recorder> direct{new Recorder{loop}};
    REQUIRE(direct->connect(change->opened[0]) == 0);
    REQUIRE(turn_until(loop, [&] { return book.sockets.size() == 3; }));  // this peer owes none

    listen_again(make_from);
    book.room_for = 0;
    const uv::Owned<Recorder> one_too_many{new Recorder{loop}};
    REQUIRE(one_too_many->connect(change->opened[0]) == 0);
    REQUIRE(turn_until(loop, [&] { return book.sockets.size() == 4; }));  // for the host to refuse
    book.room_for = 8;

    const uv::Owned<Recorder> late{new Recorder{loop}};
    REQUIRE(late->connect(change->opened[0]) == 0);
    REQUIRE(turn_until(loop, [&] { return entrance.anteroom().size() == 1; }));
    entrance.close();
    CHECK(entrance.descriptors() == 0);
  }
  CHECK(loop.drain(20s) == std::vector<std::string>{});
}

TEST_CASE("a descriptor that cannot listen is refused by its number, and closed") {
  uv::Loop loop;
  {
    Guestbook book;
    Entrance entrance{loop, book};
    const int no_socket = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    REQUIRE(no_socket >= 0);
    const auto listener = entrance.adopt(no_socket, 8);
    REQUIRE_FALSE(listener);
    CHECK(listener.error().find("descriptor " + std::to_string(no_socket)) != std::string::npos);
    CHECK(::fcntl(no_socket, F_GETFD) == -1);
    CHECK(entrance.listening().empty());
  }
  CHECK(loop.drain(20s) == std::vector<std::string>{});
}
