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

 private:
  void arrived(Descriptor& socket, const Endpoint& peer, const Endpoint& listener,
               std::string_view more) override {
    first_bytes += more;
    sockets.push_back(std::move(socket));
    peers.push_back(peer);
    listeners.push_back(listener);
  }
  void accepting_pauses(std::string_view why) override { pauses.emplace_back(why); }
};

}  // namespace

TEST_CASE("a connection is handed over with its address and that of the listener") {
  uv::Loop loop;
  {
    Guestbook book;
    Entrance entrance{loop, book};
    const auto change = entrance.listen_on({kAnywhere, kAnywhere}, 8);
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
  // `from <last byte of 10.0.0.x>\n`, in the place of a real proxy's header.
  class From final : public Preamble {
    Result read(std::string_view received, Endpoint& peer) override {
      const std::size_t end = received.find('\n');
      if (end == std::string_view::npos) return {};
      peer = Endpoint{.address = {10, 0, 0, static_cast<std::uint8_t>(received[5] - '0')}};
      return {.state = State::Done, .length = end + 1};
    }
  };
  uv::Loop loop;
  {
    Guestbook book;
    Entrance entrance{loop, book};
    const auto change = entrance.listen_on({kAnywhere, kAnywhere}, 8);
    REQUIRE(change);
    entrance.demand_preamble(change->opened[0], [] { return std::make_unique<From>(); });

    const uv::Owned<Recorder> plain{new Recorder{loop}};
    REQUIRE(plain->connect(change->opened[1]) == 0);
    REQUIRE(turn_until(loop, [&] { return book.sockets.size() == 1; }));  // without a byte

    const uv::Owned<Recorder> client{new Recorder{loop}};
    REQUIRE(client->connect(change->opened[0]) == 0);
    REQUIRE(turn_until(loop, [&] { return entrance.anteroom().size() == 1; }));
    CHECK(entrance.descriptors() == 3);
    CHECK(client->write("from 7") == 0);
    CHECK(client->write("\nhello") == 0);
    REQUIRE(turn_until(loop, [&] { return book.sockets.size() == 2; }));
    CHECK(book.peers.back() == Endpoint{.address = {10, 0, 0, 7}});
    CHECK(book.listeners.back() == change->opened[0]);
    CHECK(book.first_bytes == "hello");
    CHECK(entrance.anteroom().size() == 0);

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
