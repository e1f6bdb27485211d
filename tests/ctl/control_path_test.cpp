#include "common/control_path.h"

#include <cstdlib>

#include <doctest/doctest.h>

namespace heartbeat {
namespace {

void set(const char* name, const char* value) {
  if (value == nullptr) {
    unsetenv(name);
  } else {
    setenv(name, value, 1);
  }
}

std::string path_with(const char* runtime_directory, const char* xdg_runtime_dir) {
  set("RUNTIME_DIRECTORY", runtime_directory);
  set("XDG_RUNTIME_DIR", xdg_runtime_dir);
  return default_control_path();
}

TEST_CASE("the service's directory comes before the user's, and that before the system's") {
  CHECK(path_with("/run/here", "/run/user/7") == "/run/here/control.sock");
  CHECK(path_with(nullptr, "/run/user/7") == "/run/user/7/heartbeatd/control.sock");
  CHECK(path_with(nullptr, nullptr) == kSystemControlPath);
}

TEST_CASE("of several runtime directories the first is meant") {
  CHECK(path_with("/run/one:/run/two", nullptr) == "/run/one/control.sock");
}

TEST_CASE("a variable that is empty is not set") {
  CHECK(path_with("", "") == kSystemControlPath);
}

}  // namespace
}  // namespace heartbeat
