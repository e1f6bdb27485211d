// The configuration file: TOML text to the settings it gives, or everything that is wrong with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/limits.h"
#include "daemon/config/given.h"

namespace heartbeat {

inline constexpr const char* kDefaultConfigFile = "/etc/heartbeatd/heartbeatd.toml";

// What is read from when the daemon starts may be a pipe; what is read again later has to be a file, so that
// it is still there and that no process waits for it.
enum class Reading : std::uint8_t { First, Again };

// The whole file, of at most `size_max` bytes.  The error is a sentence that names it.
[[nodiscard]] tl::expected<std::string, std::string> read_config_file(
    const std::string& path, Reading reading, std::size_t size_max = limits::kConfigFileMax);

// What a text gives, in its order, and what is wrong with it; `path` is how the file is called.
struct FileContents {
  std::vector<Given> given;
  std::vector<Mistake> mistakes;
};
[[nodiscard]] FileContents parse_config_text(std::string_view text, const std::string& path);

}  // namespace heartbeat
