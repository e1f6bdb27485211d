// The tokens that clients may prove themselves by, as the core asks of them.  The daemon implements it
// (daemon/access/); the core knows neither the file of tokens nor how a token is compared.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace heartbeat {

// What a client proved by a token: which line of the file of tokens has it.  Never the token itself.
struct TokenProof {
  std::string name{};  // of the line; empty: the client gave no token
  std::uint64_t fingerprint =
      0;  // the first 8 bytes of the token's digest; distinguishes two lines of one name

  friend bool operator==(const TokenProof&, const TokenProof&) = default;
};

class Credentials {
 public:
  Credentials() = default;
  Credentials(const Credentials&) = default;
  Credentials& operator=(const Credentials&) = default;
  Credentials(Credentials&&) = default;
  Credentials& operator=(Credentials&&) = default;
  virtual ~Credentials() = default;

  // The line that has this token; nothing where no line has it.  Takes the same work for every token of one
  // length.
  [[nodiscard]] virtual std::optional<TokenProof> find(std::string_view token) const = 0;

  // Whether that line is there, and its holder may use the id.  Without an id: whether the line is there.
  [[nodiscard]] virtual bool may_use(const TokenProof& proof, std::string_view id) const = 0;
};

}  // namespace heartbeat
