// A request to the daemon: one JSON object with a `command`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace heartbeat::ctl {

class Request {
 public:
  explicit Request(std::string_view command);

  Request& with(std::string_view name, std::string_view text);
  Request& with(std::string_view name, std::uint64_t number);
  Request& with(std::string_view name, std::span<const std::string> texts);

  // A member that is true.
  Request& flagged(std::string_view name);

  // The body of a frame.
  [[nodiscard]] std::string body() const { return members_ + '}'; }

 private:
  std::string members_;
};

}  // namespace heartbeat::ctl
