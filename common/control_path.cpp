#include "common/control_path.h"

#include <cstdlib>
#include <string_view>

namespace heartbeat {
namespace {

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view{} : value;
}

}  // namespace

std::string default_control_path() {
  const std::string_view of_the_service = environment("RUNTIME_DIRECTORY");
  if (!of_the_service.empty()) {
    return std::string{of_the_service.substr(0, of_the_service.find(':'))} + "/control.sock";
  }
  const std::string_view of_the_user = environment("XDG_RUNTIME_DIR");
  if (!of_the_user.empty()) return std::string{of_the_user} + "/heartbeatd/control.sock";
  return kSystemControlPath;
}

}  // namespace heartbeat
