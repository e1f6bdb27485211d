#include "common/uv/stream.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "common/limits.h"
#include "tests/unit/support/loopback.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

std::size_t queued(Recorder& stream) {
  return uv_stream_get_write_queue_size(reinterpret_cast<uv_stream_t*>(stream.handle()));
}

// Bytes that differ from place to place, so that one lost or moved is seen.
std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t at = 0; at < size; ++at) bytes[at] = static_cast<char>(at * 31 + at / 251);
  return bytes;
}

// Writes until the kernel takes no more and something is queued.  Returns what was written.
std::string fill(Recorder& stream) {
  std::string written;
  const std::string piece = pattern(limits::kWriteQueueMax / 4);
  while (queued(stream) == 0) {
    REQUIRE(stream.write(piece) == 0);
    written += piece;
  }
  return written;
}

}  // namespace

TEST_CASE("bytes go both ways") {
  Loopback pair;
  REQUIRE(pair.server->start_reading() == 0);
  REQUIRE(pair.client->start_reading() == 0);
  pair.server->then = [&] { CHECK(pair.server->write("echo: " + pair.server->bytes) == 0); };
  CHECK(pair.client->write("hello") == 0);
  CHECK(turn_until(pair.loop, [&] { return pair.client->bytes == "echo: hello"; }));
}

TEST_CASE("each end knows its own address and the other's") {
  const Loopback pair;
  REQUIRE(pair.client->local());
  CHECK(pair.client->local() == pair.server->peer());
  CHECK(pair.client->peer() == pair.server->local());
  CHECK(address_string(*pair.client->local()) == "127.0.0.1");
}

TEST_CASE("bytes that are not taken at once are queued, and arrive in order") {
  Loopback pair;
  CHECK_FALSE(pair.client->has_unsent());
  const std::string written = fill(*pair.client) + "the end";
  CHECK(pair.client->has_unsent());
  CHECK(pair.client->write("the end") == 0);
  REQUIRE(pair.server->start_reading() == 0);
  CHECK(turn_until(pair.loop, [&] { return pair.server->bytes.size() == written.size(); }));
  CHECK((pair.server->bytes == written));
  CHECK_FALSE(pair.client->has_unsent());
}

TEST_CASE("of one stream a turn reads as much as it may, and not a byte more") {
  for (const std::size_t per_turn : {std::size_t{1}, std::size_t{1000}, limits::kReadBufferSize}) {
    CAPTURE(per_turn);
    Loopback pair;
    pair.server->per_turn = per_turn;
    const std::string written = pattern(4 * per_turn + 1);
    std::size_t most = 0;
    std::size_t before = 0;
    auto each_turn = uv::AfterPoll::create(pair.loop, [&] {
      most = std::max(most, pair.server->bytes.size() - before);
      before = pair.server->bytes.size();
    });
    REQUIRE(pair.client->write(written, written.size()) == 0);
    REQUIRE(pair.server->start_reading() == 0);
    CHECK(turn_until(pair.loop, [&] { return pair.server->bytes.size() == written.size(); }));
    CHECK((pair.server->bytes == written));
    CHECK(most <= per_turn);
    each_turn.reset();
  }
}

TEST_CASE("the end of a stream is seen after all of it, however little a turn reads") {
  Loopback pair;
  pair.server->per_turn = 10;
  REQUIRE(pair.client->write(pattern(1000)) == 0);
  pair.client.reset();
  REQUIRE(pair.server->start_reading() == 0);
  CHECK(turn_until(pair.loop, [&] { return !pair.server->ended.empty(); }));
  CHECK((pair.server->bytes == pattern(1000)));
  CHECK(pair.server->ended == std::vector<int>{UV_EOF});
}

TEST_CASE("as many bytes as the bound may wait, and one more is refused") {
  Loopback pair;
  std::string written = fill(*pair.client);
  REQUIRE(queued(*pair.client) <= limits::kWriteQueueMax);
  const std::string rest = pattern(limits::kWriteQueueMax - queued(*pair.client));
  CHECK(pair.client->write(rest) == 0);
  CHECK(queued(*pair.client) == limits::kWriteQueueMax);
  CHECK(pair.client->write("x") == UV_ENOBUFS);
  CHECK(queued(*pair.client) == limits::kWriteQueueMax);

  // What was taken still arrives, and then there is room again.
  written += rest;
  REQUIRE(pair.server->start_reading() == 0);
  CHECK(turn_until(pair.loop, [&] { return pair.server->bytes.size() == written.size(); }));
  CHECK((pair.server->bytes == written));
  CHECK(pair.client->write("x") == 0);
}

TEST_CASE("an end that finishes has its last words read, and hears when the other closes") {
  Loopback pair;
  REQUIRE(pair.client->start_reading() == 0);
  REQUIRE(pair.server->start_reading() == 0);
  CHECK(pair.server->write("last words") == 0);
  pair.server->finish();
  CHECK(pair.client->write("unread") == 0);
  CHECK(turn_until(pair.loop, [&] { return !pair.client->ended.empty(); }));
  CHECK(pair.client->bytes == "last words");
  CHECK(pair.client->ended == std::vector<int>{UV_EOF});
  pair.client.reset();
  CHECK(turn_until(pair.loop, [&] { return !pair.server->ended.empty(); }));
  CHECK(pair.server->ended == std::vector<int>{UV_EOF});
}

TEST_CASE("an end that finishes with bytes queued sends them first") {
  Loopback pair;
  const std::string written = fill(*pair.client);
  pair.client->finish();
  REQUIRE(pair.server->start_reading() == 0);
  CHECK(turn_until(pair.loop, [&] { return !pair.server->ended.empty(); }));
  CHECK((pair.server->bytes == written));
  CHECK(pair.server->ended == std::vector<int>{UV_EOF});
}

TEST_CASE("a connection that is reset ends with that error") {
  Loopback pair;
  REQUIRE(pair.server->start_reading() == 0);
  pair.client->reset_on_close();
  pair.client.reset();
  CHECK(turn_until(pair.loop, [&] { return !pair.server->ended.empty(); }));
  CHECK(pair.server->ended == std::vector<int>{UV_ECONNRESET});
}

TEST_CASE("a connection to an address without a listener ends in its error") {
  uv::Loop loop;
  Endpoint unused{.address = {127, 0, 0, 1}};
  {
    // A port that was free a moment ago.
    const auto listening = uv::listening_socket(unused, 1);
    REQUIRE(listening);
    unused = uv::local_endpoint(listening->get());
  }
  CHECK(loop.drain(20s) == std::vector<std::string>{});
  uv::Owned<Recorder> client{new Recorder{loop}};
  REQUIRE(client->connect(unused) == 0);
  CHECK(turn_until(loop, [&] { return !client->connected.empty(); }));
  CHECK(client->connected == std::vector<int>{UV_ECONNREFUSED});
  client.reset();
  CHECK(loop.drain(20s) == std::vector<std::string>{});
}

TEST_CASE("a stream that is let go while it connects is not called back") {
  uv::Loop loop;
  const auto listening = uv::listening_socket(kAnywhere, 1);
  REQUIRE(listening);
  uv::Owned<Recorder> client{new Recorder{loop}};
  bool called = false;
  client->then = [&] { called = true; };
  REQUIRE(client->connect(uv::local_endpoint(listening->get())) == 0);
  client.reset();
  CHECK(loop.drain(20s) == std::vector<std::string>{});
  CHECK_FALSE(called);
}

TEST_CASE("the bytes that the kernel has not taken can be had, and are the last that were written") {
  Loopback pair;
  CHECK(pair.client->unsent().empty());
  const std::string written = fill(*pair.client) + "and the end";
  CHECK(pair.client->write("and the end") == 0);
  const std::string unsent = pair.client->unsent();
  CHECK(unsent.size() == queued(*pair.client));
  CHECK(written.ends_with(unsent));
  REQUIRE(pair.server->start_reading() == 0);
  CHECK(turn_until(pair.loop, [&] { return pair.server->bytes.size() == written.size(); }));
  CHECK(pair.client->unsent().empty());
}
