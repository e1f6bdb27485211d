#include "daemon/http/host_check.h"

#include <algorithm>
#include <string>

namespace heartbeat::http {
namespace {

std::string lower(std::string_view text) {
  std::string all{text};
  std::transform(all.begin(), all.end(), all.begin(),
                 [](char byte) { return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte; });
  return all;
}

}  // namespace

bool is_meant_for(std::string_view host, const Endpoint& listening) {
  if (!is_loopback(listening)) return true;
  // With a port where it has none: a colon behind the last bracket begins one.
  const std::size_t colon = host.rfind(':');
  const std::size_t bracket = host.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  const std::string whole = lower(host) + (has_port ? "" : ":80");
  const auto where = parse_host_port(whole);
  if (!where) return false;
  if (where->host == "localhost") return true;
  const auto endpoint = parse_endpoint(whole);
  return endpoint && is_loopback(*endpoint);
}

}  // namespace heartbeat::http
