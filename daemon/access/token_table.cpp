#include "daemon/access/token_table.h"

#include <algorithm>
#include <utility>

#include "common/tls/openssl.h"

namespace heartbeat {
namespace {

std::uint64_t fingerprint_of(const TokenDigest& digest) {
  std::uint64_t fingerprint = 0;
  for (std::size_t at = 0; at < sizeof fingerprint; ++at) fingerprint = fingerprint << 8U | digest.at(at);
  return fingerprint;
}

}  // namespace

tl::expected<TokenTable, std::vector<TokenTable::Fault>> TokenTable::parse(std::string_view text) {
  TokenTable table;
  std::vector<Fault> faults;
  for (std::uint32_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos || line[begin] == '#') continue;
    auto parsed = parse_token_line(line);
    if (!parsed) {
      faults.push_back({number, parsed.error()});
      continue;
    }
    auto ids = Glob::compile(parsed->ids);
    table.lines_.push_back(to_string(*parsed));
    const std::string name = parsed->name;
    const auto [at, is_new] = table.entries_.try_emplace(
        fingerprint_of(parsed->digest), Entry{.line = std::move(*parsed), .ids = std::move(*ids)});
    if (!is_new)
      faults.push_back({number, "'" + name + "': its token is that of '" + at->second.line.name + "', too"});
  }
  if (!faults.empty()) return tl::unexpected(std::move(faults));
  std::sort(table.lines_.begin(), table.lines_.end());
  return table;
}

std::optional<TokenProof> TokenTable::find(std::string_view token) const {
  if (!is_token(token)) return {};
  const TokenDigest digest = tls::sha256(token);
  const auto found = entries_.find(fingerprint_of(digest));
  if (found == entries_.end() || !tls::is_same(found->second.line.digest, digest)) return {};
  return TokenProof{found->second.line.name, found->first};
}

bool TokenTable::may_use(const TokenProof& proof, std::string_view id) const {
  const auto found = entries_.find(proof.fingerprint);
  if (found == entries_.end() || found->second.line.name != proof.name) return false;
  return id.empty() || found->second.ids.matches(id);
}

}  // namespace heartbeat
