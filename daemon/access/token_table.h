// The file of tokens in memory.
//
// A token is looked up by its SHA-256, so the work does not depend on how much of a guessed token is right,
// and the digest that was found is compared in constant time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <tl/expected.hpp>

#include "common/glob.h"
#include "common/token.h"
#include "daemon/core/credentials.h"

namespace heartbeat {

class TokenTable final : public Credentials {
 public:
  // What is wrong with a line of the file.
  struct Fault {
    std::uint32_t line;  // counted from 1
    std::string what;    // a sentence
  };

  // Reads the text of a file: a line each (parse_token_line()); blank lines and comments that begin with `#`
  // are skipped.  Must not be called where tls::is_built() is false.
  [[nodiscard]] static tl::expected<TokenTable, std::vector<Fault>> parse(std::string_view text);

  [[nodiscard]] std::optional<TokenProof> find(std::string_view token) const override;
  [[nodiscard]] bool may_use(const TokenProof& proof, std::string_view id) const override;

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  // Whether the two have the same lines.
  friend bool operator==(const TokenTable& one, const TokenTable& other) {
    return one.lines_ == other.lines_;
  }

 private:
  struct Entry {
    TokenLine line;
    Glob ids;
  };

  std::unordered_map<std::uint64_t, Entry> entries_;  // by fingerprint
  std::vector<std::string> lines_;                    // as to_string() writes them, sorted
};

}  // namespace heartbeat
