#include "daemon/restart/exec.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace heartbeat;

namespace {

Invocation invocation_of(const char* name) {
  const std::array<const char*, 2> argv{name, "--debug"};
  return invocation(2, argv.data());
}

}  // namespace

TEST_CASE("a program is run again by its absolute path") {
  CHECK(invocation_of("/usr/sbin/heartbeatd").path == "/usr/sbin/heartbeatd");
  const std::string path = invocation_of("bin/heartbeatd").path;
  CHECK(path.starts_with('/'));
  CHECK(path.ends_with("/bin/heartbeatd"));
  CHECK(invocation_of("true").path.ends_with("bin/true"));
  CHECK(invocation_of("no-such-program-anywhere").path.empty());
  CHECK(invocation_of("bin/heartbeatd").arguments == std::vector<std::string>{"bin/heartbeatd", "--debug"});
}

TEST_CASE("a program that cannot be run leaves everything as it was") {
  const Descriptor kept{open("/dev/null", O_RDONLY | O_CLOEXEC)};
  const Descriptor state{open("/dev/null", O_RDONLY | O_CLOEXEC)};
  const int number = kept.get();
  const Invocation program{.path = "/nonexistent/heartbeatd", .arguments = {"heartbeatd"}};
  CHECK(replace_process(program, state.get(), {&number, 1}) == ENOENT);
  CHECK((fcntl(kept.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((fcntl(state.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK_FALSE(take_state_descriptor());
}

TEST_CASE("a program gets the state and what is kept, and a signal that came meanwhile stays blocked") {
  const Descriptor kept{open("/dev/null", O_RDONLY | O_CLOEXEC)};
  const Descriptor closed{open("/dev/null", O_RDONLY | O_CLOEXEC)};
  const Descriptor state{open("/dev/null", O_RDONLY | O_CLOEXEC)};
  const std::string script = "test \"$HEARTBEATD_STATE\" = " + std::to_string(state.get()) +
                             " && test -e /dev/fd/" + std::to_string(state.get()) + " && test -e /dev/fd/" +
                             std::to_string(kept.get()) + " && test ! -e /dev/fd/" +
                             std::to_string(closed.get());
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGHUP, SIG_IGN);
    const SignalsBlocked blocked;
    std::signal(SIGHUP, SIG_DFL);
    raise(SIGHUP);
    const int number = kept.get();
    const Invocation shell{.path = "/bin/sh", .arguments = {"sh", "-c", script}};
    _exit(100 + replace_process(shell, state.get(), {&number, 1}));
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("the descriptor of the state is taken once, and is closed on exec from then on") {
  const int number = open("/dev/null", O_RDONLY);
  REQUIRE(number >= 0);
  setenv("HEARTBEATD_STATE", std::to_string(number).c_str(), 1);
  const auto state = take_state_descriptor();
  REQUIRE(state);
  CHECK(state->get() == number);
  CHECK((fcntl(number, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK_FALSE(take_state_descriptor());
  for (const char* const wrong : {"", "x", "7x", "9999"}) {
    setenv("HEARTBEATD_STATE", wrong, 1);
    CHECK_FALSE(take_state_descriptor());
    CHECK(std::getenv("HEARTBEATD_STATE") == nullptr);
  }
}
