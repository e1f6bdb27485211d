// Whether this build of the programs has OpenSSL (CMake: HEARTBEAT_OPENSSL), and what of it needs no TLS:
// digests and random bytes.
//
// The folder common/tls is the one place that knows OpenSSL.  Where the build has none, without_openssl.cpp
// takes the place of its other sources.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace heartbeat::tls {

[[nodiscard]] bool is_built();

// For --version: `OpenSSL 3.0.19`, `without OpenSSL`.
[[nodiscard]] std::string version();

using Digest = std::array<std::uint8_t, 32>;

// SHA-256 (FIPS 180-4).  Must not be called where is_built() is false.
[[nodiscard]] Digest sha256(std::string_view bytes);

// HMAC-SHA256 (RFC 2104).  Must not be called where is_built() is false.
[[nodiscard]] Digest hmac_sha256(std::string_view key, std::string_view bytes);

// Takes the same time wherever the two differ.
[[nodiscard]] bool is_same(const Digest& one, const Digest& other);

// Fills the bytes from the system's source of secrets.  Returns whether it had any; false where is_built() is
// false.
[[nodiscard]] bool draw_secret(std::span<std::uint8_t> bytes);

}  // namespace heartbeat::tls
