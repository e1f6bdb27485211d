// The configuration, from a file's text and a command line: whatever is written there, it is used or refused,
// and what is printed of it reads back to the same.
//
// Input: the file's text, up to the first NUL; then the arguments, separated by NULs.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/text.h"
#include "daemon/config/command_line.h"
#include "daemon/config/load.h"
#include "tests/fuzz/promise.h"

using namespace heartbeat;
using heartbeat::fuzz::hold;

namespace {

// A file that is nowhere on a disk.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view text) : descriptor_(memfd_create("fuzz", MFD_CLOEXEC)) {
    hold(descriptor_ >= 0, "the machine gives a file in memory");
    const ssize_t written = write(descriptor_, text.data(), text.size());
    hold(written == static_cast<ssize_t>(text.size()), "and writes it");
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  MemoryFile(MemoryFile&&) = delete;
  MemoryFile& operator=(MemoryFile&&) = delete;

  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = text.find('\0');
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return parts;
}

tl::expected<CommandLine, End> read_arguments(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv{"heartbeatd"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

void hold_lines(const LoadErrors& errors) {
  hold(errors.exit_code == EX_CONFIG || errors.exit_code == EX_USAGE, "a refusal has one of two exit codes");
  hold(!errors.lines.empty(), "a refusal says why");
  hold(errors.lines.size() <= limits::kConfigErrorsShown + 1, "a refusal has an end");
  for (const std::string& line : errors.lines) hold(is_printable(line), "a refusal is printable");
}

void hold_usable(const LoadedConfig& loaded) {
  const Config& config = loaded.config;
  const Rule& rule = config.settings.rule;
  hold(rule.tick >= limits::kTickMin && rule.tick <= limits::kTickMax, "a tick is within its range");
  hold(rule.tick <= rule.leave_timeout && rule.leave_timeout <= limits::kLeaveTimeoutMax,
       "a leave timeout is at least a tick and at most its maximum");
  for (const std::uint16_t count : {rule.threshold, rule.cursor, rule.recover}) {
    hold(count >= 1 && count <= limits::kRuleCountMax, "a count of the rule is within its range");
  }
  hold(config.settings.clients_max >= 1 && config.settings.clients_max <= limits::kClientsMax,
       "there is room for a client, and not for too many");
  hold(!all_listeners(config).empty(), "there is something to listen on");
  hold(config.listen.size() <= limits::kListenersMax && config.listeners.size() <= limits::kListenersMax,
       "there are not too many addresses");
  for (const SettingInForce& setting : list_settings(loaded)) {
    hold(is_printable(setting.value), "a setting in force is printable");
  }
}

void hold_prints_back(const LoadedConfig& loaded) {
  const MemoryFile printed{print_config(loaded)};
  CommandLine nothing;
  nothing.config_file = printed.path();
  const auto again = load_config(nothing);
  hold(again.has_value(), "a configuration that is printed can be used");
  const auto before = list_settings(loaded);
  const auto after = list_settings(*again);
  for (std::size_t row = 0; row < before.size(); ++row) {
    hold(before[row].value == after[row].value, "a configuration that is printed reads back to the same");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  const std::string_view text = input.substr(0, input.find('\0'));
  const std::string_view rest = input.substr(std::min(input.size(), text.size() + 1));
  if (text.size() > limits::kConfigFileMax + 1) return 0;

  auto command_line = read_arguments(split(rest));
  if (!command_line) {
    const End& end = command_line.error();
    hold(end.exit_code == EX_OK || end.exit_code == EX_USAGE, "a command line that starts nothing ends so");
    hold(!end.text.empty(), "and says why");
    command_line = CommandLine{};
  }
  // Where the arguments name a file it is not one of ours to read.
  const MemoryFile file{text};
  command_line->config_file = file.path();

  const auto loaded = load_config(*command_line);
  if (!loaded) {
    hold_lines(loaded.error());
    return 0;
  }
  hold_usable(*loaded);
  hold_prints_back(*loaded);
  return 0;
}
