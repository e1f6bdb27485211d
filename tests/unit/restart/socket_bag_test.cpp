#include "daemon/restart/socket_bag.h"

#include <cerrno>
#include <utility>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/os/socket.h"

using namespace heartbeat;

namespace {

struct Pair {
  Descriptor one{-1};
  Descriptor other{-1};
};

Pair connected() {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  return {Descriptor{ends[0]}, Descriptor{ends[1]}};
}

}  // namespace

TEST_CASE("a socket in a bag stays open, and a look leaves the bag full") {
  Pair pair = connected();
  const std::uint64_t cookie = os::socket_cookie(pair.one.get());
  SocketBags bags;
  {
    const Descriptor put = std::move(pair.one);
    const int number = put.get();
    REQUIRE(bags.put({&number, 1}) == 0);
  }  // here its last other descriptor is closed
  REQUIRE(bags.bags().size() == 1);
  CHECK((fcntl(bags.bags()[0].get(), F_GETFD) & FD_CLOEXEC) != 0);
  for (int look = 0; look < 2; ++look) {
    auto found = look_into_bag(bags.bags()[0].get());
    REQUIRE(found);
    REQUIRE(found->size() == 1);
    CHECK(os::socket_cookie(found->front().get()) == cookie);
    CHECK((fcntl(found->front().get(), F_GETFD) & FD_CLOEXEC) != 0);
    REQUIRE(write(found->front().get(), "x", 1) == 1);
    char byte = 0;
    CHECK(read(pair.other.get(), &byte, 1) == 1);
  }
  bags = SocketBags{};
  char byte = 0;
  CHECK(read(pair.other.get(), &byte, 1) == 0);  // with the bag, what was in it is closed
}

TEST_CASE("each bag takes so many messages, and the next one goes into another") {
  const Pair pair = connected();
  const auto sizes = [&](const std::vector<std::size_t>& puts) {
    SocketBags bags{2};
    for (const std::size_t sockets : puts) {
      const std::vector<int> numbers(sockets, pair.one.get());
      REQUIRE(bags.put(numbers) == 0);
    }
    std::vector<std::size_t> counts;
    for (const Descriptor& bag : bags.bags()) counts.push_back(look_into_bag(bag.get())->size());
    return counts;
  };
  using Sizes = std::vector<std::size_t>;
  CHECK(sizes({0}).empty());
  CHECK(sizes({1}) == Sizes{1});
  CHECK(sizes({506}) == Sizes{506});
  CHECK(sizes({507}) == Sizes{506, 1});
  CHECK(sizes({1, 1, 1}) == Sizes{2, 1});
}

TEST_CASE("a bag that the kernel has no more room in is followed by another") {
  const Pair pair = connected();
  const int number = pair.one.get();
  SocketBags bags{1'000'000};
  for (int put = 0; put < 1000; ++put) REQUIRE(bags.put({&number, 1}) == 0);
  CHECK(bags.bags().size() > 1);
  std::size_t found = 0;
  for (const Descriptor& bag : bags.bags()) found += look_into_bag(bag.get())->size();
  CHECK(found == 1000);
}

TEST_CASE("a look for which the process has no descriptors left says so, and loses nothing") {
  const Pair pair = connected();
  const std::vector<int> numbers(600, pair.one.get());
  SocketBags bags;
  REQUIRE(bags.put(numbers) == 0);
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit few{.rlim_cur = 400, .rlim_max = before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
  const auto refused = look_into_bag(bags.bags().front().get());
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE_FALSE(refused);
  CHECK(refused.error() == EMFILE);
  CHECK(look_into_bag(bags.bags().front().get())->size() == 600);
}
