#include "daemon/config/config.h"

#include <cstdlib>
#include <string_view>

namespace heartbeat {
namespace {

// Empty where the variable is not set.
std::string_view from_environment(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): there is one thread
  return value == nullptr ? std::string_view{} : std::string_view{value};
}

}  // namespace

std::string default_control_path() {
  // A service with several runtime directories has them all here, with colons between.
  const std::string_view runtime_directories = from_environment("RUNTIME_DIRECTORY");
  if (!runtime_directories.empty()) {
    return std::string{runtime_directories.substr(0, runtime_directories.find(':'))} + "/control.sock";
  }
  const std::string_view of_the_user = from_environment("XDG_RUNTIME_DIR");
  if (!of_the_user.empty()) return std::string{of_the_user} + "/heartbeatd/control.sock";
  return "/run/heartbeatd/control.sock";
}

}  // namespace heartbeat
