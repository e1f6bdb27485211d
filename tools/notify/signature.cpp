#include "tools/notify/signature.h"

#include <algorithm>

#include "common/tls/openssl.h"

namespace heartbeat::notify {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kSecretPrefix = "whsec_";
constexpr std::size_t kKeyMin = 24;
constexpr std::size_t kKeyMax = 64;

std::string base64(std::string_view bytes) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    for (std::size_t each = 0; each < 3; ++each) {
      group = group << 8U | (each < count ? static_cast<std::uint8_t>(bytes[at + each]) : 0U);
    }
    for (std::size_t each = 0; each < 4; ++each) {
      text += each <= count ? kAlphabet[group >> (18 - 6 * each) & 0x3fU] : '=';
    }
  }
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char each : text) {
    const std::size_t value = kAlphabet.find(each);
    if (value == std::string_view::npos) return {};
    bits = (bits << 6U | static_cast<std::uint32_t>(value)) & 0xffffU;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>(bits >> held & 0xffU);
  }
  return bytes;
}

}  // namespace

std::optional<std::string> key_of_secret(std::string_view secret) {
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.remove_suffix(1);
  if (!secret.starts_with(kSecretPrefix)) return {};
  auto key = from_base64(secret.substr(kSecretPrefix.size()));
  if (key && (key->size() < kKeyMin || key->size() > kKeyMax)) key.reset();
  return key;
}

std::string signature(std::string_view key, std::string_view id, std::int64_t at, std::string_view body) {
  std::string signed_text{id};
  signed_text.append(".").append(std::to_string(at)).append(".").append(body);
  const tls::Digest digest = tls::hmac_sha256(key, signed_text);
  return "v1," + base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace heartbeat::notify
