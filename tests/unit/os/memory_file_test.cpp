#include "common/os/memory_file.h"

#include <cerrno>
#include <string>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

using namespace heartbeat;

TEST_CASE("a memory file gives back its bytes, again and again, and is closed on exec") {
  const std::string bytes(100'000, 'b');
  const auto file = os::memory_file(bytes);
  REQUIRE(file);
  CHECK(os::read_memory_file(file->get(), bytes.size()).value() == bytes);
  CHECK(os::read_memory_file(file->get(), bytes.size()).value() == bytes);
  CHECK(os::read_memory_file(file->get(), bytes.size() - 1).error() == EFBIG);
  CHECK((fcntl(file->get(), F_GETFD) & FD_CLOEXEC) != 0);
}

#ifdef __linux__
TEST_CASE("a memory file cannot be changed") {
  const auto file = os::memory_file("state");
  REQUIRE(file);
  CHECK(pwrite(file->get(), "S", 1, 0) == -1);
  CHECK(ftruncate(file->get(), 0) == -1);
  CHECK(os::read_memory_file(file->get(), 5).value() == "state");
}
#endif

TEST_CASE("what is no file is no memory file") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const Descriptor read{ends[0]};
  const Descriptor write{ends[1]};
  CHECK(os::read_memory_file(read.get(), 10).error() == EINVAL);
  CHECK(os::read_memory_file(-1, 10).error() == EBADF);
}
