#include "daemon/config/listener.h"

#include <algorithm>

#include "common/text.h"
#include "daemon/config/config.h"

namespace heartbeat {
namespace {

constexpr std::string_view kProxyFrom = "proxy_from=";
constexpr std::string_view kRequire = "require=";

std::string_view take_up_to(std::string_view& text, char separator) {
  const std::string_view part = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

template <class Word>
std::string joined(const std::vector<Network>& networks, std::string_view separator, Word word) {
  std::string text;
  for (const Network& network : networks) text.append(text.empty() ? "" : separator).append(word(network));
  return text;
}

using Taken = tl::expected<void, std::string>;

Taken take_proxies(std::string_view option, Listener& listener) {
  if (listener.proxy_from) return tl::unexpected(std::string{"proxy_from is given twice"});
  listener.proxy_from.emplace();
  option.remove_prefix(kProxyFrom.size());
  while (!option.empty()) {
    const auto network = parse_network(take_up_to(option, ','));
    if (!network) return tl::unexpected(network.error());
    listener.proxy_from->push_back(*network);
  }
  return {};
}

Taken take_requirement(std::string_view option, Listener& listener) {
  if (listener.require) return tl::unexpected(std::string{"require is given twice"});
  option.remove_prefix(kRequire.size());
  if (std::find(kRequirements.begin(), kRequirements.end(), option) == kRequirements.end()) {
    return tl::unexpected("'" + escaped(option) + "' is not one of none, certificate or token");
  }
  listener.require = option;
  return {};
}

Taken unknown(std::string_view option) {
  return tl::unexpected("'" + escaped(option) +
                        "' is not an option of a listener: proxy_from=NETWORK,… and require=WORD are");
}

}  // namespace

std::string toml_string(std::string_view text) {
  return '"' + escaped(text) + '"';  // all values are printable, so only \\ and \" can come out of it
}

std::string to_string(const Listener& listener) {
  std::string text = to_string(listener.address);
  if (listener.proxy_from) {
    text.append(" ").append(kProxyFrom).append(joined(*listener.proxy_from, ",", [](const Network& network) {
      return to_string(network);
    }));
  }
  if (listener.require) text.append(" ").append(kRequire).append(*listener.require);
  return text;
}

tl::expected<Listener, std::string> parse_listener(std::string_view text) {
  const auto address = parse_host_port(take_up_to(text, ' '));
  if (!address) return tl::unexpected(address.error());
  if (!is_printable(address->host)) {
    return tl::unexpected("must be printable text, not '" + escaped(address->host) + "'");
  }
  Listener listener{.address = *address};
  while (!text.empty()) {
    const std::string_view option = take_up_to(text, ' ');
    const auto taken = option.starts_with(kProxyFrom) ? take_proxies(option, listener)
                       : option.starts_with(kRequire) ? take_requirement(option, listener)
                                                      : unknown(option);
    if (!taken) return tl::unexpected(taken.error());
  }
  return listener;
}

std::string toml_table(const Listener& listener) {
  std::string text = "{ address = " + toml_string(to_string(listener.address));
  if (listener.proxy_from) {
    text += ", proxy_from = [" +
            joined(*listener.proxy_from, ", ",
                   [](const Network& network) { return toml_string(to_string(network)); }) +
            "]";
  }
  if (listener.require) text += ", require = " + toml_string(*listener.require);
  return text + " }";
}

std::vector<Listener> all_listeners(const Config& config) {
  std::vector<Listener> all;
  all.reserve(config.listen.size() + config.listeners.size());
  for (const HostPort& address : config.listen) all.push_back({address, config.proxy_from, config.require});
  for (const Listener& listener : config.listeners) {
    all.push_back({listener.address, listener.proxy_from.value_or(config.proxy_from),
                   listener.require.value_or(config.require)});
  }
  return all;
}

}  // namespace heartbeat
