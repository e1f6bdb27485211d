#include "common/events/line.h"

#include <array>
#include <charconv>
#include <system_error>

#include "common/events/crc32c.h"

namespace heartbeat::events {
namespace {

constexpr std::string_view kBefore = R"(,"crc":")";
constexpr std::string_view kBehind = R"("})";
constexpr std::size_t kDigits = 8;
constexpr std::size_t kSealSize = kBefore.size() + kDigits + kBehind.size();

std::array<char, kDigits> hexadecimal(std::uint32_t number) {
  constexpr std::string_view kDigitsOfSixteen = "0123456789abcdef";
  std::array<char, kDigits> digits{};
  for (std::size_t at = kDigits; at > 0; number >>= 4U) digits.at(--at) = kDigitsOfSixteen[number & 0xfU];
  return digits;
}

// What stands behind `"NAME":`; nothing where the line has no such member.
std::optional<std::string_view> behind_key(std::string_view line, std::string_view name) {
  for (std::size_t at = line.find(name); at != std::string_view::npos; at = line.find(name, at + 1)) {
    const std::string_view behind = line.substr(at + name.size());
    if (at > 0 && line[at - 1] == '"' && behind.starts_with("\":")) return behind.substr(2);
  }
  return {};
}

}  // namespace

void seal_line(std::string& out, std::size_t begin) {
  out.pop_back();  // the object's closing brace, which comes back behind the checksum
  const auto digits = hexadecimal(crc32c(std::string_view{out}.substr(begin)));
  out.append(kBefore).append(digits.data(), digits.size()).append(kBehind).append(1, '\n');
}

bool is_true_line(std::string_view line) {
  if (line.size() <= kSealSize || !line.ends_with(kBehind)) return false;
  const std::string_view sealed = line.substr(0, line.size() - kSealSize);
  const std::string_view seal = line.substr(sealed.size());
  if (!seal.starts_with(kBefore)) return false;
  const auto digits = hexadecimal(crc32c(sealed));
  return seal.substr(kBefore.size(), kDigits) == std::string_view{digits.data(), digits.size()};
}

std::string unsealed(std::string_view line) {
  return std::string{line.substr(0, line.size() - kSealSize)} + '}';
}

std::optional<std::uint64_t> number_in(std::string_view line, std::string_view name) {
  const auto behind = behind_key(line, name);
  if (!behind) return {};
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(behind->data(), behind->data() + behind->size(), number);
  if (error != std::errc{}) return {};
  return number;
}

std::string_view text_in(std::string_view line, std::string_view name) {
  const auto behind = behind_key(line, name);
  if (!behind || !behind->starts_with('"')) return {};
  const std::size_t end = behind->find('"', 1);
  return end == std::string_view::npos ? std::string_view{} : behind->substr(1, end - 1);
}

std::size_t end_of_last_true_line(std::string_view file) {
  while (!file.empty()) {
    if (file.ends_with('\n') && is_true_line(last_line(file))) return file.size();
    // Back to behind the line's end before this one.
    const std::size_t before = file.size() < 2 ? std::string_view::npos : file.rfind('\n', file.size() - 2);
    file = file.substr(0, before == std::string_view::npos ? 0 : before + 1);
  }
  return 0;
}

std::string_view last_line(std::string_view file) {
  if (file.ends_with('\n')) file.remove_suffix(1);
  const std::size_t before = file.rfind('\n');
  return before == std::string_view::npos ? file : file.substr(before + 1);
}

}  // namespace heartbeat::events
